#include "control/changes.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

namespace guideway::control {
namespace {

std::string seconds(std::chrono::seconds time) { return std::to_string(time.count()) + " s"; }

// Lines, up to the limit; those behind it only counted.
class Lines {
 public:
  void add(std::string line) {
    if (lines_.size() < kMaxChangeLines)
      lines_.push_back(std::move(line));
    else
      ++uncounted_;
  }
  // "what: before -> after", if they differ.
  void compare(const std::string& what, const std::string& before, const std::string& after) {
    if (before != after) add(what + ": " + before + " -> " + after);
  }
  std::vector<std::string> take() {
    if (uncounted_ > 0) lines_.push_back("and " + std::to_string(uncounted_) + " more changes");
    return std::move(lines_);
  }

 private:
  std::vector<std::string> lines_;
  std::size_t uncounted_ = 0;
};

// Calls for what is in one list, the other, or both, in the order of `key`.
template <class T, class Key, class Gone, class Come, class Both>
void match(const std::vector<T>& before, const std::vector<T>& after, Key key, const Gone& gone,
           const Come& come, const Both& both) {
  using Value = std::decay_t<decltype(std::invoke(key, before.front()))>;
  std::map<Value, std::pair<const T*, const T*>> all;
  for (const T& one : before) all[std::invoke(key, one)].first = &one;
  for (const T& one : after) all[std::invoke(key, one)].second = &one;
  for (const auto& [value, pair] : all) {
    if (pair.second == nullptr)
      gone(*pair.first);
    else if (pair.first == nullptr)
      come(*pair.second);
    else
      both(*pair.first, *pair.second);
  }
}

std::string text(const CheckConfig& check) {
  return check.question.text() + " every " + std::to_string(check.interval.count()) +
         " ms, time-out " + std::to_string(check.question.timeout.count()) + " ms, rise " +
         std::to_string(check.rise) + ", fall " + std::to_string(check.fall);
}

bool same(const CheckConfig& a, const CheckConfig& b) {
  return a.question == b.question && a.interval == b.interval && a.rise == b.rise &&
         a.fall == b.fall;
}

std::string text(const BackendConfig& backend) {
  return "weight " + std::to_string(backend.weight) + (backend.drain ? ", drained" : "");
}

void compare_checks(const std::string& pool, const PoolConfig& before, const PoolConfig& after,
                    Lines& lines) {
  const auto missing = [&](const PoolConfig& from, const PoolConfig& in) {
    std::vector<std::string> texts;
    for (const CheckConfig& check : from.checks)
      if (std::ranges::none_of(in.checks, [&](const auto& other) { return same(check, other); }))
        texts.push_back(text(check));
    return texts;
  };
  const std::vector<std::string> added = missing(after, before);
  std::vector<std::string> removed = missing(before, after);
  for (const std::string& check : added) {
    // The text has not all of a question.
    const auto alike = std::ranges::find(removed, check);
    const bool both = alike != removed.end();
    if (both) removed.erase(alike);
    lines.add(pool + "check " + check + (both ? ": asks or expects something else" : " added"));
  }
  for (const std::string& check : removed) lines.add(pool + "check " + check + " removed");
}

void compare_pool(const PoolConfig& before, const PoolConfig& after, Lines& lines) {
  const std::string pool = "pool " + after.name + ": ";
  match(
      before.backends, after.backends, &BackendConfig::address,
      [&](const auto& gone) { lines.add(pool + "backend " + gone.address.text() + " removed"); },
      [&](const auto& come) {
        lines.add(pool + "backend " + come.address.text() + " added, " + text(come));
      },
      [&](const auto& old, const auto& now) {
        lines.compare(pool + "backend " + now.address.text(), text(old), text(now));
      });
  compare_checks(pool, before, after, lines);
  lines.compare(pool + "table_size", std::to_string(before.table_size),
                std::to_string(after.table_size));
  const auto word = [](OnEmpty on_empty) { return on_empty == OnEmpty::all ? "all" : "drop"; };
  lines.compare(pool + "on_empty", word(before.on_empty), word(after.on_empty));
  lines.compare(pool + "min_healthy", std::to_string(before.min_healthy),
                std::to_string(after.min_healthy));
  lines.compare(pool + "slow_start", seconds(before.slow_start), seconds(after.slow_start));
}

// One endpoint as an operator thinks of it: what it is called, and who serves it.
struct Served {
  Endpoint endpoint;
  std::string name, pool;
};

std::vector<Served> served(const Model& model) {
  std::vector<Served> all;
  for (const ServiceConfig& service : model.services)
    for (const Endpoint& endpoint : service.endpoints)
      all.push_back({endpoint, service.name, model.pools[service.pool].name});
  return all;
}

void compare_services(const Model& before, const Model& after, Lines& lines) {
  match(
      served(before), served(after), &Served::endpoint,
      [&](const Served& gone) { lines.add("service " + gone.endpoint.text() + " removed"); },
      [&](const Served& come) {
        lines.add("service " + come.endpoint.text() + " added, pool " + come.pool);
      },
      [&](const Served& old, const Served& now) {
        const std::string service = "service " + now.endpoint.text() + ": ";
        lines.compare(service + "pool", old.pool, now.pool);
        lines.compare(service + "name", old.name, now.name);
      });
}

std::string text(const Metrics& metrics) {
  return metrics.port == 0 ? "none" : metrics.address.text() + ":" + std::to_string(metrics.port);
}

std::string text(const bgp::DampingRule& rule) {
  const auto time = [](std::chrono::milliseconds value) {
    return value % std::chrono::seconds(1) == std::chrono::milliseconds(0)
               ? seconds(std::chrono::duration_cast<std::chrono::seconds>(value))
               : std::to_string(value.count()) + " ms";
  };
  return "first " + time(rule.first) + ", most " + time(rule.most) + ", window " +
         time(rule.window);
}

std::string text(const bgp::Attributes& attributes) {
  const std::string words = attributes.text();
  return words.empty() ? "none" : words;
}

// All but the address and the password.
std::string text(const bgp::Peer& peer) {
  std::string words = "AS " + std::to_string(peer.asn) + ", port " + std::to_string(peer.port) +
                      ", hold time " + seconds(peer.hold_time);
  if (peer.multihop) words += ", multihop " + std::to_string(*peer.multihop);
  if (peer.local_address) words += ", from " + peer.local_address->to_string();
  return words;
}

void compare_peers(const bgp::SpeakerConfig& before, const bgp::SpeakerConfig& after,
                   Lines& lines) {
  const auto called = [](const bgp::Peer& peer) { return "bgp: peer " + peer.address.to_string(); };
  match(
      before.peers, after.peers, &bgp::Peer::address,
      [&](const auto& gone) { lines.add(called(gone) + " removed"); },
      [&](const auto& come) { lines.add(called(come) + " added, " + text(come)); },
      [&](const auto& old, const auto& now) {
        lines.compare(called(now), text(old), text(now));
        if (old.password == now.password) return;
        const bool both = !old.password.empty() && !now.password.empty();
        lines.add(called(now) + ": password " +
                  (both ? "changed" : (now.password.empty() ? "removed" : "added")));
      });
}

void compare_speakers(const bgp::SpeakerConfig& before, const bgp::SpeakerConfig& after,
                      Lines& lines) {
  const auto mode = [](const bgp::SpeakerConfig& one) {
    return one.mode == bgp::Mode::managed ? "managed" : "external";
  };
  const auto asn = [](const bgp::SpeakerConfig& one) {
    return one.asn == 0 ? "gobgpd's" : std::to_string(one.asn);
  };
  lines.compare("bgp.mode", mode(before), mode(after));
  lines.compare("bgp.api", before.api, after.api);
  lines.compare("bgp.local_asn", asn(before), asn(after));
  // What else there is says nothing of an external one.
  if (before.mode == bgp::Mode::managed && after.mode == bgp::Mode::managed) {
    lines.compare("bgp.router_id", before.router_id, after.router_id);
    lines.compare("bgp.listen_port", std::to_string(before.listen_port),
                  std::to_string(after.listen_port));
    lines.compare("bgp.graceful_restart", seconds(before.graceful_restart),
                  seconds(after.graceful_restart));
  }
  // Those of a speaker that becomes external stay as they are: they are not the daemon's any more.
  if (after.mode == bgp::Mode::managed) compare_peers(before, after, lines);
}

void compare_policies(const bgp::Policy& before, const bgp::Policy& after, Lines& lines) {
  const auto role = [](const bgp::Policy& policy) { return std::string(bgp::name(policy.role)); };
  const auto need = [](const bgp::Policy& policy) {
    return policy.need == bgp::Need::all ? "all" : "any";
  };
  lines.compare("bgp.role", role(before), role(after));
  lines.compare("bgp.announce", need(before), need(after));
  match(
      before.prefixes, after.prefixes, std::identity(),
      [&](const auto& gone) { lines.add("bgp: prefix " + gone.text() + " removed"); },
      [&](const auto& come) { lines.add("bgp: prefix " + come.text() + " added"); },
      [](const auto&, const auto&) {});
  lines.compare("bgp: routes when active", text(before.active), text(after.active));
  lines.compare("bgp: routes when passive", text(before.passive), text(after.passive));
  lines.compare("bgp.damping", text(before.damping), text(after.damping));
}

void compare_bgp(const std::optional<BgpConfig>& before, const std::optional<BgpConfig>& after,
                 Lines& lines) {
  if (before && !after) lines.add("bgp removed: nothing is announced any more");
  if (!before && after)
    lines.add("bgp added: VIPs are announced, role " + std::string(bgp::name(after->policy.role)));
  if (!before || !after) return;
  compare_speakers(before->speaker, after->speaker, lines);
  compare_policies(before->policy, after->policy, lines);
}

}  // namespace

std::vector<std::string> keep_fixed(const Model& running, Model& wanted) {
  std::vector<std::string> kept;
  const auto keep = [&](auto& value, const auto& old, const std::string& what) {
    if (value == old) return;
    kept.push_back(what + " keeps its old value until guidewayd is started anew");
    value = old;
  };
  if (wanted.node.fleet_seed != running.node.fleet_seed) {
    kept.emplace_back(
        "node.fleet_seed keeps its old value until guidewayd is started anew: another one moves "
        "flows to other backends");
    wanted.node.fleet_seed = running.node.fleet_seed;
  }
  for (Interface& interface : wanted.interfaces) {
    const auto old = std::ranges::find(running.interfaces, interface.name, &Interface::name);
    if (old != running.interfaces.end())
      keep(interface, *old, "interface " + interface.name + ": what is set for it");
  }
  keep(wanted.flow_table.entries, running.flow_table.entries, "flow_table.entries");
  const auto timeouts = [](FlowTableConfig& table) {
    return std::tie(table.opening, table.established, table.closing, table.udp);
  };
  FlowTableConfig old_table = running.flow_table;
  if (timeouts(wanted.flow_table) != timeouts(old_table)) {
    kept.emplace_back("flow_table.timeouts keep their old values until guidewayd is started anew");
    wanted.flow_table = old_table;
  }
  keep(wanted.admin.socket, running.admin.socket, "admin.socket");
  return kept;
}

std::vector<std::string> describe_changes(const Model& before, const Model& after) {
  Lines lines;
  lines.compare("node.name", before.node.name, after.node.name);
  match(
      before.interfaces, after.interfaces, &Interface::name,
      [&](const auto& gone) { lines.add("interface " + gone.name + " removed"); },
      [&](const auto& come) { lines.add("interface " + come.name + " added"); },
      [](const auto&, const auto&) {});
  lines.compare("encapsulation.source", before.encapsulation.source.text(),
                after.encapsulation.source.text());
  match(
      before.pools, after.pools, &PoolConfig::name,
      [&](const auto& gone) { lines.add("pool " + gone.name + " removed"); },
      [&](const auto& come) {
        lines.add("pool " + come.name + " added, " + std::to_string(come.backends.size()) +
                  " backends");
      },
      [&](const auto& old, const auto& now) { compare_pool(old, now, lines); });
  compare_services(before, after, lines);
  const auto level = [](const Model& model) {
    return std::string(kLogLevelNames.at(static_cast<std::size_t>(model.log.level)));
  };
  lines.compare("log.level", level(before), level(after));
  lines.compare("metrics.listen", text(before.metrics), text(after.metrics));
  compare_bgp(before.bgp, after.bgp, lines);
  lines.compare("shutdown.drain", seconds(before.shutdown.drain), seconds(after.shutdown.drain));
  return lines.take();
}

}  // namespace guideway::control
