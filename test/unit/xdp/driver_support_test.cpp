#include "xdp/driver_support.h"

#include "support/catch.h"

namespace guideway::xdp {

TEST_CASE("the version of a kernel is the first two numbers of its release") {
  CHECK(parse_kernel_version("6.1.0-18-amd64") == KernelVersion{6, 1});
  CHECK(parse_kernel_version("7.3.4+deb13-amd64") == KernelVersion{7, 3});
  CHECK(parse_kernel_version("5.10") == KernelVersion{5, 10});
  CHECK(parse_kernel_version("6") == KernelVersion{6, 0});
  CHECK(parse_kernel_version("") == KernelVersion{});
  CHECK(running_kernel() > KernelVersion{4, 18});
}

TEST_CASE("what came with a kernel is in it and in those after it, by number and not by letter") {
  CHECK(has_come("6.14", {6, 14}));
  CHECK(has_come("6.14", {7, 0}));
  CHECK_FALSE(has_come("6.14", {6, 2}));
  CHECK_FALSE(has_come("", {99, 0}));
}

TEST_CASE("a driver without zero-copy is told with the kernel that brings it") {
  CHECK(why_no_zero_copy("igb", {6, 1}) ==
        "the driver igb has zero-copy from Linux 6.14 on, and this is 6.1");
  CHECK(why_no_zero_copy("veth", {7, 3}) == "the driver veth has no zero-copy");
  CHECK(why_no_zero_copy("nosuchdriver", {6, 1}).empty());
}

TEST_CASE("virtio_net has zero-copy since 6.13, of a host that maps memory and resets rings") {
  CHECK(why_no_zero_copy("virtio_net", {6, 12}) ==
        "the driver virtio_net has zero-copy from Linux 6.13 on, and this is 6.12");
  const std::string why = why_no_zero_copy("virtio_net", {7, 3});
  CHECK(why.starts_with("the driver virtio_net has zero-copy where the virtual machine's host "));
  CHECK(why.find("VIRTIO_F_ACCESS_PLATFORM") != std::string::npos);
}

TEST_CASE("a kernel that has what a driver takes is no reason for a refusal") {
  CHECK(why_no_zero_copy("igb", {6, 14}).empty());
  CHECK(why_no_zero_copy("igb", {7, 3}).empty());
  CHECK(why_no_native("igb", {6, 1}).empty());
  CHECK(why_no_native("vmxnet3", {6, 6}).empty());
}

TEST_CASE("a driver without native XDP is told with the kernel that brings it, if one does") {
  CHECK(why_no_native("e1000e", {7, 3}) == "the driver e1000e has no native XDP");
  CHECK(why_no_native("vmxnet3", {6, 1}) ==
        "the driver vmxnet3 has native XDP from Linux 6.6 on, and this is 6.1");
  CHECK(why_no_native("nosuchdriver", {6, 1}).empty());
}

TEST_CASE("native XDP that cannot redirect is told apart, as packets would be lost by it") {
  CHECK_FALSE(redirects("ixgbevf", {7, 3}));
  CHECK(why_no_native("ixgbevf", {7, 3}) ==
        "the driver ixgbevf has no native XDP for sockets (XDP_REDIRECT)");
  CHECK_FALSE(redirects("mlx4_en", {5, 10}));
  CHECK(redirects("mlx4_en", {6, 1}));
  CHECK(redirects("igb", {6, 1}));
  CHECK(redirects("nosuchdriver", {6, 1}));
  CHECK(redirects("e1000e", {6, 1}));  // which is not attached to at all
}

}  // namespace guideway::xdp
