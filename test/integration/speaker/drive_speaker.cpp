// Has a gobgpd as its standard input says, once, by the daemon's own client of it, and prints what
// was done, a line each. For tests of what a router gets to hear.
//
//   drive_speaker [--sessions]       prints the sessions instead, as JSON
//
//   {"api": "unix:/run/..", "asn": 64512, "router_id": "10.77.1.2", "listen_port": 179,
//    "graceful_restart": 10,
//    "peers": [{"address": "10.77.1.1", "asn": 64500, "password": "secret", "hold_time": 9}],
//    "routes": [{"prefix": "198.51.100.1/32", "med": 50, "local_preference": 200, "prepend": 3,
//                "next_hop": "10.77.1.9", "communities": ["64512:100"],
//                "large_communities": ["64512:1:2"]}]}
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>

#include "gobgp/speaker.h"

namespace {

namespace json = boost::json;
using namespace guideway;

template <class T>
T get(const json::object& from, const char* key, T otherwise) {
  const json::value* const value = from.if_contains(key);
  return value == nullptr ? otherwise : json::value_to<T>(*value);
}

bgp::IpAddress address(const json::value& text) {
  return boost::asio::ip::make_address(json::value_to<std::string>(text));
}

bgp::Peer peer(const json::object& from) {
  bgp::Peer peer;
  peer.address = address(from.at("address"));
  peer.asn = json::value_to<std::uint32_t>(from.at("asn"));
  peer.password = get<std::string>(from, "password", "");
  peer.hold_time = std::chrono::seconds(get(from, "hold_time", 9));
  return peer;
}

bgp::Route route(const json::object& from) {
  bgp::Route route;
  route.prefix = bgp::Prefix::parse(json::value_to<std::string>(from.at("prefix"))).value();
  bgp::Attributes& attributes = route.attributes;
  if (from.contains("med")) attributes.med = get(from, "med", 0U);
  if (from.contains("local_preference"))
    attributes.local_preference = get(from, "local_preference", 0U);
  if (from.contains("next_hop")) attributes.next_hop = address(from.at("next_hop"));
  attributes.prepend = get<std::uint8_t>(from, "prepend", 0);
  for (const json::value& one : get(from, "communities", json::array()))
    attributes.communities.push_back(
        bgp::Community::parse(json::value_to<std::string>(one)).value());
  for (const json::value& one : get(from, "large_communities", json::array()))
    attributes.large_communities.push_back(
        bgp::LargeCommunity::parse(json::value_to<std::string>(one)).value());
  std::ranges::sort(attributes.communities);
  std::ranges::sort(attributes.large_communities);
  return route;
}

bgp::Wanted wanted(const json::object& from) {
  bgp::Wanted wanted;
  wanted.config.api = json::value_to<std::string>(from.at("api"));
  wanted.config.asn = json::value_to<std::uint32_t>(from.at("asn"));
  wanted.config.router_id = json::value_to<std::string>(from.at("router_id"));
  wanted.config.listen_port = get<std::uint16_t>(from, "listen_port", 179);
  wanted.config.graceful_restart = std::chrono::seconds(get(from, "graceful_restart", 10));
  for (const json::value& one : from.at("peers").as_array())
    wanted.config.peers.push_back(peer(one.as_object()));
  for (const json::value& one : from.at("routes").as_array())
    wanted.routes.push_back(route(one.as_object()));
  std::ranges::sort(wanted.routes, {}, &bgp::Route::prefix);
  for (const bgp::Route& one : wanted.routes) wanted.own.insert(one.prefix);
  return wanted;
}

void print_sessions(const bgp::Report& report) {
  json::array all;
  for (const bgp::Session& session : report.sessions)
    all.push_back({{"peer", session.peer},
                   {"asn", session.asn},
                   {"state", session.state},
                   {"state_for_s", session.state_for.count()},
                   {"hold_time_s", session.hold_time.count()},
                   {"graceful_restart", session.graceful_restart},
                   {"updates_sent", session.updates_sent}});
  std::puts(json::serialize(all).c_str());
}

int drive(const std::string& text, bool sessions) {
  const auto report = gobgp::make_speaker()->reconcile(wanted(json::parse(text).as_object()));
  if (!report) {
    std::fprintf(stderr, "%s\n", report.error().text().c_str());
    return 1;
  }
  if (sessions) {
    print_sessions(*report);
  } else {
    for (const std::string& line : report->done) std::puts(line.c_str());
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    const bool sessions = count > 1 && std::string(words[1]) == "--sessions";
    return drive({std::istreambuf_iterator<char>(std::cin), {}}, sessions);
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "drive_speaker: %s\n", thrown.what());
    return 2;
  }
}
