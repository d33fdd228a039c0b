// How values of facts look as JSON: for facts_json.cpp. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/facts.h"

namespace guideway::doctor {

namespace json = boost::json;

[[nodiscard]] inline json::value to_value(bool value) { return value; }
[[nodiscard]] inline json::value to_value(std::uint32_t value) { return value; }
[[nodiscard]] inline json::value to_value(std::uint64_t value) { return value; }
[[nodiscard]] inline json::value to_value(const std::string& value) { return json::value(value); }
[[nodiscard]] inline json::value to_value(std::string_view value) { return json::value(value); }
[[nodiscard]] inline json::value to_value(Ipv4Address value) { return json::value(value.text()); }
[[nodiscard]] inline json::value to_value(const MacAddress& value) {
  return json::value(value.text());
}
[[nodiscard]] json::value to_value(const Driver& value);
[[nodiscard]] json::value to_value(const Channels& value);
[[nodiscard]] json::value to_value(const Rings& value);
[[nodiscard]] json::value to_value(const Indirection& value);
[[nodiscard]] json::value to_value(const HashFields& value);
[[nodiscard]] json::value to_value(const Offload& value);
[[nodiscard]] json::value to_value(const XdpFeatures& value);
[[nodiscard]] json::value to_value(const DriverSupport& value);
[[nodiscard]] json::value to_value(const VirtioFacts& value);
[[nodiscard]] json::value to_value(const XdpProgram& value);
[[nodiscard]] json::value to_value(const Server& value);
[[nodiscard]] json::value to_value(const Relative& value);
[[nodiscard]] json::value to_value(const Interrupt& value);
[[nodiscard]] json::value to_value(const InterfaceFacts& value);

template <class T>
[[nodiscard]] json::value to_value(const std::vector<T>& values) {
  json::array out;
  for (const T& value : values) out.push_back(to_value(value));
  return out;
}

template <class Map>
requires requires { typename Map::mapped_type; }
[[nodiscard]] json::value to_value(const Map& values) {
  json::object out;
  for (const auto& [key, value] : values) out[key] = to_value(value);
  return out;
}

template <class T>
[[nodiscard]] json::value to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : json::value(nullptr);
}

template <class T>
[[nodiscard]] json::value to_value(const Fact<T>& fact) {
  if (fact) return to_value(*fact);
  return json::object{{"unknown", fact.unknown().because}, {"why", name(fact.unknown().why)}};
}

}  // namespace guideway::doctor
