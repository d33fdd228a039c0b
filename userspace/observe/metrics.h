// The numbers of a running daemon as Prometheus reads them: the text format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
//
// Names are guideway_*, in base units; what only grows ends in _total, all else is a gauge.
//
// Counters of workers have the labels `interface` and `queue`. Those of workers that were taken out
// of service are added up in interface="retired", queue="": so sum() over all never goes back.
// Their numbers arrive there at once, so that rate() is for the others: {interface!="retired"}.
//
// Digests are whole numbers of 48 bits, which a double holds exactly, so that load balancers can be
// compared: `stddev by (pool) (guideway_pool_table_digest) > 0` finds those that disagree.
//
// Threads: none of its own. It does not ask the time; the same status makes the same text.
#pragma once

#include <string>

#include "observe/status.h"

namespace guideway::observe {

[[nodiscard]] std::string prometheus_text(const Status& status);

}  // namespace guideway::observe
