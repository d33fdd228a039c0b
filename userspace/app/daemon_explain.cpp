// What would become of a packet: asked of the VIP maps in the kernel and of the workers that it can
// reach, and put into names by what is in force (observe/explain.h has the answer).
#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>

#include "app/beside.h"
#include "app/daemon.h"
#include "app/inquiries.h"
#include "net/encapsulation.h"
#include "net/packet.h"
#include "net/packet_text.h"
#include "observe/reasons.h"

namespace guideway::app {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using dataplane::Choice;
using dataplane::Explanation;
using observe::PacketAnswer;
using observe::PacketQuestion;

// More than one is needed where a snapshot is published just then.
constexpr int kTries = 3;

constexpr auto kChoiceNames =
    std::to_array<std::string_view>({"", "kept", "chosen", "moved", "reopened"});
static_assert(kChoiceNames.size() == static_cast<std::size_t>(Choice::reopened) + 1);

// What the steering program of one interface makes of the packet.
struct Steered {
  std::string interface;
  bool attached;
  gw_verdict verdict;
  std::uint32_t queues, unserved_queues;

  [[nodiscard]] bool to_worker() const { return attached && verdict == GW_VERDICT_redirected; }
};

std::chrono::seconds timeout_of(const control::FlowTableConfig& table, flow::Class state) {
  switch (state) {
    case flow::Class::empty: break;
    case flow::Class::opening: return table.opening;
    case flow::Class::established: return table.established;
    case flow::Class::closing: return table.closing;
    case flow::Class::udp: return table.udp;
  }
  return {};
}

std::unexpected<Error> no_such_interface(const DataPlane& plane, const std::string& name) {
  std::string all;
  for (const auto& unit : plane.units()) all += (all.empty() ? "" : ", ") + unit->port->nic().name;
  return std::unexpected(Error{"no interface in service is called " + name,
                               all.empty() ? "there is none" : "there are: " + all, ENODEV});
}

// As they are now: somebody may have changed their number since the interface was opened.
std::uint32_t queues_of(const xdp::Nic& opened) {
  const auto nic = xdp::find_nic(opened.name);
  return nic ? nic->receive_queues : opened.receive_queues;
}

// How many of the first `queues` have a worker.
std::uint32_t served_of(const Unit& unit, std::uint32_t queues) {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      unit.lanes, [&](const Lane& lane) { return lane.socket->queue() < queues; }));
}

Result<std::vector<Steered>> steered_by(const DataPlane& plane, const PacketQuestion& question) {
  std::vector<Steered> all;
  for (const auto& unit : plane.units()) {
    const std::string& name = unit->port->nic().name;
    if (!question.interface.empty() && question.interface != name &&
        question.interface != unit->config.name)
      continue;
    const auto verdict = unit->port->steering().verdict_of(question.frame);
    if (!verdict) return std::unexpected(Error(verdict.error()).within("interface " + name));
    const std::uint32_t queues = queues_of(unit->port->nic());
    all.push_back({.interface = name,
                   .attached = unit->port->steering().holds(),
                   .verdict = *verdict,
                   .queues = queues,
                   .unserved_queues = queues - served_of(*unit, queues)});
  }
  if (all.empty() && !question.interface.empty())
    return no_such_interface(plane, question.interface);
  if (all.empty()) return fail("no interface is in service", "see the log of guidewayd");
  return all;
}

// To each worker that the packet can come to.
std::vector<Question> questions_for(const DataPlane& plane,
                                    const std::vector<std::string>& interfaces,
                                    const std::vector<std::byte>& frame) {
  std::vector<Question> questions;
  for (const LaneName& lane : lane_names(plane)) {
    if (std::ranges::find(interfaces, lane.interface) == interfaces.end()) continue;
    questions.push_back(
        {.to = lane, .about = dataplane::PacketInquiry{.frame = frame, .explanation = {}}});
  }
  return questions;
}

