// The compiler of snapshots: what stays the same from one generation to the next, and what a packet
// finds in the result.
#include "control/compiler.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "support/catch.h"

namespace guideway::control {
namespace {

using State = NextHop::State;

Ipv4Address ip(const char* text) { return Ipv4Address::parse(text).value(); }
Ipv4Address backend_address(std::uint32_t number) { return Ipv4Address(Be32(0x0a000000 + number)); }

// The next hop of every address, unless a test says otherwise.
NextHop resolved_hop() {
  NextHop hop;
  hop.state = State::resolved;
  hop.device = 7;
  hop.device_name = "eth7";
  hop.mtu = 1500;
  hop.device_mac = {{2, 0, 0, 0, 0, 1}};
  hop.via = ip("10.0.0.254");
  hop.mac = {{2, 0, 0, 0, 0, 2}};
  return hop;
}

const NextHop kResolved = resolved_hop();
const NextHop* always_resolved(Ipv4Address) { return &kResolved; }

PoolConfig pool(const std::string& name, std::vector<BackendConfig> backends) {
  PoolConfig config;
  config.name = name;
  config.backends = std::move(backends);
  config.table_size = 251;
  return config;
}

Model model_of(std::vector<PoolConfig> pools) {
  Model model;
  model.node = {.name = "lb", .fleet_seed = "fleet"};
  model.encapsulation.source = ip("192.0.2.1");
  model.pools = std::move(pools);
  return model;
}

Model three_backends() {
  return model_of({pool("web", {{ip("10.0.0.1")}, {ip("10.0.0.2")}, {ip("10.0.0.3")}})});
}

constexpr std::chrono::seconds kQuarantine{900};

// A compiler of pools whose backends are all up, that remembers what it said last.
class TestCompiler {
 public:
  Result<std::unique_ptr<const Snapshot>> compile(const Model& model,
                                                  const Compiler::FindNextHop& next_hop,
                                                  std::uint64_t generation) {
    Health health;
    health.configure(model, now);
    std::vector<PoolStanding> standings;
    for (const PoolConfig& pool : model.pools) standings.push_back(health.standing(pool, now));
    auto compiled = compiler_.compile(model, standings, next_hop, generation, now);
    if (!compiled) return std::unexpected(compiled.error());
    last = std::move(*compiled);
    return std::move(last.snapshot);
  }
  [[nodiscard]] std::optional<BackendSlot> backend_slot(const std::string& pool,
                                                        Ipv4Address address) const {
    return last.slots->backend(pool, address);
  }
  [[nodiscard]] std::optional<ServiceSlot> service_slot(const Endpoint& endpoint) const {
    return last.slots->service(endpoint);
  }

  Compiler::Time now{};
  Compiled last{.snapshot = nullptr,
                .slots = std::make_shared<const Slots>(),
                .tables = {},
                .reused_backends = {},
                .reused_services = {}};

