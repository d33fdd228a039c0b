// The section `bgp`: what is announced, when, and with which attributes.
#include "config_bgp_support.h"

namespace guideway::control {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// A section with a peer in the own AS and more `keys`, from column 3 of line 4 on.
std::string internal(const std::string& keys) {
  return file_with(
      "bgp",
      "bgp:\n  local_asn: 64512\n  peers: [{address: 10.0.0.1, asn: 64512}]\n  " + keys + "\n");
}

bgp::Policy policy_of(const std::string& file) { return bgp_of(file).policy; }

TEST_CASE("Every key of what is announced arrives in the model") {
  const bgp::Policy policy =
      policy_of(internal("role: passive\n  announce: any\n  prefixes: [198.51.100.0/24]\n"
                         "  next_hop: 10.0.0.10\n  local_preference: 200\n  med: 50\n"
                         "  communities: [no-export, \"64512:100\", '64512:1:2', 1:1]\n"
                         "  passive: {med: 150, local_preference: 20, prepend: 0}\n"
                         "  damping: {first: 500ms, most: 30s, window: 1h}"));
  CHECK(policy.role == bgp::Role::passive);
  CHECK(policy.need == bgp::Need::any);
  CHECK(policy.prefixes == std::vector{bgp::Prefix::parse("198.51.100.0/24").value()});
  CHECK(policy.active.text() ==
        "med 50, local preference 200, next hop 10.0.0.10, communities 1:1 64512:100 no-export "
        "64512:1:2");
  CHECK(policy.passive.text() ==
        "med 150, local preference 20, next hop 10.0.0.10, communities 1:1 64512:100 no-export "
        "64512:1:2");
  CHECK(policy.damping == bgp::DampingRule{500ms, 30s, 1h});
}

TEST_CASE("A passive node is worse in all that its peers are told, where the file does not say") {
  CHECK(policy_of(managed("")).passive.text() == "med 100, prepend 3");
  CHECK(policy_of(managed("med: 50\n  communities: [no-export]")).passive.text() ==
        "med 150, prepend 3, communities no-export");
  CHECK(policy_of(managed("med: 4294967290")).passive.text() == "med 4294967295, prepend 3");
  CHECK(policy_of(internal("")).passive.text() == "med 100, local preference 50");
  CHECK(policy_of(internal("local_preference: 200")).passive.text() ==
        "med 100, local preference 50");
  CHECK(policy_of(internal("local_preference: 30")).passive.text() ==
        "med 100, local preference 15");
  const std::string both = "{address: 10.0.0.1, asn: 64500}, {address: 10.0.0.2, asn: 64512}";
  CHECK(policy_of(with_peers(both)).passive.text() == "med 100, local preference 50");
  CHECK(policy_of(external("role: active")).passive.text() == "med 100, prepend 3");
  CHECK(policy_of(external("local_preference: 200")).passive.text() ==
        "med 100, local preference 50");
}

TEST_CASE("What the file says of a passive node is taken, and the rest stays worse") {
  CHECK(policy_of(managed("med: 50\n  passive: {med: 60}")).passive.text() == "med 60, prepend 3");
  CHECK(policy_of(managed("passive: {prepend: 10}")).passive.text() == "med 100, prepend 10");
  CHECK(policy_of(managed("passive: {prepend: 0}")).passive.text() == "med 100");
  CHECK(policy_of(external("passive: {local_preference: 10}")).passive.text() ==
        "med 100, local preference 10, prepend 3");
  CHECK(errors(managed("passive: {prepend: 11}")) ==
        Lines{"f:4:22: bgp.passive.prepend: must be a whole number from 0 to 10, not \"11\""});
  CHECK(errors(managed("passive: 150")) ==
        Lines{"f:4:12: bgp.passive: must be a mapping with the keys med, local_preference and "
              "prepend, not \"150\""});
}

TEST_CASE("A peer in the own AS refuses a path with the own number") {
  CHECK(errors(internal("passive: {prepend: 1}")) ==
        Lines{"f:4:22: bgp.passive.prepend: must be 0, as the peer at line 3 is in the own AS: "
              "there a path with the own number in it is refused"});
  CHECK(errors(internal("passive: {prepend: 0}")).empty());
}

TEST_CASE("A passive node that routers do not avoid is a warning") {
  const std::string worse =
      ": routers would not prefer an active node to a passive one: give the passive one a higher "
      "med, a lower local_preference or a prepend";
  const auto passive = [](const std::string& keys) {
    return warnings(managed("med: 50\n  passive: {" + keys + "}"));
  };
  CHECK(passive("med: 50, prepend: 0") == Lines{"f:5:12: bgp.passive" + worse});
  CHECK(passive("med: 49, prepend: 0") == Lines{"f:5:12: bgp.passive" + worse});
  CHECK(passive("med: 51, prepend: 0").empty());
  CHECK(passive("med: 50, prepend: 1").empty());
  CHECK(warnings(internal("passive: {local_preference: 101}")) ==
        Lines{"f:4:12: bgp.passive" + worse});
  CHECK(warnings(internal("passive: {local_preference: 99}")).empty());
}

TEST_CASE("MED and local preference are numbers of 32 bits") {
  for (const std::string key : {"med", "local_preference"}) {
    CHECK(errors(internal(key + ": 4294967296")).size() == 1);
    CHECK(errors(internal("passive: {" + key + ": 4294967296}")).size() == 1);
  }
  CHECK(errors(managed("med: -1")) ==
        Lines{"f:4:8: bgp.med: must be a whole number from 0 to 4294967295, not \"-1\""});
  CHECK(policy_of(managed("med: 4294967295")).active.med == 4294967295);
}

TEST_CASE("A local preference that no peer is told is a warning") {
  const std::string told = ": no peer is in the own AS, and others are not told a local preference";
  CHECK(warnings(managed("local_preference: 200")) == Lines{"f:4:21: bgp.local_preference" + told});
  CHECK(warnings(managed("passive: {local_preference: 20}")) ==
        Lines{"f:4:31: bgp.passive.local_preference" + told});
  CHECK(warnings(internal("local_preference: 200")).empty());
  CHECK(warnings(external("local_preference: 200")).empty());
}

TEST_CASE("A role is one of three words, and drain is a warning") {
  CHECK(errors(managed("role: standby")) ==
        Lines{"f:4:9: bgp.role: must be active, passive or drain, not \"standby\""});
  CHECK(warnings(managed("role: passive")).empty());
  CHECK(warnings(managed("role: drain")) ==
        Lines{"f:4:9: bgp.role: nothing is announced while the role is drain"});
  CHECK(policy_of(managed("role: drain")).role == bgp::Role::drain);
  CHECK(errors(managed("announce: some")) ==
        Lines{"f:4:13: bgp.announce: must be all or any, not \"some\""});
}

TEST_CASE("A prefix is written as its first address and its length") {
  const auto problem = [](const std::string& prefix) {
    return errors(managed("prefixes: ['" + prefix + "']"));
  };
  for (const std::string wrong : {"198.51.100.1/24", "198.51.100.0/33", "198.51.100.0-255", "www"})
    CHECK(problem(wrong) ==
          Lines{"f:4:14: bgp.prefixes[0]: must be a prefix such as 198.51.100.0/24, with no bit "
                "set behind its length, not \"" +
                wrong + "\""});
  for (const std::string wide : {"0.0.0.0/0", "192.0.0.0/7"})
    CHECK(problem(wide) ==
          Lines{"f:4:14: bgp.prefixes[0]: must be a prefix of 8 bits or more, not \"" + wide +
                "\"; a shorter one would draw the traffic of others to this load balancer"});

  CHECK(problem("198.0.0.0/8").empty());
  CHECK(errors(managed("prefixes: 198.51.100.0/24")) ==
        Lines{"f:4:13: bgp.prefixes: must be a list of prefixes such as [198.51.100.0/24], not "
              "\"198.51.100.0/24\""});
}

TEST_CASE("Prefixes are listed once, and none is within another") {
  CHECK(errors(managed("prefixes: [198.51.100.0/24,\n  198.51.100.0/24]")) ==
        Lines{"f:5:3: bgp.prefixes[1]: prefix 198.51.100.0/24 is already at line 4; a prefix is "
              "listed once"});
  CHECK(errors(managed("prefixes: [198.51.100.0/24,\n  198.51.100.0/25]")) ==
        Lines{"f:5:3: bgp.prefixes[1]: prefix 198.51.100.0/25 overlaps with 198.51.100.0/24, at "
              "line 4; a VIP is announced by one prefix"});
  CHECK(errors(managed("prefixes: [198.51.100.0/25,\n  198.51.100.0/24]")).size() == 1);
  CHECK(errors(managed("prefixes: [198.51.100.0/25,\n  198.51.100.128/25]")).empty());
}

TEST_CASE("There are at most 256 prefixes") {
  const auto prefixes = [](int count) {
    std::string list = "198.51.100.0/24";
    for (int i = 1; i < count; ++i)
      list += ", 10." + std::to_string(i / 256 + 1) + "." + std::to_string(i % 256) + ".0/24";
    return managed("prefixes: [" + list + "]");
  };
  CHECK(errors(prefixes(256)).empty());
  CHECK(errors(prefixes(257)) ==
        Lines{"f:4:13: bgp.prefixes: there are at most 256 prefixes, not 257"});
}

TEST_CASE("A prefix without a VIP is a warning") {
  CHECK(warnings(managed("prefixes: [198.51.101.0/24]")) ==
        Lines{"f:4:14: bgp.prefixes[0]: no VIP is within 198.51.101.0/24, so that it is never "
              "announced"});
  CHECK(errors(managed("prefixes: ['2001:db8::/32']")) ==
        Lines{"f:4:14: bgp.prefixes[0]: must be a prefix of IPv4, as VIPs are, not "
              "\"2001:db8::/32\""});
  CHECK(warnings(managed("prefixes: [198.51.100.0/31]")).empty());
  CHECK(warnings(managed("prefixes: [198.51.100.1/32]")).empty());
  CHECK(warnings(managed("prefixes: [198.51.100.2/31]")).size() == 1);
}

TEST_CASE("A prefix that the fleet itself is reached by is a warning") {
  const auto warning = [](const std::string& vip, const std::string& prefix,
                          const std::string& keys) {
    return warnings(
        "services: [{vip: " + vip + ", ports: [tcp/80], pool: web}]\n" +
        "bgp: {local_asn: 64512, peers: [{address: 192.0.2.1, asn: 64500}],\n" + "  prefixes: [" +
        prefix + "]" + keys + "}\n" + "node: {fleet_seed: test}\ninterfaces: [{name: eth0}]\n" +
        "encapsulation: {source: 10.0.0.10}\n" + "pools: [{name: web, backends: [10.0.1.11]}]\n");
  };
  const auto reached = [](const std::string& what, const std::string& prefix) {
    return Lines{
        "f:3:14: bgp.prefixes[0]: a router without a more specific route would send what "
        "is for " +
        what + ", to this load balancer, as it is within " + prefix};
  };
  CHECK(warning("10.0.0.80", "10.0.0.0/24", "") ==
        reached("encapsulation.source, at line 6", "10.0.0.0/24"));
  CHECK(warning("10.0.1.80", "10.0.1.0/24", "") ==
        reached("a backend's address, at line 7", "10.0.1.0/24"));
  CHECK(warning("192.0.2.80", "192.0.2.0/24", "") ==
        reached("a peer's address, at line 2", "192.0.2.0/24"));
  CHECK(warning("198.51.100.1", "198.51.100.0/24", ", next_hop: 198.51.100.9") ==
        reached("next_hop, at line 3", "198.51.100.0/24"));
  CHECK(warning("198.51.100.1", "198.51.100.0/24", "").empty());
}

TEST_CASE("A next hop is an IPv4 address of this host, and no VIP") {
  CHECK(errors(managed("next_hop: 198.51.100.1")) ==
        Lines{"f:4:13: bgp.next_hop: 198.51.100.1 is also a VIP, at line 9; a VIP is reached by "
              "its route only, which is what is announced"});
  CHECK(errors(managed("next_hop: self")) ==
        Lines{"f:4:13: bgp.next_hop: must be an IPv4 address such as 10.0.0.10, not \"self\""});
  CHECK(on_host(managed("next_hop: 10.0.0.11"), {"10.0.0.10"}) ==
        Lines{"f:4:13: bgp.next_hop: this host has no address 10.0.0.11: routers would send the "
              "packets for its VIPs to another one"});
  CHECK(on_host(managed("next_hop: 10.0.0.11"), {"10.0.0.10", "10.0.0.11"}).empty());
  CHECK(on_host(managed("next_hop: 10.0.0.11"), {}).empty());
}

TEST_CASE("A community that is none says what would be one") {
  const auto problem = [](const std::string& community) {
    return errors(managed("communities: ['" + community + "']"));
  };
  const auto wrong = [](const std::string& community, const std::string& hint) {
    return Lines{
        "f:4:17: bgp.communities[0]: must be a community such as 64512:100, 64512:1:2 or "
        "no-export, not \"" +
        community + "\"" + hint};
  };
  const std::string standard = "; both parts of a standard community are from 0 to 65535";
  const std::string large = "; the three parts of a large community are from 0 to 4294967295";
  CHECK(problem("65536:1") == wrong("65536:1", standard));
  CHECK(problem("64512:") == wrong("64512:", standard));
  CHECK(problem("1:2:4294967296") == wrong("1:2:4294967296", large));
  CHECK(problem("rt:1:1") == wrong("rt:1:1", large));
  CHECK(problem("noexport") == wrong("noexport", "; did you mean \"no-export\"?"));
  CHECK(problem("64512") == wrong("64512", ""));
  CHECK(problem("1:2:3:4") == wrong("1:2:3:4", ""));
  CHECK(errors(managed("communities: no-export")) ==
        Lines{"f:4:16: bgp.communities: must be a list of communities such as [\"64512:100\", "
              "no-export], not \"no-export\""});
}

TEST_CASE("A community is listed once, by number or by name") {
  CHECK(errors(managed("communities: [no-export,\n  65535:65281]")) ==
        Lines{"f:5:3: bgp.communities[1]: community no-export is already at line 4; it is listed "
              "once"});
  CHECK(errors(managed("communities: [1:2:3,\n  1:2:3]")) ==
        Lines{"f:5:3: bgp.communities[1]: community 1:2:3 is already at line 4; it is listed "
              "once"});
  std::string many = "1:0";
  for (int i = 1; i < 65; ++i) many += ", 1:" + std::to_string(i);
  CHECK(errors(managed("communities: [" + many + "]")) ==
        Lines{"f:4:16: bgp.communities: a route has at most 64 communities, not 65"});
}

TEST_CASE("The times of damping are within limits, and the longest is not shorter than the first") {
  const auto damping = [](const std::string& keys) {
    return policy_of(managed("damping: {" + keys + "}")).damping;
  };
  CHECK(damping("first: 0s") == bgp::DampingRule{0ms, 60s, 5min});
  CHECK(damping("first: 2m") == bgp::DampingRule{2min, 2min, 5min});
  CHECK(damping("first: 2m, most: 1h, window: 24h") == bgp::DampingRule{2min, 1h, 24h});
  const auto problem = [](const std::string& keys) {
    return errors(managed("damping: {" + keys + "}"));
  };
  CHECK(problem("first: 2s, most: 1s") ==
        Lines{"f:4:30: bgp.damping.most: must be at least first, 2s, not \"1s\""});
  CHECK(problem("first: 61m") ==
        Lines{"f:4:20: bgp.damping.first: must be a duration from 0s to 1h such as 500ms, 2s or "
              "1m, not \"61m\""});
  CHECK(problem("most: 61m").size() == 1);
  CHECK(problem("window: 500ms") ==
        Lines{"f:4:21: bgp.damping.window: must be a duration from 1s to 24h such as 500ms, 2s or "
              "1m, not \"500ms\""});
}

TEST_CASE("With bgp a stop waits for the routers, unless the file says otherwise") {
  const auto drain = [](const std::string& text) {
    return right(managed("") + "shutdown: {" + text + "}\n").model.shutdown.drain;
  };
  CHECK(drain("") == 5s);
  CHECK(drain("drain: 20s") == 20s);
  CHECK(drain("drain: 0s") == 0s);
  CHECK(warnings(managed("") + "shutdown: {drain: 0s}\n") ==
        Lines{"f:10:19: shutdown.drain: packets that routers send before they have taken a "
              "withdrawal in are lost; leave it out for 5s"});
  CHECK(warnings(file_with("shutdown", "shutdown: {drain: 0s}")).empty());
}

}  // namespace
}  // namespace guideway::control
