// flows: the flows that workers remember, printed page by page as they come.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdint>
#include <iostream>
#include <memory>

#include "cli/daemon_command.h"
#include "cli/flows_view.h"
#include "net/prefix.h"

namespace guideway::cli {
namespace {

constexpr std::uint64_t kDefaultLimit = 1000;

struct FlowsOptions : DaemonOptions {
  FlowsFilter filter;
  std::uint64_t limit = kDefaultLimit;  // 0: none
};

std::string checked_prefix(const std::string& text) {
  if (Ipv4Prefix::parse(text)) return {};
  return "\"" + text + "\" is neither an IPv4 address nor a prefix such as 203.0.113.0/24";
}

// Also of "-1", which CLI11 would take for a very large number.
std::string checked_limit(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return {};
  return "\"" + text + "\" is no number of flows: it must be 1 or more, or 0 for all";
}

// What is printed of a listing so far.
class Listing {
 public:
  explicit Listing(const FlowsOptions& options) : options_(options) {}

  // Flows that the next page should have: one more than is left to print, as that one says whether
  // there are more.
  [[nodiscard]] std::size_t wanted() const {
    if (options_.limit == 0) return kMaxFlowsOfPage;
    return std::min<std::uint64_t>(kMaxFlowsOfPage, options_.limit - shown_ + 1);
  }
  [[nodiscard]] bool more() const { return more_; }

  [[nodiscard]] Outcome<> take(const FlowsPage& page) {
    std::string text;
    for (const json::object& flow : page.flows) {
      more_ = options_.limit != 0 && shown_ == options_.limit;
      if (more_) break;
      if (!options_.json && shown_ == 0) text += flows_heading();
      text += options_.json ? json::serialize(flow) + "\n" : flow_line(flow);
      ++shown_;
    }
    return text.empty() ? Outcome<>() : print(text);
  }

  void note() const {
    if (more_ || !options_.json) std::cerr << flows_note(shown_, more_) << "\n";
  }

 private:
  const FlowsOptions& options_;
  std::uint64_t shown_ = 0;
  bool more_ = false;
};

Outcome<> flows(const FlowsOptions& options) {
  constexpr const char* kDoing = "asking for the flows";
  Listing listing(options);
  for (std::string after;;) {
    const auto document = ask_for_document(
        options, {.target = flows_target(options.filter, listing.wanted(), after)}, kDoing);
    if (!document) return std::unexpected(document.error());
    auto page = read_flows(*document);
    if (!page) return failed(std::move(page.error()));
    if (auto printed = listing.take(*page); !printed) return printed;
    if (listing.more() || page->next.empty()) break;
    if (page->next == after)
      return failed({std::string(kDoing) + ": the page behind " + printable(after) +
                         " is that same page again",
                     "is it guidewayd that listens there?"});
    after = page->next;
  }
  listing.note();
  return {};
}

}  // namespace

void add_flows(CLI::App& app, Command& chosen) {
  CLI::App* command =
      app.add_subcommand("flows", "Shows the connections that the workers remember");
  const auto options = std::make_shared<FlowsOptions>();
  add_daemon_options(*command, *options);
  command->get_option("--json")->description(
      "Print each flow as the daemon gives it, one JSON object on each line");
  command->add_option("--service", options->filter.service, "Only flows to this service")
      ->type_name("NAME")
      ->check(checked_not_empty);
  command
      ->add_option("--backend", options->filter.backend,
                   "Only flows that were given to this backend, in whichever pool")
      ->type_name("ADDR")
      ->check(checked_address);
  command
      ->add_option("--client", options->filter.client,
                   "Only flows from this address, or from this prefix, such as 203.0.113.0/24")
      ->type_name("PREFIX")
      ->check(checked_prefix);
  command->add_option("--limit", options->limit, "Print so many flows at most; 0: all there are")
      ->type_name("N")
      ->check(checked_limit)
      ->capture_default_str();
  command->footer(
      std::string("Example:\n  guideway flows --service shop --client 203.0.113.0/24\n"
                  "  guideway flows --limit 0 --json | jq -r .backend | sort | uniq -c\n\n"
                  "idle is the time since a flow's last packet. How many were printed, and whether "
                  "there are more, is on standard error.") +
      kExitCodes);
  command->callback([&chosen, options] { chosen = [options] { return flows(*options); }; });
}

}  // namespace guideway::cli