 private:
  Compiler compiler_{kQuarantine};
};

std::unique_ptr<const Snapshot> compile(TestCompiler& compiler, const Model& model,
                                        const Compiler::FindNextHop& next_hop = always_resolved) {
  auto snapshot = compiler.compile(model, next_hop, 1);
  REQUIRE(snapshot.has_value());
  return std::move(*snapshot);
}

std::uint32_t slot(const TestCompiler& compiler, const std::string& pool, const char* address) {
  const auto found = compiler.backend_slot(pool, ip(address));
  REQUIRE(found.has_value());
  return found->value;
}

// Who owns each slot of the hash space, by the address that packets would be sent to.
std::vector<std::uint32_t> owners(const Snapshot& snapshot, std::size_t pool_index) {
  const Pool& pool = snapshot.pools[pool_index];
  std::vector<std::uint32_t> result;
  for (const std::uint16_t member : pool.table->entries()) {
    const Backend& backend = snapshot.backends[pool.members[member].index()];
    result.push_back(backend.outer.header.ip.destination.host());
  }
  return result;
}

gw_flow_key flow_to(const Endpoint& endpoint) {
  return {.source_address = Be32(0xc6336401).wire(),
          .destination_address = endpoint.address.wire().wire(),
          .source_port = Be16(4711).wire(),
          .destination_port = Be16(endpoint.port).wire(),
          .protocol = static_cast<std::uint8_t>(endpoint.protocol),
          .zero = {}};
}

TEST_CASE("A snapshot carries its generation and the fleet's seed") {
  TestCompiler compiler;
  const Model model = three_backends();
  const auto snapshot = compiler.compile(model, always_resolved, 42);
  REQUIRE(snapshot.has_value());
  CHECK((*snapshot)->generation == 42);
  CHECK((*snapshot)->seed.first == model.hash_seed().first);
  CHECK((*snapshot)->seed.second == model.hash_seed().second);
}

TEST_CASE("A backend keeps its slot when the file's order changes and when others come") {
  TestCompiler compiler;
  compile(compiler, three_backends());
  const std::uint32_t first = slot(compiler, "web", "10.0.0.1");
  const std::uint32_t third = slot(compiler, "web", "10.0.0.3");

  compile(compiler,
          model_of({pool("new", {{ip("10.0.0.1")}}),
                    pool("web", {{ip("10.0.0.3")}, {ip("10.0.0.9")}, {ip("10.0.0.1")}})}));
  CHECK(slot(compiler, "web", "10.0.0.1") == first);
  CHECK(slot(compiler, "web", "10.0.0.3") == third);
}

TEST_CASE("An address in two pools has two slots, each of its own pool") {
  TestCompiler compiler;
  const auto snapshot =
      compile(compiler, model_of({pool("a", {{ip("10.0.0.1")}}), pool("b", {{ip("10.0.0.1")}})}));
  const std::uint32_t in_a = slot(compiler, "a", "10.0.0.1");
  const std::uint32_t in_b = slot(compiler, "b", "10.0.0.1");
  CHECK(in_a != in_b);
  CHECK(snapshot->backends[in_a].pool == PoolIndex{0});
  CHECK(snapshot->backends[in_b].pool == PoolIndex{1});
}

TEST_CASE("The slot of a backend that left is not usable, nobody else's, and its own on return") {
  TestCompiler compiler;
  compile(compiler, three_backends());
  const std::uint32_t left = slot(compiler, "web", "10.0.0.2");

  const auto without = compile(
      compiler, model_of({pool("web", {{ip("10.0.0.1")}, {ip("10.0.0.3")}, {ip("10.0.0.4")}})}));
  REQUIRE(left < without->backends.size());
  CHECK_FALSE(without->backends[left].usable);
  CHECK(without->backends[left].egress_device == 0);
  CHECK(slot(compiler, "web", "10.0.0.4") != left);

  const auto again = compile(compiler, three_backends());
  CHECK(slot(compiler, "web", "10.0.0.2") == left);
  CHECK(again->backends[left].usable);
}

TEST_CASE("A pool that did not change shares the very same table, whatever its neighbours do") {
  TestCompiler compiler;
  const auto before = compile(compiler, three_backends());
  NextHop moved = kResolved;
  moved.mac = {{2, 0, 0, 0, 0, 99}};
  auto model = three_backends();
  std::ranges::reverse(model.pools[0].backends);
  model.pools.insert(model.pools.begin(), pool("other", {{ip("10.0.0.1")}}));
  const auto after = compile(compiler, model, [&](Ipv4Address) { return &moved; });
  CHECK(after->pools[1].table == before->pools[0].table);
  CHECK(after->pools[1].members == before->pools[0].members);
}

TEST_CASE("A pool whose members, weights or size change has another table") {
  TestCompiler compiler;
  const auto before = compile(compiler, three_backends());
  auto model = three_backends();
  SECTION("a member more") { model.pools[0].backends.push_back({ip("10.0.0.4")}); }
  SECTION("a member less") { model.pools[0].backends.pop_back(); }
  SECTION("a weight") { model.pools[0].backends[0].weight = 2; }
  SECTION("the size") { model.pools[0].table_size = 509; }
  const auto after = compile(compiler, model);
  CHECK(after->pools[0].table != before->pools[0].table);
  CHECK(owners(*after, 0) != owners(*before, 0));
  CHECK(after->pools[0].table->size() == model.pools[0].table_size);
}

TEST_CASE("The table of a pool that vanished is let go") {
  TestCompiler compiler;
  auto before = compile(compiler, three_backends());
  const std::weak_ptr<const maglev::Table> table = before->pools[0].table;
  compile(compiler, model_of({pool("other", {{ip("10.0.0.1")}})}));
  CHECK_FALSE(table.expired());
  before.reset();
  CHECK(table.expired());
}

TEST_CASE("Who owns a slot of the table depends on neither file order, history nor pool name") {
  const std::vector<BackendConfig> backends{
      {ip("10.0.0.10"), 1}, {ip("10.0.0.9"), 3}, {ip("10.0.1.1"), 2}, {ip("172.16.0.1"), 1}};
  auto reversed = backends;
  std::ranges::reverse(reversed);

  TestCompiler fresh;
  const auto one = compile(fresh, model_of({pool("web", backends)}));
  TestCompiler with_history;
  compile(with_history, model_of({pool("web", {{ip("10.0.1.1")}, {ip("10.9.9.9")}})}));
  const auto other = compile(with_history, model_of({pool("web", reversed)}));
  TestCompiler other_name;
  const auto renamed = compile(other_name, model_of({pool("mail", reversed)}));

  CHECK(owners(*one, 0) == owners(*other, 0));
  CHECK(owners(*one, 0) == owners(*renamed, 0));
}

TEST_CASE("A member's identity in the table is its address in network byte order") {
  TestCompiler compiler;
  const auto snapshot = compile(compiler, three_backends());
  std::vector<std::array<std::byte, 4>> identities;
  for (const std::byte last : {std::byte{1}, std::byte{2}, std::byte{3}})
    identities.push_back({std::byte{10}, std::byte{0}, std::byte{0}, last});
  std::vector<maglev::Member> members;
  for (const auto& identity : identities) members.push_back({.identity = identity, .weight = 1});
  const auto expected = maglev::Table::build(members, 251);
  CHECK(std::ranges::equal(snapshot->pools[0].table->entries(), expected.entries()));
}

TEST_CASE("A backend of weight 0 is in no table, yet usable for the flows that it has") {
  TestCompiler compiler;
  auto model = three_backends();
  model.pools[0].backends[1].weight = 0;
  const auto snapshot = compile(compiler, model);
  const BackendSlot drained{slot(compiler, "web", "10.0.0.2")};
  CHECK(std::ranges::count(snapshot->pools[0].members, drained) == 0);
  CHECK(std::ranges::count(owners(*snapshot, 0), ip("10.0.0.2").host()) == 0);
  CHECK(snapshot->backends[drained.index()].usable);
  CHECK(snapshot->backends[drained.index()].egress_device == 7);

  SECTION("and its leaving altogether costs no new table") {
    model.pools[0].backends.erase(model.pools[0].backends.begin() + 1);
    CHECK(compile(compiler, model)->pools[0].table == snapshot->pools[0].table);
  }
}

TEST_CASE(
    "By its standing a backend has a part of its weight, or none, and may keep its flows or not") {
  Compiler compiler(kQuarantine);
  const auto model = three_backends();
  const std::vector<PoolStanding> standings{{.backends = {{.weight = 100, .usable = true},
                                                          {.weight = 0, .usable = false},
                                                          {.weight = 50, .usable = true}},
                                             .healthy = 2,
                                             .empty = false}};
  const auto compiled = compiler.compile(model, standings, always_resolved, 1, {});
  REQUIRE(compiled.has_value());
  const PoolTable& table = *compiled->tables[0];
  CHECK(table.entries_of(ip("10.0.0.1")) == 167);  // 251 x 2/3, by largest remainder
  CHECK(table.entries_of(ip("10.0.0.2")) == 0);
  CHECK(table.entries_of(ip("10.0.0.3")) == 84);
  CHECK(table.entries_of(ip("10.0.0.4")) == 0);
  const auto usable = [&](const char* address) {
    return compiled->snapshot->backends[compiled->slots->backend("web", ip(address))->index()]
        .usable;
  };
  CHECK(usable("10.0.0.1"));
  CHECK_FALSE(usable("10.0.0.2"));
  CHECK(usable("10.0.0.3"));
}

TEST_CASE("Digests of tables are equal where the tables are, and on no account depend on history") {
  const auto digest = [](TestCompiler& compiler, const Model& model) {
    compile(compiler, model);
    return compiler.last.tables[0]->digest;
  };
  TestCompiler one, other;
  const auto model = three_backends();
  auto reversed = model;
  std::ranges::reverse(reversed.pools[0].backends);
  compile(other, model_of({pool("web", {{ip("10.9.9.9")}})}));
  const std::uint64_t expected = digest(one, model);
  CHECK(digest(other, reversed) == expected);
  CHECK(expected < std::uint64_t{1} << 48);

  auto changed = model;
  SECTION("another weight") { changed.pools[0].backends[0].weight = 2; }
  SECTION("another size") { changed.pools[0].table_size = 509; }
  SECTION("another backend") { changed.pools[0].backends[0].address = ip("10.0.0.9"); }
  SECTION("one less") { changed.pools[0].backends.pop_back(); }
  CHECK(digest(other, changed) != expected);
}

TEST_CASE("A pool of nothing but weight 0 has nobody to choose") {
  TestCompiler compiler;
  const auto snapshot = compile(compiler, model_of({pool("web", {{ip("10.0.0.1"), 0}})}));
  REQUIRE(snapshot->pools[0].table != nullptr);
  CHECK_FALSE(snapshot->pools[0].choose(0x123456789abcdef0).has_value());
}

TEST_CASE("A backend without a resolved next hop stays in the table, with egress device 0") {
  TestCompiler compiler;
  const auto before = compile(compiler, three_backends());
  NextHop hop = kResolved;
  hop.state = GENERATE(State::no_route, State::device_down, State::resolving, State::failed,
                       State::no_ethernet);
  const bool is_known = GENERATE(true, false);
  const auto snapshot =
      compile(compiler, three_backends(), [&](Ipv4Address address) -> const NextHop* {
        if (address != ip("10.0.0.2")) return &kResolved;
        return is_known ? &hop : nullptr;
      });
  const Backend& backend = snapshot->backends[slot(compiler, "web", "10.0.0.2")];
  CHECK(backend.egress_device == 0);
  CHECK(backend.egress_mtu == 0);
  CHECK(backend.usable);
  CHECK(snapshot->pools[0].table == before->pools[0].table);
  CHECK(snapshot->backends[slot(compiler, "web", "10.0.0.1")].egress_device == 7);
}

TEST_CASE("The outer header goes from us to the backend by way of its next hop") {
  TestCompiler compiler;
  const auto snapshot = compile(compiler, three_backends());
  const Backend& backend = snapshot->backends[slot(compiler, "web", "10.0.0.3")];
  CHECK(backend.egress_device == 7);
  CHECK(backend.egress_mtu == 1500);

  std::array<std::uint8_t, sizeof(OuterHeader)> bytes{};
  std::memcpy(bytes.data(), &backend.outer.header, bytes.size());
  const std::array<std::uint8_t, sizeof(OuterHeader)> expected{
      2,    0,    0,    0,   0,  2, 2,    0, 0,  0,  0, 1,
      0x08, 0x00,                                           // to the neighbour, from the device
      0x45, 0,    0,    0,   0,  0, 0x40, 0, 64, 47, 0, 0,  // IPv4, DF, TTL 64, GRE
      192,  0,    2,    1,   10, 0, 0,    3,                // from us to the backend
      0,    0,    0x08, 0x00};                              // GRE, of IPv4
  CHECK(bytes == expected);
}

TEST_CASE("Every endpoint of every service is found, and leads to its pool") {
  TestCompiler compiler;
  auto model = model_of({pool("a", {{ip("10.0.0.1")}}), pool("b", {{ip("10.0.0.2")}})});
  std::vector<std::pair<Endpoint, std::uint32_t>> expected;
  for (std::uint32_t i = 0; i < 200; ++i) {
    const Ipv4Address vip(Be32(0xcb007100 + i / 4));
    ServiceConfig service{.name = "s", .vip = vip, .endpoints = {}, .pool = i % 2};
    for (const Protocol protocol : {Protocol::tcp, Protocol::udp}) {
      service.endpoints.push_back({vip, static_cast<std::uint16_t>(80 + i % 4), protocol});
      expected.emplace_back(service.endpoints.back(), i % 2);
    }
    model.services.push_back(service);
  }
  const auto snapshot = compile(compiler, model);
  std::set<std::uint32_t> slots;
  for (const auto& [endpoint, pool_index] : expected) {
    INFO(endpoint.text());
    const Service* service = snapshot->services.find(flow_to(endpoint));
    REQUIRE(service != nullptr);
    CHECK(service->pool == PoolIndex{pool_index});
    CHECK(compiler.service_slot(endpoint) == service->slot);
    slots.insert(service->slot.value);
  }
  CHECK(slots.size() == expected.size());
  CHECK(snapshot->services.find(flow_to({ip("203.0.113.0"), 84, Protocol::tcp})) == nullptr);
  CHECK(snapshot->services.find(flow_to({ip("203.0.113.50"), 80, Protocol::tcp})) == nullptr);
}

TEST_CASE("A service keeps its slot while it moves to another pool and others come before it") {
  TestCompiler compiler;
  const Endpoint web{ip("203.0.113.1"), 80, Protocol::tcp};
  const Endpoint tls{ip("203.0.113.1"), 443, Protocol::tcp};
  auto model = model_of({pool("a", {{ip("10.0.0.1")}}), pool("b", {{ip("10.0.0.2")}})});
  model.services = {{.name = "web", .vip = web.address, .endpoints = {web}, .pool = 0}};
  compile(compiler, model);
  const auto slot_before = compiler.service_slot(web);
  REQUIRE(slot_before.has_value());

  model.services = {{.name = "tls", .vip = tls.address, .endpoints = {tls}, .pool = 0},
                    {.name = "web", .vip = web.address, .endpoints = {web}, .pool = 1}};
  const auto snapshot = compile(compiler, model);
  CHECK(compiler.service_slot(web) == slot_before);
  CHECK(compiler.service_slot(tls) != slot_before);
  CHECK(snapshot->services.find(flow_to(web))->pool == PoolIndex{1});
}

// A model of `pools` pools with 1000 backends each, the first address of all being `first`.
Model thousands(std::uint32_t pools, std::uint32_t first) {
  std::vector<PoolConfig> configs;
  for (std::uint32_t i = 0; i < pools; ++i) {
    configs.push_back(pool("p" + std::to_string(i), {}));
    for (std::uint32_t j = 0; j < 1000; ++j)
      configs.back().backends.push_back({backend_address(first + i * 1000 + j)});
  }
  return model_of(std::move(configs));
}

TEST_CASE("Backends beyond the slots of a process are an error that says how to get more") {
  TestCompiler compiler;
  compile(compiler, thousands(60, 0));
  const auto refused = compiler.compile(thousands(6, 1'000'000), always_resolved, 2);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().what ==
        "compiling a snapshot: 6000 new backends beside 60000, 60000 of them removed lately, are "
        "more than the 65536 slots that there are");
  CHECK(refused.error().hint ==
        "slots of backends that were removed are free again after 900 s, or after a restart");

