#include <boost/json/serialize.hpp>

#include "doctor/facts_json.h"
#include "doctor/interface.h"
#include "doctor/read_facts.h"
#include "flow/table.h"
#include "support/catch.h"

namespace guideway::doctor {
namespace {

namespace json = boost::json;

control::Model model_of(const char* interface) {
  control::Model model;
  model.interfaces.push_back({.name = interface, .queues = {}, .cpus = {}});
  return model;
}

const json::object& interface_of(const json::object& document) {
  return document.at("interfaces").as_array().at(0).as_object();
}

}  // namespace

TEST_CASE("without a configuration the host is told of, and nothing else") {
  const Facts facts = read_facts(nullptr);
  CHECK_FALSE(facts.host.kernel.release.empty());
  CHECK(facts.host.kernel.at_least(4, 18));
  CHECK(facts.host.cpu.allowed.known());
  CHECK_FALSE(facts.host.libbpf_version.empty());
  CHECK(facts.host.libxdp_version.known());
  CHECK(facts.interfaces.empty());
  CHECK(facts.backends.empty());
}

TEST_CASE("an interface that is not there is told as such") {
  const control::Model model = model_of("nosuch0");
  const Facts facts = read_facts(&model);
  REQUIRE(facts.interfaces.size() == 1);
  CHECK_FALSE(facts.interfaces[0].exists);
  CHECK(json::serialize(interface_of(to_json(facts))) == R"({"name":"nosuch0","exists":false})");
}

TEST_CASE("of an interface that is there, all that the kernel tells is known") {
  const control::Model model = model_of("lo");
  const Facts facts = read_facts(&model);
  REQUIRE(facts.interfaces.size() == 1);
  const InterfaceFacts& lo = facts.interfaces[0];
  CHECK(lo.exists);
  CHECK(lo.index == 1);
  CHECK(lo.mtu_bytes.known());
  CHECK(lo.xdp_program.is(std::nullopt));
  CHECK(lo.served_by.is(std::nullopt));
  CHECK(lo.numa_node.is(std::nullopt));
  REQUIRE(lo.offloads);
  CHECK(lo.offloads->contains("rx-gro"));
  CHECK(lo.offloads->at("loopback").fixed);
  CHECK(lo.channels.unknown().why == Why::not_supported);
}

TEST_CASE("memory of a configuration is reckoned for each served queue") {
  InterfaceFacts facts;
  facts.name = "eth0";
  facts.receive_queues = 4;
  facts.mtu_bytes = 1500;
  control::Interface config{.name = "eth0", .queues = {}, .cpus = {}};
  config.frames = 8192;
  const control::FlowTableConfig flow_table{.entries = 1 << 20};
  reckon_memory(facts, config, flow_table);
  CHECK(facts.served_queues == 4);
  CHECK(facts.frame_bytes.is(2048));
  CHECK(facts.umem_bytes.is(std::uint64_t{4} * 8192 * 2048));
  CHECK(facts.flow_tables_bytes.is(4 * flow::Table::bytes_for(1 << 20)));
  config.queues = {0, 2};
  facts.mtu_bytes = 3000;
  reckon_memory(facts, config, flow_table);
  CHECK(facts.served_queues == 2);
  CHECK(facts.umem_bytes.is(std::uint64_t{2} * 8192 * 4096));
}

TEST_CASE("memory of an MTU that fits no frame is unknown, with what to set") {
  InterfaceFacts facts;
  facts.name = "eth0";
  facts.receive_queues = 1;
  facts.mtu_bytes = 9000;
  reckon_memory(facts, {.name = "eth0", .queues = {}, .cpus = {}}, {});
  REQUIRE_FALSE(facts.umem_bytes);
  CHECK(facts.umem_bytes.because().find("MTU of 9000 does not fit") != std::string::npos);
  CHECK(facts.flow_tables_bytes.known());
}

TEST_CASE("a flow table takes the bytes that are reckoned for it") {
  // 2^20 entries: 2^18 buckets of 64 bytes, and their keys; both in whole pages of 2 MiB.
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  constexpr std::size_t kBuckets = std::size_t{1} << 18;
  CHECK(flow::Table::bytes_for(1 << 20) == kBuckets * 64 + kBuckets * 6 * sizeof(gw_flow_key));
  CHECK(flow::Table::bytes_for(1024) == 2 * kHugePage);
  CHECK(flow::Table(1024, {}).capacity() * 64 / 6 <= flow::Table::bytes_for(1024));
}

TEST_CASE("a value that is not known is an object with the reason, and one that is none is null") {
  Facts facts;
  InterfaceFacts interface;
  interface.name = "eth0";
  interface.exists = true;
  interface.up = true;
  interface.mtu_bytes = Unknown{Why::no_privilege, "asking: not permitted"};
  interface.xdp_program = std::optional<XdpProgram>();
  facts.interfaces.push_back(interface);
  const json::object document = to_json(facts);
  const json::object& shown = interface_of(document);
  CHECK(shown.at("up").as_bool());
  CHECK(json::serialize(shown.at("mtu_bytes")) ==
        R"({"unknown":"asking: not permitted","why":"no_privilege"})");
  CHECK(shown.at("xdp_program").is_null());
  CHECK(shown.at("carrier").at("why").as_string() == "not_read");
}

TEST_CASE("the way to a backend is told with its neighbour") {
  Facts facts;
  const auto backend = Ipv4Address::parse("10.0.0.11").value();
  const auto gateway = Ipv4Address::parse("10.0.0.1").value();
  RouteFact route;
  route.kind = RouteFact::Kind::unicast;
  route.device = "eth0";
  route.gateway = gateway;
  facts.backends.push_back(
      {.address = backend,
       .route = route,
       .neighbour =
           NeighbourFact{.address = gateway, .state = NeighbourFact::State::failed, .mac = {}}});
  const json::object document = to_json(facts);
  const json::object& shown = document.at("backends").as_array().at(0).as_object();
  CHECK(shown.at("address").as_string() == "10.0.0.11");
  CHECK(shown.at("route").at("gateway").as_string() == "10.0.0.1");
  CHECK(shown.at("neighbour").at("state").as_string() == "failed");
  CHECK(shown.at("neighbour").at("mac").is_null());
}

TEST_CASE("to a backend that is this host itself there is no way by a device") {
  control::Model model = model_of("lo");
  control::PoolConfig pool;
  pool.name = "web";
  pool.backends.push_back({.address = Ipv4Address::parse("127.0.0.1").value()});
  model.pools.push_back(pool);
  const Facts facts = read_facts(&model);
  REQUIRE(facts.backends.size() == 1);
  REQUIRE(facts.backends[0].route);
  CHECK(facts.backends[0].route->kind == RouteFact::Kind::local);
  CHECK(facts.backends[0].neighbour.unknown().why == Why::not_there);
}

}  // namespace guideway::doctor
