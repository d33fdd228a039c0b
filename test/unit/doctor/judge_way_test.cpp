// What is said of the mode of an interface: what to expect, and what was obtained.
#include "doctor/way.h"

#include "judge_rows.h"

namespace guideway::doctor {
namespace {

constexpr const char* kSubject = "interface eth0";

// A driver without XDP of its own.
void take_native(World& world) { world.eth0().xdp = XdpFeatures{}; }

void take_zero_copy(World& world) {
  world.eth0().xdp = XdpFeatures{.native = true, .redirect = true};
}

void give_virtio(World& world, bool access_platform, bool ring_reset) {
  world.eth0().virtio =
      std::optional(VirtioFacts{.access_platform = access_platform, .ring_reset = ring_reset});
}

TEST_CASE("what keeps an interface from the fastest mode is told with what mends it") {
  check_rows(
      World(),
      {{"no native XDP", take_native, Severity::warning, "mode",
        "generic mode, which is some times slower: the driver ixgbe has no XDP of its own; its "
        "driver has it from Linux 9.1 on",
        "a kernel that has it"},
       {"no native XDP, and no kernel that has it",
        [](World& world) {
          take_native(world);
          world.eth0().driver_support = DriverSupport{};
        },
        Severity::warning, "mode", "has no XDP of its own", "a NIC whose driver has it"},
       {"native XDP that gives nothing to sockets",
        [](World& world) { world.eth0().xdp = XdpFeatures{.native = true}; }, Severity::warning,
        "mode",
        "none that gives packets to sockets (XDP_REDIRECT); its driver has it from Linux 9.2",
        "a kernel that has it"},
       {"no native XDP, which is demanded",
        [](World& world) {
          take_native(world);
          world.config().mode = control::Mode::copy;
        },
        Severity::error, "mode", "which the file demands", "mode: auto"},
       {"no zero-copy", take_zero_copy, Severity::note, "mode", "from Linux 9.3 on", ""},
       {"a virtio device that was given too little",
        [](World& world) { give_virtio(world, false, true); }, Severity::note, "mode",
        "the virtual machine's host does not give the device VIRTIO_F_ACCESS_PLATFORM",
        "iommu_platform=on"},
       {"a virtio device that was given too little for what is demanded",
        [](World& world) {
          give_virtio(world, true, false);
          world.config().mode = control::Mode::zero_copy;
        },
        Severity::error, "mode", "does not give the device VIRTIO_F_RING_RESET", "mode: auto"},
       {"frames that the NIC uses a part of",
        [](World& world) { world.config().frame_bytes = control::FrameBytes::small; },
        Severity::note, "mode", "they may have 998 bytes", "frame_size: auto"},
       {"an MTU that the NIC splits",
        [](World& world) {
          world.eth0().mtu_bytes = 3060U;
          world.eth0().native_mtu_limit_bytes = 3500;
        },
        Severity::note, "mode", "they may have 3046 bytes", "an MTU of up to 3046"},
       {"no zero-copy, which is demanded",
        [](World& world) {
          take_zero_copy(world);
          world.config().mode = control::Mode::zero_copy;
        },
        Severity::error, "mode", "no zero-copy, which the file demands", "mode: auto"},
       {"generic mode by the file",
        [](World& world) { world.config().mode = control::Mode::generic; }, Severity::warning,
        "mode", "though the driver ixgbe has XDP of its own", "mode: auto"},
       {"copies by the file", [](World& world) { world.config().mode = control::Mode::copy; },
        Severity::note, "mode", "though the driver ixgbe has zero-copy", "mode: auto"},
       {"ena with more than half of its queues",
        [](World& world) {
          world.eth0().driver = Driver{.name = "ena", .version = {}, .bus = {}, .firmware = {}};
          world.eth0().channels = Channels{.combined = 5, .max_combined = 8};
        },
        Severity::warning, "spare_queues", "half of its 8 queues", "ethtool -L eth0 combined 4"},
       {"a long ring of the NIC",
        [](World& world) { world.eth0().rings = Rings{.receive = 4096, .transmit = 512}; },
        Severity::warning, "nic_ring", "4096", "ethtool -G eth0 rx 1024"},
       {"busy polling beside the kernel's",
        [](World& world) {
          world.config().busy_poll = true;
          world.eth0().napi_defer_hard_irqs = 0U;
          world.eth0().gro_flush_timeout_ns = std::uint64_t{0};
        },
        Severity::warning, "busy_poll", "put off",
        "echo 2 > /sys/class/net/eth0/napi_defer_hard_irqs && echo 200000 > "
        "/sys/class/net/eth0/gro_flush_timeout"},
       {"busy polling on an old kernel",
        [](World& world) {
          world.config().busy_poll = true;
          world.facts.host.kernel.major = 5;
          world.facts.host.kernel.minor = 10;
        },
        Severity::error, "busy_poll", "from Linux 5.11 on", "busy_poll: false"}},
      kSubject);
}

TEST_CASE("a kernel that has come is not named as the one that would mend it") {
  World world;
  world.eth0().driver_support =
      DriverSupport{.native_since = "4.1", .redirect_since = "4.2", .zero_copy_since = "4.3"};
  take_zero_copy(world);
  const Findings copies = amiss(world.findings(), "mode");
  REQUIRE(copies.size() == 1);
  CHECK(copies.front().text == "each packet is copied: the driver ixgbe has no zero-copy");
}

TEST_CASE("a virtio device that was given all that it needs has zero-copy") {
  World world;
  give_virtio(world, true, true);
  CHECK(amiss(world.findings(), "mode").empty());
}

TEST_CASE("busy polling is right where the kernel's own is put off") {
  World world;
  world.config().busy_poll = true;
  world.eth0().napi_defer_hard_irqs = 2U;
  world.eth0().gro_flush_timeout_ns = std::uint64_t{200'000};
  CHECK(amiss(world.findings(), "busy_poll").empty());
}

// As many queues as it has CPUs to spare, and more than are online.
void give_spare_queues(World& world) {
  world.eth0().driver = Driver{.name = "virtio_net", .version = {}, .bus = {}, .firmware = {}};
  world.eth0().queues_for_xdp = 6;
  world.eth0().channels = Channels{.combined = 2, .max_combined = 8};
}

TEST_CASE("queues that virtio_net switches on for XDP are told of beforehand") {
  World world;
  give_spare_queues(world);
  const auto of_kind = [&world](Severity severity) {
    const Findings said = amiss(world.findings(), "spare_queues");
    REQUIRE(said.size() == 1);
    CHECK(said.front().severity == severity);
    CHECK(said.front().mend.text == "ethtool -L eth0 combined 8");
  };
  of_kind(Severity::warning);
  world.config().mode = control::Mode::copy;
  of_kind(Severity::error);
  world.eth0().channels = Channels{.combined = 2, .max_combined = 7};
  CHECK(amiss(world.findings(), "spare_queues").empty());
  give_spare_queues(world);
  world.config().mode = control::Mode::generic;
  CHECK(amiss(world.findings(), "spare_queues").empty());
}

TEST_CASE("with queues to spare no other mode than generic is expected, nor said to be right") {
  World world;
  give_spare_queues(world);
  CHECK(expected_way(world.eth0(), world.config()) == Way::generic);
  for (const control::Mode mode :
       {control::Mode::automatic, control::Mode::copy, control::Mode::zero_copy}) {
    world.config().mode = mode;
    for (const Finding& finding : world.findings())
      CHECK((finding.check != "mode" && finding.check != "nic_ring"));
  }
  world.eth0().channels = Unknown{Why::not_supported, ""};
  CHECK(expected_way(world.eth0(), world.config()) == Way::zero_copy);
}

TEST_CASE("queues are not switched on beside a daemon that has no worker for them") {
  World world = with_daemon();
  give_spare_queues(world);
  world.running->interfaces.front().attachment = "generic";
  for (RunningQueue& queue : world.running->interfaces.front().queues) queue.mode = "copy";
  const Findings said = amiss(world.findings(), "spare_queues");
  REQUIRE(said.size() == 1);
  CHECK(said.front().mend.text ==
        "systemctl stop guideway; ethtool -L eth0 combined 8; systemctl start guideway");
  CHECK(amiss(world.findings(), "obtained").empty());
}

TEST_CASE("of a driver that nobody knows, and a kernel that does not tell, that is said") {
  World world;
  world.eth0().driver = Driver{.name = "newnic", .version = {}, .bus = {}, .firmware = {}};
  world.eth0().xdp = Unknown{Why::not_supported, "nothing is known here of the driver newnic"};
  const Findings said = amiss(world.findings(), "mode");
  REQUIRE(said.size() == 1);
  CHECK(said.front().severity == Severity::note);
  CHECK(said.front().text.starts_with("what XDP the driver newnic has is not known here"));
}

TEST_CASE("generic mode is right where nothing better was to be expected") {
  World world = with_daemon();
  world.running->interfaces.front().attachment = "generic";
  for (RunningQueue& queue : world.running->interfaces.front().queues) queue.mode = "copy";
  CHECK(amiss(world.findings(), "obtained").size() == 1);
  take_native(world);
  CHECK(amiss(world.findings(), "obtained").empty());
}

TEST_CASE("with zero-copy a frame is of the size that the NIC does not split packets in") {
  InterfaceFacts facts = healthy_interface();
  control::Interface config{.name = "eth0", .queues = {}, .cpus = {}};
  CHECK(expected_way(facts, config) == Way::zero_copy);
  config.frame_bytes = control::FrameBytes::small;
  CHECK(expected_way(facts, config) == Way::copy);
  facts.driver = Driver{.name = "virtio_net", .version = {}, .bus = {}, .firmware = {}};
  CHECK(expected_way(facts, config) == Way::zero_copy);
}

}  // namespace
}  // namespace guideway::doctor
