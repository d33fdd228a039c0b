// The flows that workers remember, as the API asks for them: page by page, each of bounded work.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "app/daemon.h"
#include "app/inquiries.h"

namespace guideway::app {
namespace {

namespace asio = boost::asio;
using dataplane::FlowRecord;
using observe::FlowsPage;
using observe::FlowsPlace;

// A page without many flows in it is cut off here, so that it is not long in coming.
constexpr std::size_t kBucketsOfPage = 65536;
// What a worker looks through for one answer: some dozens of batches, far within the patience.
constexpr std::size_t kBucketsOfSurvey = 16384;

// The worker at `place`, or, where there is none, the next one behind it; nullopt: there is none.
std::optional<LaneName> lane_from(const DataPlane& plane, const FlowsPlace& place) {
  std::optional<LaneName> found;
  const LaneName first{.interface = place.interface, .queue = place.queue};
  for (LaneName& lane : lane_names(plane))
    if (lane >= first && (!found || lane < *found)) found = std::move(lane);
  return found;
}

// Where to begin in the table of `lane`, which is the one at `place` or the next one behind it.
FlowsPlace beginning(const LaneName& lane, const FlowsPlace& place) {
  const bool amid = lane == LaneName{.interface = place.interface, .queue = place.queue};
  return {.interface = lane.interface, .queue = lane.queue, .bucket = amid ? place.bucket : 0};
}

FlowsPlace behind(const LaneName& lane) {
  return {.interface = lane.interface, .queue = lane.queue + 1};
}

std::string socket_text(__be32 address, __be16 port) {
  return Ipv4Address(Be32::from_wire(address)).text() + ":" +
         std::to_string(Be16::from_wire(port).host());
}

std::set<Endpoint> endpoints_of(const control::Model& model, const std::string& service) {
  std::set<Endpoint> found;
  for (const auto& one : model.services)
    if (one.name == service) found.insert(one.endpoints.begin(), one.endpoints.end());
  return found;
}

// Also of pools that do not have it any more, whose flows may still be remembered.
std::set<BackendSlot> slots_of(const control::Slots& slots, Ipv4Address backend) {
  std::set<BackendSlot> found;
  for (const auto& [who, slot] : slots.backends)
    if (who.second == backend) found.insert(slot);
  return found;
}

// Whose flows some records are. Looks through slots and services once for all of them, however many
// there are.
class Owners {
 public:
  Owners(const control::Model& model, const control::Slots& slots,
         const std::vector<FlowRecord>& records) {
    for (const FlowRecord& record : records) {
      services_.try_emplace(destination_of(record.key));
      backends_.try_emplace(record.backend.value);
    }
    for (const auto& service : model.services)
      for (const Endpoint& endpoint : service.endpoints)
        if (const auto found = services_.find(endpoint); found != services_.end())
          found->second = service.name;
    for (const auto& [who, slot] : slots.backends)
      if (const auto found = backends_.find(slot.value); found != backends_.end())
        found->second = {who.first, who.second.text()};
  }

  // REQUIRES: it is one of the records.
  [[nodiscard]] observe::FlowStatus status(const FlowRecord& record, const LaneName& from) const {
    const Endpoint destination = destination_of(record.key);
    const auto& [pool, backend] = backends_.at(record.backend.value);
    return {.protocol = std::string(guideway::name(destination.protocol)),
            .client = socket_text(record.key.source_address, record.key.source_port),
            .destination = socket_text(record.key.destination_address, record.key.destination_port),
            .service = services_.at(destination),
            .backend = backend,
            .pool = pool,
            .state = std::string(flow::name(record.state)),
            .idle_seconds = record.age,
            .interface = from.interface,
            .queue = from.queue};
  }

 private:
  std::map<Endpoint, std::string> services_;
  std::map<std::uint32_t, std::pair<std::string, std::string>> backends_;  // pool, address
};

FlowsPage no_such_service(const control::Model& model) {
  FlowsPage page{.kind = FlowsPage::Kind::no_such_service};
  std::set<std::string> names;
  for (const auto& service : model.services) names.insert(service.name);
  page.known.assign(names.begin(), names.end());
  return page;
}

FlowsPage no_such_backend(const control::Model& model) {
  FlowsPage page{.kind = FlowsPage::Kind::no_such_backend};
  for (const Ipv4Address address : model.backend_addresses()) page.known.push_back(address.text());
  return page;
}

// What workers are to look for, or the page that says why nothing can be.
std::expected<dataplane::FlowFilter, FlowsPage> filter_of(const control::Model& model,
                                                          const control::Slots& slots,
                                                          const observe::FlowsWanted& wanted) {
  dataplane::FlowFilter filter;
  if (!wanted.service.empty()) {
    filter.services = endpoints_of(model, wanted.service);
    if (filter.services.empty()) return std::unexpected(no_such_service(model));
  }
  if (wanted.backend) {
    filter.backends = slots_of(slots, *wanted.backend);
    if (filter.backends.empty()) return std::unexpected(no_such_backend(model));
  }
  if (wanted.client) {
    filter.client = wanted.client->address;
    filter.client_bits = wanted.client->bits;
  }
  return filter;
}

std::unexpected<Error> hangs(const LaneName& worker) {
  return fail("listing flows: the worker of " + worker.text() + " does not answer within " +
                  std::to_string(kInquiryPatience.count()) + " ms",
              "its turns in GET /v1/interfaces say whether it hangs; if so, start guidewayd anew");
}

}  // namespace

asio::awaitable<Result<FlowsPage>> Daemon::flows(observe::FlowsWanted wanted) {
  if (!plane_.begun()) co_return fail("listing flows: guidewayd is starting", "ask again");
  auto filter = filter_of(*in_force_.model, *in_force_.slots, wanted);
  if (!filter) co_return std::move(filter.error());
  FlowsPage page;
  FlowsPlace place = wanted.after.value_or(FlowsPlace());
  std::size_t buckets_left = kBucketsOfPage;
  while (const auto lane = lane_from(plane_, place)) {
    place = beginning(*lane, place);
    if (buckets_left == 0 || page.flows.size() >= wanted.limit) {
      page.next = place;
      break;
    }
    dataplane::FlowSurvey survey{.filter = *filter,
                                 .next_bucket = place.bucket,
                                 .limit = wanted.limit - page.flows.size(),
                                 .most_buckets = std::min(buckets_left, kBucketsOfSurvey)};
    std::vector<Question> questions;
    questions.push_back({.to = *lane, .about = std::move(survey)});
    const auto replies = co_await ask_workers(plane_, std::move(questions));
    const Reply& reply = replies.front();
    if (reply.kind == Reply::Kind::hangs) co_return hangs(*lane);
    if (reply.kind == Reply::Kind::gone) continue;  // with the one behind it

    const dataplane::FlowSurvey& answer = reply.inquiry->survey();
    const Owners owners(*in_force_.model, *in_force_.slots, answer.found);
    for (const FlowRecord& record : answer.found)
      page.flows.push_back(owners.status(record, *lane));
    buckets_left -= answer.next_bucket - place.bucket;
    place.bucket = answer.next_bucket;
    if (answer.complete) place = behind(*lane);
  }
  co_return page;
}

}  // namespace guideway::app
