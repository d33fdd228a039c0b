#include "doctor/documented_features.h"

#include "doctor/netdev_features.h"
#include "support/catch.h"

namespace guideway::doctor {
namespace {

KernelFacts kernel(std::uint32_t major, std::uint32_t minor) {
  KernelFacts facts;
  facts.major = major;
  facts.minor = minor;
  return facts;
}

}  // namespace

TEST_CASE("a driver has what the table says from that kernel on") {
  const auto before = documented_features("ixgbe", kernel(4, 11));
  REQUIRE(before);
  CHECK_FALSE(before->native);
  const auto native = documented_features("ixgbe", kernel(4, 19));
  CHECK(native->native);
  CHECK(native->redirect);
  CHECK_FALSE(native->zero_copy);
  CHECK(documented_features("ixgbe", kernel(4, 20))->zero_copy);
  CHECK(documented_features("ixgbe", kernel(5, 0))->zero_copy);
  CHECK(native->source == XdpFeatures::Source::table);
}

TEST_CASE("a driver that is known to have nothing has nothing on any kernel") {
  CHECK_FALSE(documented_features("tg3", kernel(99, 0))->native);
  CHECK_FALSE(documented_features("veth", kernel(99, 0))->zero_copy);
}

TEST_CASE("native XDP that cannot redirect is of no use to AF_XDP, and told apart") {
  const auto features = documented_features("mlx4_en", kernel(5, 10));
  CHECK(features->native);
  CHECK_FALSE(features->redirect);
}

TEST_CASE("of a driver that nobody wrote down, nothing is known, and it is named") {
  const auto features = documented_features("nosuchdriver", kernel(6, 1));
  REQUIRE_FALSE(features);
  CHECK(features.unknown().why == Why::not_supported);
  CHECK(features.because().ends_with("of the driver nosuchdriver"));
}

TEST_CASE("the kernel's mask of XDP features is read bit by bit") {
  const XdpFeatures veth = features_of(0b0100011, 0);
  CHECK(veth.native);
  CHECK(veth.redirect);
  CHECK(veth.multi_buffer);
  CHECK_FALSE(veth.transmit);
  CHECK_FALSE(veth.zero_copy);
  CHECK(veth.source == XdpFeatures::Source::kernel);
  const XdpFeatures ice = features_of(0b1101111, 8);
  CHECK(ice.transmit);
  CHECK(ice.zero_copy);
  CHECK(ice.zero_copy_segments == 8);
  CHECK_FALSE(features_of(0, 0).native);
  CHECK(features_of(4, 0).transmit);
  CHECK_FALSE(features_of(4, 0).zero_copy);
  CHECK_FALSE(features_of(8, 0).transmit);
  CHECK(features_of(8, 0).zero_copy);
}

}  // namespace guideway::doctor