bool answered(const Reply& reply) { return reply.kind == Reply::Kind::answered; }
const Explanation& told_by(const Reply& reply) { return reply.inquiry->packet().explanation; }

bool all_of_generation(const std::vector<Reply>& replies, std::uint64_t generation) {
  return std::ranges::all_of(replies, [&](const Reply& reply) {
    return !answered(reply) || told_by(reply).generation == generation;
  });
}

// The one that is shown: of the worker that has seen the flow last, else the first by which the
// backend is reached, else the first. nullptr: nobody has answered.
const Reply* shown_of(const std::vector<Reply>& replies) {
  const Reply* seen_last = nullptr;
  const Reply* reaches = nullptr;
  const Reply* first = nullptr;
  for (const Reply& reply : replies) {
    if (!answered(reply)) continue;
    const Explanation& told = told_by(reply);
    if (told.entry && (seen_last == nullptr || told.entry->age < told_by(*seen_last).entry->age))
      seen_last = &reply;
    if (reaches == nullptr && told.drop != DropReason::no_next_hop) reaches = &reply;
    if (first == nullptr) first = &reply;
  }
  if (seen_last != nullptr) return seen_last;
  return reaches != nullptr ? reaches : first;
}

std::unexpected<Error> nobody_answers(const std::vector<Reply>& replies) {
  std::string hanging;
  for (const Reply& reply : replies)
    if (reply.kind == Reply::Kind::hangs)
      hanging += (hanging.empty() ? "" : ", ") + reply.from.text();
  if (hanging.empty())
    return fail("the interfaces that the packet can come in by are being taken out of service",
                "ask again");
  return fail("no worker that the packet can come to answers within " +
                  std::to_string(kInquiryPatience.count()) + " ms: " + hanging,
              "they hang, or have no CPU to run on: see the log of guidewayd, and top -H");
}

std::optional<PacketAnswer::Parsed> parsed(std::span<const std::byte> frame) {
  Packet packet;
  if (parse_frame(frame, packet) != DropReason::none) return std::nullopt;
  const bool is_tcp = packet.flow.protocol == kProtocolTcp;
  return PacketAnswer::Parsed{.flow = flow_text(packet.flow),
                              .tcp_flags = is_tcp ? tcp_flags_text(packet.tcp_flags) : "",
                              .ip_bytes = packet.ip_bytes};
}

// The packet reaches no worker: the first interface that has its program says what becomes of it.
void tell_steering(const std::vector<Steered>& steered, PacketAnswer& answer) {
  const auto found = std::ranges::find(steered, true, &Steered::attached);
  const Steered& shown = found == steered.end() ? steered.front() : *found;
  answer.interface = shown.interface;
  const bool passed = !shown.attached || observe::passes(shown.verdict);
  answer.verdict = passed ? PacketAnswer::Verdict::passed : PacketAnswer::Verdict::dropped;
  answer.reason =
      shown.attached ? &observe::reason_text(shown.verdict) : &observe::not_attached_text();
}

// As far as the steering programs tell; without a reason: the packet is for a worker to judge.
Result<PacketAnswer> begin_answer(const DataPlane& plane, const PacketQuestion& question) {
  const auto steered = steered_by(plane, question);
  if (!steered) return std::unexpected(steered.error());
  PacketAnswer answer;
  answer.frame_bytes = static_cast<std::uint32_t>(question.frame.size());
  answer.packet = parsed(question.frame);
  answer.generation = plane.publication().current().generation;
  for (const Steered& one : *steered)
    answer.steering.push_back({.interface = one.interface,
                               .attached = one.attached,
                               .verdict = std::string(xdp::kVerdictNames[one.verdict]),
                               .queues = one.queues,
                               .unserved_queues = one.unserved_queues});
  if (std::ranges::none_of(*steered, &Steered::to_worker)) tell_steering(*steered, answer);
  return answer;
}

