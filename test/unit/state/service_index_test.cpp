#include <map>
#include <random>

#include "state/snapshot.h"
#include "support/catch.h"
#include "support/frame_builder.h"

namespace guideway {
namespace {

gw_flow_key to(Ipv4Address address, std::uint16_t port, std::uint8_t protocol) {
  gw_flow_key flow{};
  flow.source_address = test::ip("203.0.113.7").wire().wire();
  flow.source_port = Be16(1234).wire();
  flow.destination_address = address.wire().wire();
  flow.destination_port = Be16(port).wire();
  flow.protocol = protocol;
  return flow;
}

gw_flow_key to(const Endpoint& at) {
  return to(at.address, at.port, static_cast<std::uint8_t>(at.protocol));
}

TEST_CASE("an index without services finds none") {
  const ServiceIndex index;
  CHECK(index.find(to(test::ip("198.51.100.1"), 80, 6)) == nullptr);
  CHECK(index.find(to(Ipv4Address(), 0, 6)) == nullptr);
}

TEST_CASE("a flow of which every field is zero is nobody's") {
  CHECK(ServiceIndex().find(gw_flow_key{}) == nullptr);
}

TEST_CASE("a service is found by address, protocol and port, and by nothing less") {
  ServiceIndex index(1);
  const Ipv4Address vip = test::ip("198.51.100.1");
  index.insert({vip, 80, Protocol::tcp}, {.slot = {5}, .pool = {9}});
  const Service* found = index.find(to(vip, 80, 6));
  REQUIRE(found != nullptr);
  CHECK(found->slot.value == 5);
  CHECK(found->pool.value == 9);
  CHECK(index.find(to(vip, 80, 17)) == nullptr);
  CHECK(index.find(to(vip, 81, 6)) == nullptr);
  CHECK(index.find(to(vip, 0x5000, 6)) == nullptr);  // the port with its bytes swapped
  CHECK(index.find(to(test::ip("198.51.100.2"), 80, 6)) == nullptr);
  CHECK(index.find(to(test::ip("1.100.51.198"), 80, 6)) == nullptr);
}

TEST_CASE("the client's address and port do not matter to which service it is") {
  ServiceIndex index(1);
  const Endpoint at{test::ip("198.51.100.1"), 443, Protocol::udp};
  index.insert(at, {});
  gw_flow_key flow = to(at);
  flow.source_address = ~flow.source_address;
  flow.source_port = 0;
  CHECK(index.find(flow) != nullptr);
}

TEST_CASE(
    "an index of as many services as there can be finds each, and none that was not inserted") {
  std::mt19937 chance(11);
  std::map<Endpoint, std::uint32_t> reference;
  // Few addresses with many ports, many addresses with one: as an operator's file has it.
  while (reference.size() < kMaxServiceSlots) {
    const bool many_ports = chance() % 2 == 0;
    const auto host = static_cast<std::uint32_t>(0xc6336400 + chance() % (many_ports ? 4 : 60'000));
    const auto port = static_cast<std::uint16_t>(many_ports ? chance() % 65'536 : 443);
    const Endpoint at{Ipv4Address(Be32(host)), port,
                      chance() % 2 == 0 ? Protocol::tcp : Protocol::udp};
    reference.emplace(at, static_cast<std::uint32_t>(reference.size()));
  }
  ServiceIndex index(reference.size());
  for (const auto& [at, number] : reference)
    index.insert(at, {.slot = {number}, .pool = {number + 1}});

  std::size_t wrong = 0;
  for (const auto& [at, number] : reference) {
    const Service* found = index.find(to(at));
    if (found == nullptr || found->slot.value != number || found->pool.value != number + 1) ++wrong;
  }
  CHECK(wrong == 0);
  std::size_t absent = 0;
  for (int i = 0; i < 200'000; ++i) {
    const Endpoint at{Ipv4Address(Be32(static_cast<std::uint32_t>(0xc6336400 + chance() % 60'000))),
                      static_cast<std::uint16_t>(chance()), Protocol::tcp};
    if (reference.contains(at)) continue;
    ++absent;
    if (index.find(to(at)) != nullptr) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(absent > 50'000);
}

TEST_CASE("a pool without anybody to choose chooses nobody") {
  const Pool pool{std::make_shared<maglev::Table>(), {}};
  CHECK_FALSE(pool.choose(0).has_value());
}

TEST_CASE("a pool chooses the slot of the member that owns the hash") {
  const std::array<std::array<std::byte, 1>, 2> names{{{std::byte{1}}, {std::byte{2}}}};
  const maglev::Member members[] = {{names[0], 1}, {names[1], 1}};
  const Pool pool{std::make_shared<maglev::Table>(maglev::Table::build(members, 251)),
                  {BackendSlot{70}, BackendSlot{30}}};
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const std::uint64_t hash = i * 0x9e3779b97f4a7c15;
    const std::uint16_t owner = pool.table->member_at(gw_table_slot(hash, 251));
    REQUIRE(pool.choose(hash) == (owner == 0 ? BackendSlot{70} : BackendSlot{30}));
  }
}

}  // namespace
}  // namespace guideway
