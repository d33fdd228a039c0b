#include "observe/metric_families.h"

#include <cassert>

namespace guideway::observe {

void MetricFamilies::add(MetricType type, const std::string& name, const std::string& help,
                         MetricLabels labels, double value) {
  if (families_.empty() || families_.back().name != name)
    families_.push_back({.name = name, .help = help, .type = type, .metric = {}});
  prometheus::MetricFamily& family = families_.back();
  assert(family.type == type && family.help == help);
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
}

}  // namespace guideway::observe
