// What /sys/class/net and /proc/sys/net say of a network device: its kind, what it is tied to, its
// NUMA node, rp_filter, what a virtio device was given.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "doctor/facts.h"
#include "doctor/files.h"

namespace guideway::doctor {

// Known only while the device is up.
[[nodiscard]] Fact<bool> read_carrier(const std::string& interface, const Root& root);
[[nodiscard]] Fact<MacAddress> read_mac(const std::string& interface, const Root& root);
// DEVTYPE of its uevent; "" where it has none.
[[nodiscard]] std::string read_kind(const std::string& interface, const Root& root);
[[nodiscard]] Fact<std::optional<std::uint32_t>> read_numa_node(const std::string& interface,
                                                                const Root& root);
// `name` is an interface, "all" or "default".
[[nodiscard]] Fact<std::uint32_t> read_rp_filter(const std::string& name, const Root& root);

// By the feature bits that driver and device have agreed on.
[[nodiscard]] Fact<std::optional<VirtioFacts>> read_virtio(const std::string& interface,
                                                           const Root& root);

struct Relatives {
  std::optional<Relative> master;
  std::vector<Relative> upper, lower;
};
[[nodiscard]] Relatives read_relatives(const std::string& interface, const Root& root);

}  // namespace guideway::doctor
