#include "control/model.h"

#include <xxhash.h>

#include <algorithm>
#include <variant>

namespace guideway::control {
namespace {

// Length and text, so that no two lists of texts are written alike.
std::string quoted(const std::string& text) { return std::to_string(text.size()) + ":" + text; }

std::string details(const probe::TcpQuestion&) { return {}; }
// Without ca_file: where a host keeps its certificates is its own affair.
std::string details(const probe::HttpQuestion& http) {
  std::string text = quoted(http.method) + quoted(http.path) + quoted(http.host) +
                     quoted(http.body) + quoted(http.server_name) + (http.verify ? " verify" : "");
  for (const probe::StatusRange& range : http.expected)
    text += " " + std::to_string(range.first) + "-" + std::to_string(range.last);
  return text;
}
std::string details(const probe::UdpQuestion& udp) {
  return quoted(udp.payload) + quoted(udp.expected);
}
std::string details(const probe::DnsQuestion& dns) {
  return quoted(dns.name) + std::to_string(dns.type) + " rcode " + std::to_string(dns.rcode);
}
std::string details(const probe::ExecQuestion& exec) {
  std::string text;
  for (const std::string& word : exec.command) text += quoted(word);
  return text;
}

// All that decides how a check judges, and when.
std::string line(const CheckConfig& check) {
  const probe::Question& question = check.question;
  return " check " + quoted(question.text()) +
         std::visit([](const auto& kind) { return details(kind); }, question.kind) + " timeout " +
         std::to_string(question.timeout.count()) + " interval " +
         std::to_string(check.interval.count()) + " rise " + std::to_string(check.rise) + " fall " +
         std::to_string(check.fall);
}

}  // namespace

gw_hash_seed Model::hash_seed() const {
  // The two halves are numbers, the same on every host; part of what a fleet agrees on.
  const XXH128_hash_t hash = XXH3_128bits(node.fleet_seed.data(), node.fleet_seed.size());
  return {hash.low64, hash.high64};
}

std::uint64_t Model::fleet_digest() const {
  constexpr std::uint64_t kDigestMask = (std::uint64_t{1} << 48) - 1;
  // Lines in an order of their own, no two models having the same ones.
  std::vector<std::string> lines;
  lines.push_back("seed " + quoted(node.fleet_seed));
  for (const PoolConfig& pool : pools) {
    const std::string name = "pool " + quoted(pool.name);
    lines.push_back(name + " size " + std::to_string(pool.table_size) + " on_empty " +
                    std::to_string(static_cast<int>(pool.on_empty)) + " slow_start " +
                    std::to_string(pool.slow_start.count()));
    for (const BackendConfig& backend : pool.backends)
      lines.push_back(name + " backend " + backend.address.text() + " weight " +
                      std::to_string(backend.weight) + (backend.drain ? " drain" : ""));
    for (const CheckConfig& check : pool.checks) lines.push_back(name + line(check));
  }
  for (const ServiceConfig& service : services)
    for (const Endpoint& endpoint : service.endpoints)
      lines.push_back("service " + endpoint.text() + " pool " + quoted(pools[service.pool].name));
  std::ranges::sort(lines);
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return XXH3_64bits(all.data(), all.size()) & kDigestMask;
}

std::vector<Endpoint> Model::endpoints() const {
  std::vector<Endpoint> all;
  for (const ServiceConfig& service : services)
    all.insert(all.end(), service.endpoints.begin(), service.endpoints.end());
  return all;
}

std::vector<Ipv4Address> Model::backend_addresses() const {
  std::vector<Ipv4Address> all;
  for (const PoolConfig& pool : pools)
    for (const BackendConfig& backend : pool.backends) all.push_back(backend.address);
  std::ranges::sort(all);
  const auto repeated = std::ranges::unique(all);
  all.erase(repeated.begin(), repeated.end());
  return all;
}

}  // namespace guideway::control
