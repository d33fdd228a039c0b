#include "xdp/nic.h"

#include "support/catch.h"

namespace guideway::xdp {
namespace {

Nic nic_with_mtu(std::uint32_t mtu) {
  Nic nic;
  nic.name = "eth0";
  nic.mtu = mtu;
  return nic;
}

}  // namespace

TEST_CASE(
    "the smaller frame is chosen as long as headroom, Ethernet, VLAN tags and the MTU fit into "
    "it") {
  CHECK(choose_frame_bytes(nic_with_mtu(1500), 0).value() == 2048);
  CHECK(choose_frame_bytes(nic_with_mtu(1770), 0).value() == 2048);
  CHECK(choose_frame_bytes(nic_with_mtu(1771), 0).value() == 4096);
  CHECK(choose_frame_bytes(nic_with_mtu(3818), 0).value() == 4096);
}

TEST_CASE("an MTU beyond the largest frame is refused with the MTU that would fit") {
  const auto refused = choose_frame_bytes(nic_with_mtu(9000), 0);
  REQUIRE(!refused);
  CHECK(refused.error().text() ==
        "interface eth0: its MTU of 9000 does not fit frames of 4096 bytes: with headroom, "
        "Ethernet and VLAN tags a "
        "packet needs 9278 (ip link set dev eth0 mtu 3818)");
}

TEST_CASE("an MTU beyond the frame that was asked for is refused with the frame that would fit") {
  CHECK(choose_frame_bytes(nic_with_mtu(1600), 2048).value() == 2048);
  CHECK(choose_frame_bytes(nic_with_mtu(1500), 4096).value() == 4096);
  const auto refused = choose_frame_bytes(nic_with_mtu(1800), 2048);
  REQUIRE(!refused);
  CHECK(refused.error().text() ==
        "interface eth0: its MTU of 1800 does not fit frames of 2048 bytes: with headroom, "
        "Ethernet and VLAN tags a "
        "packet needs 2078 (set frame_size: 4096 or auto for this interface, or: ip link set dev "
        "eth0 mtu 1770)");
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
