#include "doctor/driver_table.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace guideway::doctor {
namespace {

struct Row {
  std::string_view driver;  // as ethtool -i has it
  DriverSupport support;
  bool redirects = true;  // in kernels that do not tell themselves
};

// By name, so that one is found by eye. An empty version: not at all, as far as is known.
const std::array<Row, 34>& table() {
  static const std::array<Row, 34> rows{{
      {"bnxt_en", {"4.11", ""}},
      {"bonding", {"5.15", ""}},
      {"cpsw", {"5.3", ""}},
      {"ena", {"5.6", ""}},
      {"fec", {"6.2", ""}},
      {"fsl_dpaa2_eth", {"5.0", "6.2"}},
      {"fsl_enetc", {"5.13", ""}},
      {"gve", {"6.4", "6.4"}},
      {"hv_netvsc", {"5.6", ""}, false},
      {"i40e", {"4.13", "4.20"}},
      {"iavf", {"", ""}},
      {"ice", {"5.5", "5.5"}},
      {"igb", {"5.10", "6.14"}},
      {"igc", {"5.13", "5.14"}},
      {"ixgbe", {"4.12", "4.20"}},
      {"ixgbevf", {"4.17", ""}},
      {"mana", {"5.17", ""}, false},
      {"mlx4_en", {"4.8", ""}, false},
      {"mlx5_core", {"4.9", "5.3"}},
      {"mvneta", {"5.5", ""}},
      {"mvpp2", {"5.9", ""}},
      {"netsec", {"5.3", ""}},
      {"nfp", {"4.10", "5.18"}},
      {"nicvf", {"4.12", ""}, false},
      {"qede", {"4.10", ""}},
      {"rvu_nicpf", {"5.16", ""}},
      {"sfc", {"5.5", ""}},
      {"st_gmac", {"5.13", "5.13"}},
      {"tg3", {"", ""}},
      {"tun", {"4.14", ""}},
      {"veth", {"4.19", ""}},
      {"virtio_net", {"4.10", "6.11"}},
      {"vif", {"5.9", ""}},  // xen-netfront
      {"vmxnet3", {"6.6", ""}},
  }};
  return rows;
}

const Row* find_row(std::string_view driver) {
  const auto found = std::ranges::find(table(), driver, &Row::driver);
  return found == table().end() ? nullptr : &*found;
}

bool has_come(const std::string& version, const KernelFacts& kernel) {
  std::uint32_t major = 0, minor = 0;
  const char* end = version.data() + version.size();
  const auto first = std::from_chars(version.data(), end, major);
  if (first.ec != std::errc() || first.ptr == end) return false;
  const auto second = std::from_chars(first.ptr + 1, end, minor);
  return second.ec == std::errc() && kernel.at_least(major, minor);
}

}  // namespace

const DriverSupport* find_driver(std::string_view driver) {
  const Row* row = find_row(driver);
  return row == nullptr ? nullptr : &row->support;
}

Fact<XdpFeatures> documented_features(std::string_view driver, const KernelFacts& kernel) {
  const Row* row = find_row(driver);
  if (row == nullptr)
    return Unknown{Why::not_supported,
                   "the kernel does not tell, and nothing is known here of the driver " +
                       (driver.empty() ? std::string("(which has no name)") : std::string(driver))};
  const bool native = has_come(row->support.native_since, kernel);
  return XdpFeatures{.source = XdpFeatures::Source::table,
                     .native = native,
                     .redirect = native && row->redirects,
                     .zero_copy = has_come(row->support.zero_copy_since, kernel)};
}

}  // namespace guideway::doctor
