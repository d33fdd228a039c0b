#include "xdp/nic.h"

#include "support/catch.h"

namespace guideway::xdp {
namespace {

Nic nic_with_mtu(std::uint32_t mtu, std::string driver = "igb") {
  Nic nic;
  nic.name = "eth0";
  nic.mtu = mtu;
  nic.driver = std::move(driver);
  return nic;
}

Result<std::uint32_t> for_copy(std::uint32_t mtu, std::uint32_t wanted = 0) {
  return choose_frame_bytes(nic_with_mtu(mtu), wanted, BindMode::copy);
}

}  // namespace

TEST_CASE(
    "the smaller frame is chosen as long as headroom, Ethernet, VLAN tags and the MTU fit into "
    "it") {
  CHECK(for_copy(1500).value() == 2048);
  CHECK(for_copy(1770).value() == 2048);
  CHECK(for_copy(1771).value() == 4096);
  CHECK(for_copy(3818).value() == 4096);
}

TEST_CASE("an MTU beyond the largest frame is refused with the MTU that would fit") {
  const auto refused = for_copy(9000);
  REQUIRE(!refused);
  CHECK(
      refused.error().text() ==
      "interface eth0: its MTU of 9000 does not fit frames of 4096 bytes: of these 3840 are for a "
      "packet, which with Ethernet and VLAN tags needs 9022 (ip link set dev eth0 mtu 3818)");
}

TEST_CASE("an MTU beyond the frame that was asked for is refused with the frame that would fit") {
  CHECK(for_copy(1600, 2048).value() == 2048);
  CHECK(for_copy(1500, 4096).value() == 4096);
  const auto refused = for_copy(1800, 2048);
  REQUIRE(!refused);
  CHECK(
      refused.error().text() ==
      "interface eth0: its MTU of 1800 does not fit frames of 2048 bytes: of these 1792 are for a "
      "packet, which with Ethernet and VLAN tags needs 1822 (set frame_size: 4096 or auto for "
      "this interface, or: ip link set dev eth0 mtu 1770)");
}

TEST_CASE(
    "with zero-copy a NIC that counts buffers in KiB gets frames that a packet is not split in") {
  const auto chosen = [](const char* driver, std::uint32_t mtu) {
    return choose_frame_bytes(nic_with_mtu(mtu, driver), 0, BindMode::zero_copy).value();
  };
  CHECK(chosen("igb", 998) == 2048);
  CHECK(chosen("igb", 999) == 4096);
  CHECK(chosen("igb", 3046) == 4096);
  CHECK(chosen("of another maker", 1500) == 4096);  // of which nothing is known
  CHECK(chosen("virtio_net", 1500) == 2048);
  CHECK(chosen("virtio_net", 1766) == 2048);
  CHECK(chosen("virtio_net", 1767) == 4096);
}

TEST_CASE("a frame size that the file demands is refused where packets would be split") {
  const auto refused = choose_frame_bytes(nic_with_mtu(1500), 2048, BindMode::zero_copy);
  REQUIRE(!refused);
  CHECK(refused.error().text() ==
        "interface eth0: its MTU of 1500 does not fit frames of 2048 bytes in zero-copy mode: of "
        "these 1020 are for a packet, which with Ethernet and VLAN tags needs 1522 (set "
        "frame_size: 4096 or auto for this interface, or: ip link set dev eth0 mtu 998)");
}

TEST_CASE("an interface that is not there is an error that names those that are") {
  const auto missing = find_nic("nosuch0");
  REQUIRE(!missing);
  CHECK(missing.error().what == "interface nosuch0: there is no such interface");
  CHECK(missing.error().hint.find("lo") != std::string::npos);
}

TEST_CASE("what is known of an interface is what the kernel says") {
  const auto lo = find_nic("lo");
  REQUIRE(lo);
  CHECK(lo->index == 1);
  CHECK(lo->mtu > 0);
  CHECK(lo->receive_queues == 1);
}

}  // namespace guideway::xdp
