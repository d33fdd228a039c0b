#include "observe/explain.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <utility>

#include "core/utf8.h"
#include "net/frame_writer.h"
#include "net/packet_text.h"
#include "observe/http_routes.h"

namespace guideway::observe {
namespace {

namespace json = boost::json;

constexpr auto kParameters =
    std::to_array<std::string_view>({"flow", "flags", "size", "packet", "interface"});
constexpr const char* kRight =
    "the query must have flow=FLOW (and may have flags= and size=) or packet=HEX, and may have "
    "interface=NAME";

using Parameters = std::map<std::string, std::string, std::less<>>;

// "name=value" with '+' for a blank, as forms and curl write it.
Result<> add_parameter(Parameters& to, std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  if (std::ranges::find(kParameters, name) == kParameters.end())
    return fail("there is no parameter " + valid_utf8(name), kRight);
  if (equals == std::string_view::npos)
    return fail("the parameter " + std::string(name) + " has no value", kRight);
  std::string value(text.substr(equals + 1));
  std::ranges::replace(value, '+', ' ');
  auto decoded = percent_decoded(value);
  if (!decoded) {
    return fail("the parameter " + std::string(name) +
                " has a % that is not followed by two hexadecimal digits");
  }
  if (!to.emplace(name, std::move(*decoded)).second)
    return fail("the parameter " + std::string(name) + " is there twice");
  return {};
}

Result<Parameters> parameters_of(std::string_view query) {
  Parameters all;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    if (auto added = add_parameter(all, query.substr(0, end)); !added)
      return std::unexpected(std::move(added).error());
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return all;
}

const std::string* find(const Parameters& in, std::string_view name) {
  const auto found = in.find(name);
  return found == in.end() ? nullptr : &found->second;
}

Result<std::vector<std::byte>> frame_of_flow(const Parameters& parameters) {
  const auto flow = parse_flow(*find(parameters, "flow"));
  if (!flow) return std::unexpected(flow.error());
  FrameToWrite wanted{.flow = *flow};
  if (const std::string* text = find(parameters, "flags")) {
    if (flow->protocol != kProtocolTcp) return fail("only a flow of tcp has flags");
    const auto flags = parse_tcp_flags(*text);
    if (!flags) return std::unexpected(flags.error());
    wanted.tcp_flags = *flags;
  }
  if (const std::string* text = find(parameters, "size")) {
    const auto bytes = parse_ip_bytes(*text, flow->protocol);
    if (!bytes) return std::unexpected(bytes.error());
    wanted.ip_bytes = *bytes;
  }
  return write_frame(wanted);
}

Result<std::vector<std::byte>> frame_of(const Parameters& parameters) {
  const std::string* packet = find(parameters, "packet");
  const bool flow = find(parameters, "flow") != nullptr;
  if (flow == (packet != nullptr)) return fail(kRight);
  if (flow) return frame_of_flow(parameters);
  if (find(parameters, "flags") != nullptr || find(parameters, "size") != nullptr)
    return fail("flags and size are for a flow; a packet has its own");
  return parse_packet(*packet);
}

std::string hash_text(std::uint64_t hash) {
  std::string text(16, '0');
  for (std::size_t i = text.size(); i-- > 0; hash >>= 4) text[i] = "0123456789abcdef"[hash & 15];
  return text;
}

json::array steering(const std::vector<SteeringAnswer>& all) {
  json::array out;
  for (const SteeringAnswer& one : all)
    out.push_back(json::object{{"interface", one.interface},
                               {"attached", one.attached},
                               {"verdict", one.verdict},
                               {"queues", one.queues},
                               {"unserved_queues", one.unserved_queues}});
  return out;
}

json::array entries(const std::vector<PacketAnswer::Entry>& all) {
  json::array out;
  for (const PacketAnswer::Entry& one : all)
    out.push_back(json::object{{"interface", one.interface},
                               {"queue", one.queue},
                               {"state", one.state},
                               {"backend", one.backend},
                               {"idle_seconds", one.idle_seconds},
                               {"expires_in_seconds", one.expires_in_seconds},
                               {"keeps", one.keeps}});
  return out;
}

json::array elsewhere(const std::vector<PacketAnswer::Elsewhere>& all) {
  json::array out;
  for (const PacketAnswer::Elsewhere& one : all)
    out.push_back(json::object{{"interface", one.interface}, {"reason", one.reason}});
  return out;
}

json::array lines(const std::vector<std::string>& all) {
  json::array out;
  for (const std::string& one : all) out.emplace_back(one);
  return out;
}

json::object parsed(const PacketAnswer::Parsed& packet) {
  json::object out{{"flow", packet.flow}};
  if (!packet.tcp_flags.empty()) out["tcp_flags"] = packet.tcp_flags;
  out["ip_bytes"] = packet.ip_bytes;
  return out;
}

json::object service(const PacketAnswer::Service& service) {
  return {{"name", service.name},
          {"vip", service.vip},
          {"protocol", service.protocol},
          {"port", service.port},
          {"pool", service.pool}};
}

json::object route(const RouteOfService& route) {
  json::object out = to_json_object(route.route);
  out["role"] = route.role;
  out["contact"] = route.contact;
  out["sessions"] = route.sessions;
  out["established"] = route.established;
  return out;
}

json::object size(const PacketAnswer::Size& size) {
  json::object out{{"ip_bytes", size.ip_bytes}, {"outer_ip_bytes", size.outer_ip_bytes}};
  if (size.egress_mtu == 0) return out;
  out["egress_mtu"] = size.egress_mtu;
  out["largest_ip_bytes"] = size.largest_ip_bytes;
  out["fits"] = size.outer_ip_bytes <= size.egress_mtu;
  return out;
}

// From the worker on: nothing, where the packet reaches none.
void add_worker_part(json::object& out, const PacketAnswer& answer) {
  if (answer.queue) out["queue"] = *answer.queue;
  if (answer.service) out["service"] = service(*answer.service);
  if (answer.route) out["route"] = route(*answer.route);
  if (answer.hash) out["hash"] = hash_text(*answer.hash);
  if (answer.table)
    out["table"] = json::object{{"size", answer.table->size},
                                {"slot", answer.table->slot},
                                {"backend", answer.table->backend}};
  if (answer.hash) out["entries"] = entries(answer.entries);
  if (!answer.choice.empty()) out["choice"] = answer.choice;
  if (answer.backend) {
    json::object backend{{"pool", answer.pool}};
    for (const auto& [key, value] : backend_to_json(*answer.backend)) backend[key] = value;
    out["backend"] = std::move(backend);
  }
  if (answer.size) out["size"] = size(*answer.size);
  if (answer.if_down) out["if_down"] = json::object{{"backend", *answer.if_down}};
  if (!answer.elsewhere.empty()) out["elsewhere"] = elsewhere(answer.elsewhere);
  if (!answer.hanging.empty()) out["hanging"] = lines(answer.hanging);
}

}  // namespace

Result<PacketQuestion> packet_question(std::string_view query) {
  const auto parameters = parameters_of(query);
  if (!parameters) return std::unexpected(parameters.error());
  auto frame = frame_of(*parameters);
  if (!frame) return std::unexpected(std::move(frame).error());
  PacketQuestion question{.frame = std::move(*frame)};
  if (const std::string* interface = find(*parameters, "interface")) {
    if (interface->empty()) return fail("interface= must have the name of one behind it");
    question.interface = *interface;
  }
  return question;
}

std::string to_json(const PacketAnswer& answer) {
  using Verdict = PacketAnswer::Verdict;
  json::object out{{"frame_bytes", answer.frame_bytes}};
  if (answer.packet) out["packet"] = parsed(*answer.packet);
  out["steering"] = steering(answer.steering);
  out["generation"] = answer.generation;
  out["interface"] = answer.interface;
  add_worker_part(out, answer);
  out["verdict"] = answer.verdict == Verdict::forwarded ? "forwarded"
                   : answer.verdict == Verdict::dropped ? "dropped"
                                                        : "passed";
  if (answer.reason != nullptr) {
    out["reason"] = answer.reason->name;
    out["meaning"] = answer.reason->meaning;
    if (!answer.reason->remedy.empty()) out["remedy"] = answer.reason->remedy;
  }
  return json::serialize(out);
}

}  // namespace guideway::observe
