// Configurations for tests: a right one of few lines, of which a test replaces what it is about.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config.h"
#include "support/catch.h"

namespace guideway::control::testing {

using Lines = std::vector<std::string>;

// A right file in which `section` is `text`, put first so that its lines count from 1; an empty
// `text` leaves the section out.
inline std::string file_with(std::string_view section, std::string_view text) {
  static constexpr std::string_view kSections[][2] = {
      {"node", "node: {name: lb1, fleet_seed: test}\n"},
      {"interfaces", "interfaces: [{name: eth0}]\n"},
      {"encapsulation", "encapsulation: {source: 10.0.0.10}\n"},
      {"pools", "pools: [{name: web, backends: [10.0.1.11, 10.0.1.12]}]\n"},
      {"services", "services: [{vip: 198.51.100.1, ports: [tcp/80], pool: web}]\n"},
  };
  std::string file(text);
  if (!file.empty() && !file.ends_with('\n')) file += '\n';
  for (const auto& [name, right] : kSections)
    if (name != section) file += right;
  return file;
}

inline std::vector<std::string> texts(const std::vector<Problem>& problems) {
  std::vector<std::string> result;
  for (const Problem& problem : problems) result.push_back(problem.text());
  return result;
}

// All problems of a file that is called "f", as the operator reads them; none: it is right.
inline std::vector<std::string> errors(std::string_view file) {
  const auto config = parse_config(file, "f");
  return config ? std::vector<std::string>{} : texts(config.error());
}

inline std::vector<std::string> errors_with(std::string_view section, std::string_view text) {
  return errors(file_with(section, text));
}

// The one problem of a file whose `section` is `text`.
inline std::string error_with(std::string_view section, std::string_view text) {
  const Lines all = errors_with(section, text);
  if (all.empty()) return "no problem";
  for (std::size_t i = 1; i < all.size(); ++i) FAIL_CHECK("also: " << all[i]);
  return all[0];
}

// The model and the warnings of a file that has to be right.
inline Config right(std::string_view file) {
  auto config = parse_config(file, "f");
  if (!config)
    for (const std::string& text : texts(config.error())) FAIL_CHECK(text);
  REQUIRE(config);
  return std::move(*config);
}

}  // namespace guideway::control::testing
