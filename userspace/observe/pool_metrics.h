// The part of observe/metrics.h that is about pools, their backends and what probes say of them.
//
// Threads: none of its own.
#pragma once

#include "observe/metric_families.h"
#include "observe/status.h"

namespace guideway::observe {

void add_pools(MetricFamilies& families, const Status& status);

}  // namespace guideway::observe
