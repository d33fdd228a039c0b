#include "doctor/device.h"

#include "scratch_root.h"
#include "support/catch.h"

namespace guideway::doctor {

TEST_CASE("devices on top of an interface and below it are told with their kind") {
  ScratchRoot root;
  root.write("sys/class/net/bond0/uevent", "DEVTYPE=bond\nINTERFACE=bond0");
  root.write("sys/class/net/eth0.7/uevent", "DEVTYPE=vlan\nINTERFACE=eth0.7");
  root.write("sys/class/net/eth0/uevent", "INTERFACE=eth0");
  root.link("sys/class/net/eth0/master", "sys/class/net/bond0");
  root.link("sys/class/net/eth0/upper_bond0", "sys/class/net/bond0");
  root.link("sys/class/net/eth0/upper_eth0.7", "sys/class/net/eth0.7");
  root.link("sys/class/net/bond0/lower_eth0", "sys/class/net/eth0");
  const Relatives port = read_relatives("eth0", root.path());
  CHECK(port.master == Relative{"bond0", "bond"});
  CHECK(port.upper == std::vector<Relative>{{"bond0", "bond"}, {"eth0.7", "vlan"}});
  CHECK(port.lower.empty());
  const Relatives bond = read_relatives("bond0", root.path());
  CHECK_FALSE(bond.master);
  CHECK(bond.lower == std::vector<Relative>{{"eth0", ""}});
  CHECK(read_kind("bond0", root.path()) == "bond");
  CHECK(read_kind("eth0", root.path()).empty());
}

TEST_CASE("the NUMA node of a device is its own, and -1 or no device is none") {
  ScratchRoot root;
  root.write("sys/class/net/eth0/device/numa_node", "1");
  root.write("sys/class/net/eth1/device/numa_node", "-1");
  root.write("sys/devices/0000:03:00.0/numa_node", "2");
  root.make_folder("sys/devices/0000:03:00.0/virtio2");
  root.link("sys/class/net/eth2/device", "sys/devices/0000:03:00.0/virtio2");
  CHECK(read_numa_node("eth2", root.path()).is(2));
  root.make_folder("sys/class/net/veth0");
  CHECK(read_numa_node("eth0", root.path()).is(1));
  CHECK(read_numa_node("eth1", root.path()).is(std::nullopt));
  CHECK(read_numa_node("veth0", root.path()).is(std::nullopt));
}

TEST_CASE("carrier, MAC address and rp_filter are what the files say") {
  ScratchRoot root;
  root.write("sys/class/net/eth0/carrier", "0");
  root.write("sys/class/net/eth0/address", "02:00:00:00:0a:ff");
  root.write("proc/sys/net/ipv4/conf/eth0/rp_filter", "2");
  CHECK(read_carrier("eth0", root.path()).is(false));
  CHECK(read_mac("eth0", root.path()).is(MacAddress{{2, 0, 0, 0, 0x0a, 0xff}}));
  CHECK(read_rp_filter("eth0", root.path()).is(2));
  CHECK_FALSE(read_rp_filter("all", root.path()));
}

TEST_CASE("an address that is no MAC address is not taken for one") {
  ScratchRoot root;
  for (const char* text : {"", "02:00:00:00:0a", "02:00:00:00:0a:fg", "10.77.1.2/24.1234"}) {
    root.write("sys/class/net/tun0/address", text);
    const auto mac = read_mac("tun0", root.path());
    REQUIRE_FALSE(mac);
    CHECK(mac.unknown().why == Why::not_supported);
  }
}

TEST_CASE("what a virtio device was given is read of its feature bits, and others have none") {
  ScratchRoot root;
  const auto put = [&root](const std::string& interface, const std::string& device) {
    root.make_folder("sys/devices/" + device);
    root.link("sys/class/net/" + interface + "/device", "sys/devices/" + device);
  };
  const auto bits = [](std::initializer_list<std::size_t> set) {
    std::string text(64, '0');
    for (const std::size_t bit : set) text[bit] = '1';
    return text;
  };
  put("eth0", "virtio0");
  put("eth1", "virtio1");
  put("eth2", "virtio2");
  put("eth3", "0000:03:00.0");
  root.make_folder("sys/class/net/veth0");
  root.write("sys/devices/virtio0/features", bits({0, 33, 40}));
  root.write("sys/devices/virtio1/features", bits({32, 34, 40}));
  CHECK(read_virtio("eth0", root.path())
            .is(std::optional(VirtioFacts{.access_platform = true, .ring_reset = true})));
  CHECK(read_virtio("eth1", root.path())
            .is(std::optional(VirtioFacts{.access_platform = false, .ring_reset = true})));
  CHECK_FALSE(read_virtio("eth2", root.path()));
  CHECK(read_virtio("eth3", root.path()).is(std::nullopt));
  CHECK(read_virtio("veth0", root.path()).is(std::nullopt));
}

}  // namespace guideway::doctor