// The interfaces by which the packet comes to a worker.
std::vector<std::string> steered_to_workers(const PacketAnswer& answer) {
  std::vector<std::string> interfaces;
  for (const observe::SteeringAnswer& one : answer.steering)
    if (one.attached && one.verdict == xdp::kVerdictNames[GW_VERDICT_redirected])
      interfaces.push_back(one.interface);
  return interfaces;
}

// All workers of an interface say the same of a packet, but for what they remember of its flow.
std::vector<PacketAnswer::Elsewhere> elsewhere_of(const std::vector<Reply>& replies,
                                                  const std::string& shown) {
  std::vector<PacketAnswer::Elsewhere> all;
  for (const Reply& reply : replies) {
    if (!answered(reply) || reply.from.interface == shown) continue;
    if (!all.empty() && all.back().interface == reply.from.interface) continue;
    if (const DropReason drop = told_by(reply).drop; drop != DropReason::none)
      all.push_back({.interface = reply.from.interface,
                     .reason = std::string(kDropReasonNames[static_cast<std::size_t>(drop)])});
  }
  return all;
}

PacketAnswer::Size size_of(const Explanation& told) {
  const std::uint32_t mtu = told.egress_mtu;
  return {.ip_bytes = told.packet.ip_bytes,
          .outer_ip_bytes = told.outer_ip_bytes,
          .egress_mtu = mtu,
          .largest_ip_bytes = mtu > kOuterIpBytes ? mtu - kOuterIpBytes : 0};
}

}  // namespace

asio::awaitable<Result<PacketAnswer>> Daemon::explain(PacketQuestion question) {
  if (!steering_) co_return fail("guidewayd is starting", "ask again");
  auto answer = begin_answer(plane_, question);
  if (!answer || answer->reason != nullptr) co_return answer;
  auto interfaces = steered_to_workers(*answer);
  const auto replies = co_await ask_reachable(std::move(interfaces), std::move(question.frame));
  const Reply* shown = shown_of(replies);
  if (shown == nullptr) co_return nobody_answers(replies);
  name_choice(*shown, *answer);
  name_entries(replies, *answer);
  answer->elsewhere = elsewhere_of(replies, shown->from.interface);
  answer->if_down = co_await backend_if_down(told_by(*shown));
  co_return answer;
}

// Of one generation, if at all possible: that which is in force, so that names can be put to it.
asio::awaitable<std::vector<Reply>> Daemon::ask_reachable(std::vector<std::string> interfaces,
                                                          std::vector<std::byte> frame) {
  std::vector<Reply> replies;
  for (int tries = 0; tries < kTries; ++tries) {
    auto questions = questions_for(plane_, interfaces, frame);
    replies = co_await ask_workers(plane_, std::move(questions));
    if (all_of_generation(replies, plane_.publication().current().generation)) break;
  }
  co_return replies;
}

// Whose slot it is in what is in force; also one that has left, as flow tables remember it.
std::optional<std::pair<std::string, Ipv4Address>> Daemon::owner_of(BackendSlot slot) const {
  for (const auto& [owner, owned] : in_force_.slots->backends)
    if (owned == slot) return owner;
  return std::nullopt;
}

// Where it is in the model; nullopt: not there (any more).
std::optional<std::pair<std::size_t, std::size_t>> Daemon::place_of(BackendSlot slot) const {
  const auto owner = owner_of(slot);
  if (!owner) return std::nullopt;
  const auto& pools = in_force_.model->pools;
  const auto pool = std::ranges::find(pools, owner->first, &control::PoolConfig::name);
  if (pool == pools.end()) return std::nullopt;
  const auto backend =
      std::ranges::find(pool->backends, owner->second, &control::BackendConfig::address);
  if (backend == pool->backends.end()) return std::nullopt;
  return std::pair{static_cast<std::size_t>(pool - pools.begin()),
                   static_cast<std::size_t>(backend - pool->backends.begin())};
}

