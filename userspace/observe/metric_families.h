// Metric families, filled from tables: a row says how a metric is called and how it is read off a
// thing; a subject is one such thing with the labels that name it. (Pulls prometheus-cpp in: for
// metrics.cpp alone.)
//
// Threads: none of its own.
#pragma once

#include <prometheus/metric_family.h>

#include <concepts>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace guideway::observe {

using MetricLabel = prometheus::ClientMetric::Label;
using MetricLabels = std::vector<MetricLabel>;
using prometheus::MetricType;

template <class T>
struct MetricSubject {
  const T* thing;
  MetricLabels labels;
};

template <class T>
struct MetricRow {
  MetricType type;
  const char* name;
  const char* help;
  double (*value)(const T& thing);
  // A label of this row's own: rows of one name that follow each other are one family.
  const char* label = nullptr;
  const char* label_value = nullptr;
};

class MetricFamilies {
 public:
  // Adds a sample. All samples of one name must be added one after the other, with the same type
  // and help, and with labels that no other of them has.
  void add(MetricType type, const std::string& name, const std::string& help, MetricLabels labels,
           double value);

  // Adds a sample for each row and subject.
  template <class T>
  void add(std::type_identity_t<std::span<const MetricRow<T>>> rows,
           const std::vector<MetricSubject<T>>& subjects) {
    for (const MetricRow<T>& row : rows) {
      for (const MetricSubject<T>& subject : subjects) {
        MetricLabels labels = subject.labels;
        if (row.label != nullptr) labels.push_back({row.label, row.label_value});
        add(row.type, row.name, row.help, std::move(labels), row.value(*subject.thing));
      }
    }
  }

  [[nodiscard]] const std::vector<prometheus::MetricFamily>& all() const { return families_; }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

// As a sample has it. Counters above 2^53 lose their last digits.
template <std::integral T>
[[nodiscard]] double sample(T value) {
  return static_cast<double>(value);
}

}  // namespace guideway::observe
