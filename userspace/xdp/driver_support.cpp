#include "xdp/driver_support.h"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace guideway::xdp {
namespace {

struct Row {
  std::string_view driver;
  DriverSupport support;
};

// By name, so that one is found by eye: native XDP, XDP_REDIRECT, zero-copy. An empty version: not
// at all, as far as is known.
const std::array<Row, 45>& table() {
  static const std::array<Row, 45> rows{{
      {"8139cp", {"", "", ""}},
      {"atlantic", {"5.19", "5.19", ""}},
      {"be2net", {"", "", ""}},
      {"bnx2", {"", "", ""}},
      {"bnx2x", {"", "", ""}},
      {"bnxt_en", {"4.11", "5.3", ""}},
      {"bonding", {"5.15", "5.15", ""}},
      {"cpsw", {"5.3", "5.3", ""}},
      {"e1000", {"", "", ""}},
      {"e1000e", {"", "", ""}},
      {"ena", {"5.6", "5.11", ""}},
      {"enic", {"", "", ""}},
      {"fec", {"6.2", "6.2", ""}},
      {"fsl_dpaa2_eth", {"5.0", "5.0", "6.2"}},
      {"fsl_enetc", {"5.13", "5.13", ""}},
      {"gve", {"6.4", "6.4", "6.4"}},
      {"hv_netvsc", {"5.6", "5.19", ""}},
      {"i40e", {"4.13", "4.17", "4.20"}},
      {"iavf", {"", "", ""}},
      {"ice", {"5.5", "5.5", "5.5"}},
      {"igb", {"5.10", "5.10", "6.14"}},
      {"igbvf", {"", "", ""}},
      {"igc", {"5.13", "5.13", "5.14"}},
      {"ionic", {"6.9", "6.9", ""}},
      {"ixgbe", {"4.12", "4.14", "4.20"}},
      {"ixgbevf", {"4.17", "", ""}},
      {"mana", {"5.17", "6.0", ""}},
      {"mlx4_en", {"4.8", "5.16", ""}},
      {"mlx5_core", {"4.9", "4.18", "5.3"}},
      {"mvneta", {"5.5", "5.5", ""}},
      {"mvpp2", {"5.9", "5.9", ""}},
      {"netsec", {"5.3", "5.3", ""}},
      {"nfp", {"4.10", "5.18", "5.18"}},
      {"nicvf", {"4.12", "", ""}},
      {"qede", {"4.10", "5.9", ""}},
      {"r8169", {"", "", ""}},
      {"rvu_nicpf", {"5.16", "5.16", "6.15"}},
      {"sfc", {"5.5", "5.5", ""}},
      {"st_gmac", {"5.13", "5.13", "5.13"}},
      {"tg3", {"", "", ""}},
      {"tun", {"4.14", "4.14", ""}},
      {"veth", {"4.19", "4.19", ""}},
      {"vif", {"5.9", "5.9", ""}},               // xen-netfront
      {"virtio_net", {"4.10", "4.14", "6.13"}},  // 6.11 has it for what is received alone
      {"vmxnet3", {"6.6", "6.6", ""}},
  }};
  return rows;
}

std::string text_of(KernelVersion version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

std::string why_not(std::string_view driver, const std::string& what, const std::string& since,
                    KernelVersion kernel) {
  if (has_come(since, kernel)) return {};
  const std::string who = "the driver " + std::string(driver) + " has ";
  if (since.empty()) return who + "no " + what;
  return who + what + " from Linux " + since + " on, and this is " + text_of(kernel);
}

}  // namespace

KernelVersion parse_kernel_version(std::string_view release) {
  KernelVersion version;
  const char* end = release.data() + release.size();
  const auto major = std::from_chars(release.data(), end, version.major);
  if (major.ec == std::errc() && major.ptr != end && *major.ptr == '.')
    (void)std::from_chars(major.ptr + 1, end, version.minor);
  return version;
}

KernelVersion running_kernel() {
  utsname names{};
  return ::uname(&names) == 0 ? parse_kernel_version(names.release) : KernelVersion{};
}

const DriverSupport* find_driver_support(std::string_view driver) {
  const auto found = std::ranges::find(table(), driver, &Row::driver);
  return found == table().end() ? nullptr : &found->support;
}

bool has_come(std::string_view version, KernelVersion kernel) {
  return !version.empty() && kernel >= parse_kernel_version(version);
}

bool redirects(std::string_view driver, KernelVersion kernel) {
  const DriverSupport* support = find_driver_support(driver);
  return support == nullptr || has_come(support->redirect_since, kernel) ||
         !has_come(support->native_since, kernel);
}

std::string why_no_native(std::string_view driver, KernelVersion kernel) {
  const DriverSupport* support = find_driver_support(driver);
  if (support == nullptr) return {};
  if (!redirects(driver, kernel))
    return why_not(driver, "native XDP for sockets (XDP_REDIRECT)", support->redirect_since,
                   kernel);
  return why_not(driver, "native XDP", support->native_since, kernel);
}

std::string why_no_zero_copy(std::string_view driver, KernelVersion kernel) {
  const DriverSupport* support = find_driver_support(driver);
  if (support == nullptr) return {};
  if (driver == "virtio_net" && has_come(support->zero_copy_since, kernel))
    return "the driver virtio_net has zero-copy where " + std::string(kVirtioWants);
  return why_not(driver, "zero-copy", support->zero_copy_since, kernel);
}

}  // namespace guideway::xdp
