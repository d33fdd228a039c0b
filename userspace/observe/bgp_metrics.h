// The part of observe/metrics.h that is about BGP: the speaker, its sessions, and the routes.
//
// Threads: none of its own.
#pragma once

#include "observe/metric_families.h"
#include "observe/status.h"

namespace guideway::observe {

// Nothing where nothing is announced.
void add_bgp(MetricFamilies& families, const Status& status);

}  // namespace guideway::observe
