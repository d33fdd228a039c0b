// What is said of an interface: link, MTU, queues, offloads, XDP program.
#include "judge_rows.h"

namespace guideway::doctor {
namespace {

constexpr const char* kSubject = "interface eth0";

void offload(World& world, const std::string& feature, Offload value) {
  auto all = *world.eth0().offloads;
  all[feature] = value;
  world.eth0().offloads = all;
}

void set_queues(World& world, std::uint32_t receive, std::uint32_t transmit) {
  world.eth0().receive_queues = receive;
  world.eth0().transmit_queues = transmit;
  std::vector<std::uint32_t> all(receive);
  for (std::uint32_t queue = 0; queue < receive; ++queue) all[queue] = queue;
  world.eth0().indirection = Indirection{.entries = 128, .queues = all};
}

void put_program(World& world, const char* name, bool ours, bool shares) {
  world.eth0().xdp_program = std::optional(XdpProgram{.mode = XdpProgram::Mode::native,
                                                      .id = 9,
                                                      .name = std::string(name),
                                                      .behind = {},
                                                      .ours = ours,
                                                      .shares = shares});
}

void put_dispatcher(World& world, std::vector<std::string> behind) {
  put_program(world, "xdp_dispatcher", false, true);
  auto program = **world.eth0().xdp_program;
  program.behind = std::move(behind);
  world.eth0().xdp_program = std::optional(std::move(program));
}

TEST_CASE("what is amiss with the link of an interface is told with what mends it") {
  check_rows(
      World(),
      {{"it is not there", [](World& world) { world.eth0().exists = false; }, Severity::error,
        "interface", "no such interface", "ip -brief link"},
       {"it is down", [](World& world) { world.eth0().up = false; }, Severity::error, "up", "down",
        "ip link set dev eth0 up"},
       {"no carrier", [](World& world) { world.eth0().carrier = false; }, Severity::error,
        "carrier", "no carrier", "cable"},
       {"an MTU of 1500", [](World& world) { world.eth0().mtu_bytes = 1500U; }, Severity::warning,
        "mtu", "MSS of the services to 1436", "ip link set dev eth0 mtu 1524"},
       {"an MTU of 1523", [](World& world) { world.eth0().mtu_bytes = 1523U; }, Severity::warning,
        "mtu", "1523 is too small", "ip link set dev eth0 mtu 1524"},
       {"an MTU of 9000", [](World& world) { world.eth0().mtu_bytes = 9000U; }, Severity::error,
        "frame_size", "holds packets of up to 3818", "ip link set dev eth0 mtu 3818"},
       {"an MTU of 2000 in small frames",
        [](World& world) {
          world.eth0().mtu_bytes = 2000U;
          world.config().frame_bytes = control::FrameBytes::small;
        },
        Severity::error, "frame_size", "2048", "ip link set dev eth0 mtu 1770"},
       {"an MTU beyond the driver's", [](World& world) { world.eth0().mtu_bytes = 3051U; },
        Severity::error, "native_mtu", "3050", "ip link set dev eth0 mtu 3050"},
       {"a port of a bridge",
        [](World& world) { world.eth0().master = Relative{.name = "br0", .kind = "bridge"}; },
        Severity::warning, "master", "bridge br0", ""},
       {"a VLAN on top",
        [](World& world) { world.eth0().upper = {{.name = "eth0.7", .kind = "vlan"}}; },
        Severity::note, "vlans", "eth0.7", ""}},
      kSubject);
}

TEST_CASE("an MTU of 1524 is enough, and one that no backend is reached by does not matter") {
  World enough;
  enough.eth0().mtu_bytes = 1524U;
  CHECK(amiss(enough.findings(), "mtu").empty());
  World elsewhere;
  elsewhere.eth0().mtu_bytes = 1500U;
  elsewhere.facts.backends.clear();
  CHECK(amiss(elsewhere.findings(), "mtu").empty());
  World generic;
  generic.config().mode = control::Mode::generic;
  generic.eth0().mtu_bytes = 3051U;
  CHECK(amiss(generic.findings(), "native_mtu").empty());
}

TEST_CASE("guidewayd is stopped for an MTU only where the buffers of igb hold no larger one") {
  World world = with_daemon();
  const auto mend = [&world](std::uint32_t mtu_bytes, const char* check) {
    world.eth0().mtu_bytes = mtu_bytes;
    const Findings said = amiss(world.findings(), check);
    REQUIRE(said.size() == 1);
    return said.front().mend.text;
  };
  const std::string set = "ip link set dev eth0 mtu 1524";
  CHECK(mend(1500, "mtu") == set);
  world.eth0().driver = Driver{.name = "igb", .version = {}, .bus = {}, .firmware = {}};
  CHECK(mend(1500, "mtu") == "systemctl stop guideway; " + set + "; systemctl start guideway");
  CHECK(mend(1520, "mtu") == set);
  CHECK(mend(9000, "frame_size") == "ip link set dev eth0 mtu 3818");
  world.running->interfaces.front().attachment = "generic";
  CHECK(mend(1500, "mtu") == set);
  world.running.reset();
  CHECK(mend(1500, "mtu") == set);
}

TEST_CASE("of an interface that is not there nothing else is said") {
  World world;
  world.eth0() = {};
  world.eth0().name = "eth0";
  CHECK(amiss(world.findings()).size() == 3);  // it, the way by it, and that no daemon runs
  const Findings found = amiss(world.findings(), "other_interface");
  REQUIRE(found.size() == 1);
  CHECK(found.front().mend == Mend::by_hand("interfaces: in /etc/gw.yaml, first of all"));
}

TEST_CASE("what is amiss with the queues of an interface is told with what mends it") {
  check_rows(
      World(),
      {{"300 queues", [](World& world) { set_queues(world, 300, 300); }, Severity::error, "queues",
        "at most 256", "ethtool -L eth0 combined 256"},
       {"a queue that there is not",
        [](World& world) {
          world.config().queues = {0, 5};
        },
        Severity::error, "queues", "no receive queue 5: it has 2 queues", "queues: all"},
       {"fewer to transmit",
        [](World& world) {
          set_queues(world, 4, 2);
          world.eth0().channels = Channels{.receive = 4, .transmit = 2};
        },
        Severity::error, "queues", "no transmit queue", "ethtool -L eth0 rx 2 tx 2"},
       {"the first one only", [](World& world) { world.config().queues = {0}; }, Severity::error,
        "unserved_queues", "no worker serves queue 1", "ethtool -X eth0 equal 1"},
       {"the second one only", [](World& world) { world.config().queues = {1}; }, Severity::error,
        "unserved_queues", "no worker serves queue 0", "queues: all"},
       {"the first one only, spread not known",
        [](World& world) {
          world.config().queues = {0};
          world.eth0().indirection = Unknown{Why::not_supported, ""};
        },
        Severity::error, "unserved_queues", "queue 1", "ethtool -L eth0 combined 1"},
       {"spread to one of two",
        [](World& world) { world.eth0().indirection = Indirection{.entries = 128, .queues = {0}}; },
        Severity::warning, "idle_queues", "queue 1", "ethtool -X eth0 equal 2"},
       {"UDP without ports",
        [](World& world) {
          world.eth0().hash_udp4 = HashFields{.addresses = true, .ports = false, .raw = 0x30};
        },
        Severity::note, "hash_udp", "UDP by addresses alone",
        "ethtool -N eth0 rx-flow-hash udp4 sdfn"},
       {"TCP without ports",
        [](World& world) {
          world.eth0().hash_tcp4 = HashFields{.addresses = true, .ports = false, .raw = 0x30};
        },
        Severity::warning, "hash_tcp", "TCP by addresses alone",
        "ethtool -N eth0 rx-flow-hash tcp4 sdfn"},
       {"8 queues on 4 CPUs", [](World& world) { set_queues(world, 8, 8); }, Severity::warning,
        "workers", "8 workers share 4 CPUs", "ethtool -L eth0 combined 4"},
       {"2 queues on one CPU, busy",
        [](World& world) {
          world.config().cpus = {1};
          world.config().busy_poll = true;
        },
        Severity::warning, "workers", "busy_poll", "interfaces[].cpus"}},
      kSubject);
}

TEST_CASE("queues that no packets come to need no worker") {
  World world;
  world.config().queues = {0};
  world.eth0().indirection = Indirection{.entries = 128, .queues = {0}};
  CHECK(amiss(world.findings(), "unserved_queues").empty());
}

TEST_CASE("a NIC that does not say what it hashes is not told to hash ports") {
  World world;
  world.eth0().hash_tcp4 = HashFields{};
  const Findings said = amiss(world.findings(), "hash_tcp");
  REQUIRE(said.size() == 1);
  CHECK(said.front().severity == Severity::note);
  CHECK(said.front().mend == Mend{});
}

TEST_CASE("the hash of a protocol that no service has does not matter") {
  World world;
  world.model.services.front().endpoints = {Endpoint{address("198.51.100.1"), 80, Protocol::tcp}};
  world.eth0().hash_udp4 = HashFields{.addresses = true, .ports = false, .raw = 0x30};
  CHECK(amiss(world.findings(), "hash_udp").empty());
}

TEST_CASE("offloads that are in the way are told with what switches them off") {
  check_rows(
      World(),
      {{"LRO", [](World& world) { offload(world, "rx-lro", {.on = true}); }, Severity::warning,
        "rx-lro", "drivers refuse XDP", "ethtool -K eth0 lro off"},
       {"LRO for good", [](World& world) { offload(world, "rx-lro", {.on = true, .fixed = true}); },
        Severity::warning, "rx-lro", "drivers refuse XDP", "does not let it be switched off"},
       {"GRO by the NIC", [](World& world) { offload(world, "rx-gro-hw", {.on = true}); },
        Severity::warning, "rx-gro-hw", "drivers refuse XDP", "ethtool -K eth0 rx-gro-hw off"},
       {"generic mode above another device",
        [](World& world) {
          world.config().mode = control::Mode::generic;
          world.eth0().lower = {{.name = "eth1", .kind = ""}, {.name = "eth2", .kind = ""}};
        },
        Severity::note, "gro", "GRO of eth1 and eth2, below it",
        "ethtool -K eth1 gro off && ethtool -K eth2 gro off"},
       {"a veth",
        [](World& world) {
          world.eth0().driver = Driver{.name = "veth", .version = {}, .bus = {}, .firmware = {}};
        },
        Severity::note, "veth_peer", "its peer has left undone", "ethtool -K PEER tx off"}},
      kSubject);
}

TEST_CASE("LRO does not matter in generic mode, nor GRO of the interface itself in any") {
  World world;
  REQUIRE(world.eth0().offloads->at("rx-gro").on);
  CHECK(amiss(world.findings(), "gro").empty());
  offload(world, "rx-lro", {.on = true});
  world.config().mode = control::Mode::generic;
  CHECK(amiss(world.findings(), "rx-lro").empty());
  CHECK(amiss(world.findings(), "gro").empty());
}

TEST_CASE("GRO by a virtio device is switched off by its driver where it can be") {
  World world;
  world.eth0().driver = Driver{.name = "virtio_net", .version = {}, .bus = {}, .firmware = {}};
  offload(world, "rx-gro-hw", {.on = true});
  CHECK(amiss(world.findings(), "rx-gro-hw").empty());
  offload(world, "rx-gro-hw", {.on = true, .fixed = true});
  CHECK(amiss(world.findings(), "rx-gro-hw").size() == 1);
}

TEST_CASE("an XDP program that is in the way is told with what takes it off") {
  check_rows(World(),
             {{"one that does not share",
               [](World& world) { put_program(world, "firewall", false, false); }, Severity::error,
               "program", "firewall (id 9), and does not share", "ip link set dev eth0 xdpdrv off"},
              {"one in generic mode",
               [](World& world) {
                 put_program(world, "firewall", false, false);
                 auto program = **world.eth0().xdp_program;
                 program.mode = XdpProgram::Mode::generic;
                 world.eth0().xdp_program = std::optional(program);
               },
               Severity::error, "program", "does not share", "ip link set dev eth0 xdpgeneric off"},
              {"a dispatcher of others",
               [](World& world) { put_program(world, "xdp_dispatcher", false, true); },
               Severity::note, "program", "it is shared with xdp_dispatcher", ""},
              {"a dispatcher that has others behind it",
               [](World& world) {
                 put_dispatcher(world, {"firewall", "sampler"});
               },
               Severity::note, "program", "it is shared with firewall and sampler", ""},
              {"a dispatcher that is left with nobody behind it",
               [](World& world) { put_dispatcher(world, {}); }, Severity::warning, "program",
               "killed has left xdp_dispatcher (id 9) on it, without a program behind it",
               "ip link set dev eth0 xdpdrv off"},
              {"left by a daemon that was killed",
               [](World& world) { put_program(world, "guideway_steer", true, false); },
               Severity::warning, "program", "that was killed has left guideway_steer (id 9)",
               "ip link set dev eth0 xdpdrv off"},
              {"left behind a dispatcher beside others",
               [](World& world) {
                 put_program(world, "xdp_dispatcher", true, true);
                 auto program = **world.eth0().xdp_program;
                 program.behind = std::vector<std::string>{"filter", "guideway_steer"};
                 program.ours_id = 12;
                 world.eth0().xdp_program = std::optional(program);
               },
               Severity::warning, "program", "its program (id 12) behind xdp_dispatcher (id 9)",
               "xdp-loader unload eth0 --id 12"},
              {"a daemon that is not reached",
               [](World& world) {
                 world.eth0().served_by = std::optional(
                     Server{.pid = 99, .program = "guidewayd", .locked_memory_limit_bytes = {}});
               },
               Severity::warning, "served_by", "guidewayd (pid 99), which is not reached",
               "--socket PATH"}},
             kSubject);
}

TEST_CASE("an interface that another daemon serves than the one that answers is an error") {
  check_rows(with_daemon(),
             {{"another pid",
               [](World& world) {
                 world.eth0().served_by = std::optional(
                     Server{.pid = 99, .program = "guidewayd", .locked_memory_limit_bytes = {}});
               },
               Severity::error, "served_by", "not the daemon that answers", "end one of the two"}},
             kSubject);
}

}  // namespace
}  // namespace guideway::doctor