  SECTION("and nothing was taken by the attempt") {
    CHECK_FALSE(compiler.backend_slot("p0", backend_address(1'000'000)).has_value());
    const auto snapshot = compile(compiler, thousands(5, 1'000'000));
    CHECK(snapshot->backends.size() == 65000);
  }
}

TEST_CASE(
    "After the quarantine the slot of who left longest ago is another's, and only if needed") {
  using namespace std::chrono_literals;
  TestCompiler compiler;
  compile(compiler, thousands(64, 0));
  const std::uint32_t oldest = slot(compiler, "p0", "10.0.0.5");

  // One that leaves first, all others later.
  auto model = thousands(64, 0);
  std::erase_if(model.pools[0].backends,
                [](const BackendConfig& backend) { return backend.address == ip("10.0.0.5"); });
  compiler.now += 1s;
  compile(compiler, model);
  compiler.now += 1s;
  compile(compiler, thousands(1, 1'000'000));
  CHECK(compiler.last.reused_backends.empty());  // 1536 slots were never used

  const auto more = thousands(2, 1'000'000);  // 464 too many, as p0 to p63 are all remembered
  compiler.now += kQuarantine - 2s;
  CHECK_FALSE(compiler.compile(more, always_resolved, 2).has_value());
  compiler.now += 1s;
  CHECK_FALSE(compiler.compile(more, always_resolved, 2).has_value());
  compiler.now += 2s;
  const auto snapshot = compile(compiler, more);
  CHECK(snapshot->backends.size() == kMaxBackendSlots);
  REQUIRE(compiler.last.reused_backends.size() == 464);
  CHECK(compiler.last.reused_backends.front().value == oldest);
  std::set<std::uint32_t> given;
  for (const PoolConfig& pool : more.pools)
    for (const BackendConfig& backend : pool.backends)
      given.insert(compiler.backend_slot(pool.name, backend.address)->value);
  CHECK(given.size() == 2000);
}

TEST_CASE("Services beyond the slots of a process are an error, and take no backend's slot") {
  TestCompiler compiler;
  auto model = three_backends();
  const Ipv4Address vip = ip("203.0.113.1");
  model.services = {{.name = "all", .vip = vip, .endpoints = {}, .pool = 0}};
  for (std::uint32_t port = 1; port <= kMaxServiceSlots + 1; ++port)
    model.services[0].endpoints.push_back({vip, static_cast<std::uint16_t>(port), Protocol::tcp});
  const auto refused = compiler.compile(model, always_resolved, 1);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().what ==
        "compiling a snapshot: 32769 new services beside 0, 0 of them removed lately, are more "
        "than the 32768 slots that there are");
  CHECK_FALSE(compiler.backend_slot("web", ip("10.0.0.1")).has_value());