PacketAnswer::Entry Daemon::entry_of(const Explanation::Entry& entry) const {
  const auto owner = owner_of(entry.backend);
  const std::chrono::seconds idle(entry.age);
  // An entry lives through the whole second of its time-out (flow::Table::expired).
  const auto left = timeout_of(in_force_.model->flow_table, entry.state) - idle;
  return {.interface = {},
          .state = std::string(flow::name(entry.state)),
          .backend = owner ? owner->second.text() : "",
          .idle_seconds = static_cast<std::uint64_t>(idle.count()),
          .expires_in_seconds = static_cast<std::uint64_t>(std::max(left.count(), 0L)),
          .keeps = entry.keeps};
}

void Daemon::name_entries(const std::vector<Reply>& replies, PacketAnswer& answer) const {
  for (const Reply& reply : replies) {
    if (reply.kind == Reply::Kind::hangs) answer.hanging.push_back(reply.from.text());
    if (!answered(reply) || !told_by(reply).entry) continue;
    answer.entries.push_back(entry_of(*told_by(reply).entry));
    answer.entries.back().interface = reply.from.interface;
    answer.entries.back().queue = reply.from.queue;
  }
}

void Daemon::name_choice(const Reply& reply, PacketAnswer& answer) const {
  const Explanation& told = told_by(reply);
  answer.interface = reply.from.interface;
  answer.queue = reply.from.queue;
  answer.generation = told.generation;
  if (told.drop != DropReason::none) {
    answer.verdict = PacketAnswer::Verdict::dropped;
    answer.reason = &observe::reason_text(told.drop);
  }
  if (!told.service) return;
  const control::Model& model = *in_force_.model;
  const Endpoint endpoint = destination_of(told.packet.flow);
  for (const auto& service : model.services) {
    if (std::ranges::find(service.endpoints, endpoint) == service.endpoints.end()) continue;
    answer.service = {.name = service.name,
                      .vip = endpoint.address.text(),
                      .protocol = std::string(name(endpoint.protocol)),
                      .port = endpoint.port,
                      .pool = model.pools[service.pool].name};
  }
  answer.hash = told.hash;
  if (told.table_backend) {
    const auto owner = owner_of(*told.table_backend);
    answer.table = {.size = told.table_size,
                    .slot = told.table_slot,
                    .backend = owner ? owner->second.text() : ""};
  }
  answer.choice = kChoiceNames[static_cast<std::size_t>(told.choice)];
  if (!told.backend) return;
  answer.size = size_of(told);
  const auto place = place_of(*told.backend);
  if (!place) return;
  answer.pool = model.pools[place->first].name;
  answer.backend = backend_status(place->first, place->second);
}

// Who would get the flow if the backend that has it went down: by the table that its pool has then.
asio::awaitable<std::optional<std::string>> Daemon::backend_if_down(Explanation told) {
  const auto place = told.backend ? place_of(*told.backend) : std::nullopt;
  if (!place) co_return std::nullopt;
  const ModelPointer model = in_force_.model;
  const auto& pool = model->pools[place->first];
  const Ipv4Address backend = pool.backends[place->second].address;
  auto standing = health_->health().standing(pool, Clock::now(), backend);
  // With on_empty: all, the last one is used even though it is down.
  if (standing.backends[place->second].usable && told.choice == Choice::kept)
    co_return backend.text();
  auto build = [this, model, number = place->first, then = std::move(standing)] {
    foretold_ = control::build_pool_table(model->pools[number], then, foretold_);
    return foretold_;
  };
  const auto built = co_await beside(foretelling_, std::move(build));
  if (built->table->empty()) co_return "";
  const std::uint32_t slot = gw_table_slot(told.hash, built->table->size());
  co_return built->members[built->table->member_at(slot)].first.text();
}

}  // namespace guideway::app
