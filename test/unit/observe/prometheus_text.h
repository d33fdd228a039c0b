// A reader of Prometheus' text format 0.0.4 that is stricter than Prometheus:
// https://prometheus.io/docs/instrumenting/exposition_formats/. Each family has HELP and TYPE,
// once, in this order and before its samples, which are together; no two samples have the same
// labels; a counter ends in _total and nothing else does. Throws std::runtime_error with the line
// otherwise.
#pragma once

#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace guideway::observe {

using PrometheusLabels = std::map<std::string, std::string>;

struct PrometheusFamily {
  std::string help, type;
  std::map<PrometheusLabels, std::string> samples;  // the value as it is written
};

class PrometheusReader {
 public:
  // By name.
  static std::map<std::string, PrometheusFamily> read(std::string_view text) {
    PrometheusReader reader;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos) throw std::runtime_error("no newline at the end");
      reader.line_ = reader.rest_ = text.substr(0, end);
      reader.read_line();
      text.remove_prefix(end + 1);
    }
    return std::move(reader.families_);
  }

 private:
  void read_line() {
    if (skip("# HELP ")) return read_help();
    if (skip("# TYPE ")) return read_type();
    read_sample();
  }
  void read_help() {
    current_ = name();
    need(skip(" "), "a space behind the name");
    need(!families_.contains(current_), "each family once");
    need(!rest_.empty(), "a help");
    families_[current_].help = rest_;
  }
  void read_type() {
    need(name() == current_ && skip(" "), "TYPE behind HELP of the same family");
    PrometheusFamily& family = families_[current_];
    need(family.type.empty() && family.samples.empty(), "TYPE once, and before the samples");
    need(rest_ == "counter" || rest_ == "gauge", "counter or gauge");
    need((rest_ == "counter") == current_.ends_with("_total"), "_total for counters, only them");
    family.type = rest_;
  }
  void read_sample() {
    need(name() == current_, "a sample of the family whose HELP was last");
    PrometheusFamily& family = families_[current_];
    need(!family.type.empty(), "TYPE before the samples");
    PrometheusLabels labels;
    if (skip("{")) {
      do {
        const std::string label = name();
        need(skip("=\""), "=\" behind a label's name");
        need(labels.emplace(label, label_value()).second, "each label once");
      } while (skip(","));
      need(skip("}"), "a closing brace");
    }
    need(skip(" "), "a space before the value");
    double value = 0;
    const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    need(parsed.ec == std::errc() && parsed.ptr == rest_.data() + rest_.size(), "a number");
    need(family.samples.emplace(std::move(labels), rest_).second, "no sample twice");
  }
  std::string name() {
    std::size_t length = 0;
    while (length < rest_.size() &&
           (std::isalnum(static_cast<unsigned char>(rest_[length])) != 0 || rest_[length] == '_'))
      ++length;
    need(length != 0 && std::isdigit(static_cast<unsigned char>(rest_[0])) == 0, "a name");
    const std::string found(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return found;
  }
  std::string label_value() {
    std::string value;
    for (; !rest_.empty() && rest_[0] != '"'; rest_.remove_prefix(1)) {
      if (rest_[0] != '\\') {
        value += rest_[0];
        continue;
      }
      rest_.remove_prefix(1);
      need(!rest_.empty() && std::string_view("\\\"n").find(rest_[0]) != std::string_view::npos,
           "one of \\\\, \\\" and \\n");
      value += rest_[0] == 'n' ? '\n' : rest_[0];
    }
    need(skip("\""), "a closing quote");
    return value;
  }
  bool skip(std::string_view wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }
  void need(bool right, const std::string& what) const {
    if (!right) throw std::runtime_error("expected " + what + ": " + std::string(line_));
  }

  std::map<std::string, PrometheusFamily> families_;
  std::string current_;
  std::string_view line_, rest_;
};

}  // namespace guideway::observe