  model.services[0].endpoints.pop_back();
  CHECK(compile(compiler, model)->backends.size() == 3);
}

TEST_CASE("A pool larger than a Maglev table can name is an error that says so") {
  TestCompiler compiler;
  auto model = model_of({pool("web", {})});
  for (std::uint32_t i = 0; i <= maglev::kMaxMembers; ++i)
    model.pools[0].backends.push_back({backend_address(i)});
  const auto refused = compiler.compile(model, always_resolved, 1);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text() ==
        "compiling a snapshot: pool web has 65535 backends, a Maglev table holds 65534 "
        "(divide it into several pools)");
}

TEST_CASE("a pool's table that is built by itself is the one that is compiled") {
  const Model model = three_backends();
  TestCompiler compiler;
  const auto snapshot = compile(compiler, model);
  Health health;
  health.configure(model, compiler.now);
  const auto built =
      build_pool_table(model.pools[0], health.standing(model.pools[0], compiler.now));
  CHECK(std::ranges::equal(built->table->entries(), snapshot->pools[0].table->entries()));
  CHECK(built->digest == compiler.last.tables[0]->digest);
}

TEST_CASE("a pool's table as if one were down is the one of the pool without it") {
  const Model model = three_backends();
  Health health;
  health.configure(model, {});
  const auto without =
      build_pool_table(model.pools[0], health.standing(model.pools[0], {}, ip("10.0.0.2")));
  const Model two = model_of({pool("web", {{ip("10.0.0.1")}, {ip("10.0.0.3")}})});
  TestCompiler compiler;
  const auto snapshot = compile(compiler, two);
  CHECK(std::ranges::equal(without->table->entries(), snapshot->pools[0].table->entries()));
  CHECK(without->entries_of(ip("10.0.0.2")) == 0);
}

}  // namespace
}  // namespace guideway::control
