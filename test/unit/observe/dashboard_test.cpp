// configs/grafana.json: that it shows metrics that there are.
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "example_status.h"
#include "observe/metrics.h"
#include "prometheus_text.h"
#include "support/catch.h"

namespace guideway::observe {
namespace {

namespace json = boost::json;

json::value dashboard() {
  std::ifstream file(GUIDEWAY_DASHBOARD);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return json::parse(text);
}

// All strings of the document, with the name that each has.
void collect(const json::value& value, std::string_view name,
             std::vector<std::pair<std::string, std::string>>& out) {
  if (value.is_string()) out.emplace_back(name, value.as_string());
  if (value.is_array())
    for (const json::value& one : value.as_array()) collect(one, name, out);
  if (value.is_object())
    for (const auto& member : value.as_object()) collect(member.value(), member.key(), out);
}

std::vector<std::string> expressions() {
  std::vector<std::pair<std::string, std::string>> all;
  collect(dashboard(), "", all);
  std::vector<std::string> out;
  for (const auto& [name, text] : all)
    if (name == "expr" || name == "definition") out.push_back(text);
  return out;
}

std::set<std::string> matches(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::set<std::string> out;
  for (std::sregex_iterator one(text.begin(), text.end(), regex), end; one != end; ++one)
    out.insert(one->size() > 1 ? (*one)[1].str() : one->str());
  return out;
}

TEST_CASE("every metric of the dashboard is one that the daemon has") {
  const auto families = PrometheusReader::read(prometheus_text(example_status()));
  const auto all = expressions();
  REQUIRE(all.size() > 20);
  for (const std::string& expression : all) {
    INFO(expression);
    const auto used = matches(expression, "guideway_[a-z0-9_]+");
    CHECK_FALSE(used.empty());
    for (const std::string& metric : used) {
      INFO(metric);
      CHECK(families.contains(metric));
    }
  }
}

TEST_CASE(
    "every label that the dashboard sums, matches or selects by is one that a metric there has") {
  const auto families = PrometheusReader::read(prometheus_text(example_status()));
  for (const std::string& expression : expressions()) {
    INFO(expression);
    std::set<std::string> known{"instance", "job"};  // that Prometheus adds
    for (const std::string& metric : matches(expression, "guideway_[a-z0-9_]+"))
      if (const auto family = families.find(metric); family != families.end())
        for (const auto& label : family->second.samples.begin()->first) known.insert(label.first);
    for (const std::string& list : matches(expression, "(?:by|on|without) ?\\(([a-z_, ]+)\\)"))
      for (const std::string& label : matches(list, "[a-z_]+")) CHECK(known.contains(label));
    for (const std::string& label : matches(expression, "([a-z_]+)!?=~?\""))
      CHECK(known.contains(label));
  }
}

// Their numbers arrive at once when a worker is retired, which is no rate of anything.
TEST_CASE("no rate on the dashboard is of the retired workers") {
  for (const std::string& expression : expressions()) {
    if (matches(expression, "rate\\(guideway_worker").empty()) continue;
    INFO(expression);
    CHECK(matches(expression, "rate\\(guideway_worker_[a-z_]+\\{").size() ==
          matches(expression, "rate\\(guideway_worker_[a-z_]+").size());
    CHECK(expression.find("interface!=\"retired\"") != std::string::npos);
  }
}

TEST_CASE("panels have ids and places of their own, and take their data from the variable") {
  const json::value document = dashboard();
  CHECK(document.at("schemaVersion").to_number<int>() >= 36);
  std::set<std::int64_t> ids;
  std::set<std::pair<std::int64_t, std::int64_t>> cells;
  for (const json::value& panel : document.at("panels").as_array()) {
    INFO(std::string(panel.at("title").as_string()));
    CHECK(ids.insert(panel.at("id").as_int64()).second);
    const json::value& at = panel.at("gridPos");
    CHECK(at.at("x").as_int64() + at.at("w").as_int64() <= 24);
    for (std::int64_t x = 0; x < at.at("w").as_int64(); ++x)
      for (std::int64_t y = 0; y < at.at("h").as_int64(); ++y)
        CHECK(cells.emplace(at.at("x").as_int64() + x, at.at("y").as_int64() + y).second);
    if (panel.at("type") == "row") continue;
    CHECK(panel.at("datasource").at("uid") == "${datasource}");
    CHECK_FALSE(panel.at("targets").as_array().empty());
  }
  CHECK(document.at("templating").at("list").at(0).at("type") == "datasource");
}

}  // namespace
}  // namespace guideway::observe
