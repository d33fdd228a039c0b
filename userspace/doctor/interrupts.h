// The interrupts of a network interface and the CPUs that they go to: msi_irqs of its device in
// /sys, names in /proc/interrupts, affinity in /proc/irq (Documentation/core-api/irq/
// irq-affinity.rst).
//
// Which queue an interrupt is of, only its name says, in the way of each driver: "eth0-TxRx-3",
// "mlx5_comp3@pci:0000:03:00.0", "virtio2-input.0", ..
//
// Threads: any.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/facts.h"
#include "doctor/files.h"

namespace guideway::doctor {

// Not there: a device without interrupts of its own, such as a veth.
[[nodiscard]] Fact<std::vector<Interrupt>> read_interrupts(const std::string& interface,
                                                           const Root& root);

// The names of a text like /proc/interrupts by number; only of those that are in use.
[[nodiscard]] std::map<std::uint32_t, std::string> parse_interrupt_names(std::string_view text);

// What an interrupt's name says about its queue.
struct Served {
  Interrupt::Serves serves = Interrupt::Serves::other;
  std::optional<std::uint32_t> queue;
  friend bool operator==(const Served&, const Served&) = default;
};
[[nodiscard]] Served served_by_name(std::string_view name, std::string_view interface);

}  // namespace guideway::doctor
