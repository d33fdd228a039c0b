#include "observe/flows.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <utility>

#include "observe/http_routes.h"

namespace guideway::observe {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostNamed = 10;  // of what there is, in an error

// The whole of `text` as a number; nullopt: it is none, or has no place in a Number.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const char* const end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || read != end) return std::nullopt;
  return value;
}

std::string wrong(std::string_view key, std::string_view right, const std::string& value) {
  return std::string(key) + ": must be " + std::string(right) + ", not \"" + value + "\"";
}

// Each takes one value; what is wrong with it, empty: nothing.
std::string take_service(FlowsWanted& wanted, const std::string& value) {
  wanted.service = value;
  return value.empty() ? wrong("service", "the name of a service", value) : "";
}

std::string take_backend(FlowsWanted& wanted, const std::string& value) {
  wanted.backend = Ipv4Address::parse(value);
  return wanted.backend ? "" : wrong("backend", "an IPv4 address such as 10.0.0.1", value);
}

std::string take_client(FlowsWanted& wanted, const std::string& value) {
  wanted.client = Ipv4Prefix::parse(value);
  if (wanted.client) return {};
  return wrong("client", "an IPv4 address, or a prefix such as 203.0.113.0/24", value);
}

std::string take_limit(FlowsWanted& wanted, const std::string& value) {
  wanted.limit = number<std::size_t>(value).value_or(0);
  if (wanted.limit >= 1 && wanted.limit <= kMaxFlowsOfPage) return {};
  return wrong("limit", "a number from 1 to " + std::to_string(kMaxFlowsOfPage), value);
}

std::string take_after(FlowsWanted& wanted, const std::string& value) {
  wanted.after = FlowsPlace::parse(value);
  return wanted.after ? "" : wrong("after", "\"next\" of the answer before, unchanged", value);
}

struct Parameter {
  std::string_view key;
  std::string (*take)(FlowsWanted&, const std::string& value);
};

constexpr Parameter kParameters[] = {{"service", take_service},
                                     {"backend", take_backend},
                                     {"client", take_client},
                                     {"limit", take_limit},
                                     {"after", take_after}};

// Takes one "key=value"; what is wrong with it, empty: nothing.
std::string take(FlowsWanted& wanted, std::string_view part, std::vector<std::string_view>& seen) {
  const std::string_view key = part.substr(0, part.find('='));
  const auto parameter = std::ranges::find(kParameters, key, &Parameter::key);
  if (parameter == std::end(kParameters) || key.size() == part.size()) {
    return "the query may have service=NAME, backend=ADDRESS, client=PREFIX, limit=N and "
           "after=NEXT, with & between them, not \"" +
           std::string(part) + "\"";
  }
  if (std::ranges::find(seen, key) != seen.end())
    return std::string(key) + ": is there twice; give it once";
  seen.push_back(key);
  const std::string_view text = part.substr(key.size() + 1);
  const auto value = percent_decoded(text);
  if (!value) return wrong(key, "percent-encoded", std::string(text));
  return parameter->take(wanted, *value);
}

json::object flow(const FlowStatus& status) {
  return {{"protocol", status.protocol},
          {"client", status.client},
          {"destination", status.destination},
          {"service", status.service},
          {"backend", status.backend},
          {"pool", status.pool},
          {"class", status.state},
          {"idle_seconds", status.idle_seconds},
          {"interface", status.interface},
          {"queue", status.queue}};
}

std::string names(const std::vector<std::string>& known) {
  if (known.empty()) return "there is none";
  std::string out;
  for (std::size_t i = 0; i < known.size() && i < kMostNamed; ++i)
    out += (i == 0 ? "there are: " : ", ") + known[i];
  if (known.size() > kMostNamed)
    out += " and " + std::to_string(known.size() - kMostNamed) + " more";
  return out;
}

}  // namespace

// An interface's name may have any character but '/' and blanks: it comes last.
std::string FlowsPlace::text() const {
  return std::to_string(queue) + "." + std::to_string(bucket) + "." + interface;
}

std::optional<FlowsPlace> FlowsPlace::parse(std::string_view text) {
  const std::size_t first = text.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('.', first + 1);
  if (second == std::string_view::npos || second + 1 == text.size()) return std::nullopt;
  const auto queue = number<std::uint32_t>(text.substr(0, first));
  const auto bucket = number<std::uint64_t>(text.substr(first + 1, second - first - 1));
  if (!queue || !bucket) return std::nullopt;
  return FlowsPlace{
      .interface = std::string(text.substr(second + 1)), .queue = *queue, .bucket = *bucket};
}

std::expected<FlowsWanted, std::string> flows_wanted(std::string_view query) {
  FlowsWanted wanted;
  std::vector<std::string_view> seen;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    if (std::string problem = take(wanted, part, seen); !problem.empty())
      return std::unexpected(std::move(problem));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
  }
  return wanted;
}

std::string to_json(const FlowsPage& page) {
  json::array flows;
  flows.reserve(page.flows.size());
  for (const FlowStatus& one : page.flows) flows.push_back(flow(one));
  return json::serialize(
      json::object{{"flows", std::move(flows)}, {"next", page.next ? page.next->text() : ""}});
}

std::string refusal(const FlowsPage& page, const FlowsWanted& wanted) {
  const std::string what =
      page.kind == FlowsPage::Kind::no_such_service
          ? "no service is named " + wanted.service
          : "no pool has the backend " + wanted.backend.value_or(Ipv4Address()).text();
  return what + "; " + names(page.known);
}

}  // namespace guideway::observe
