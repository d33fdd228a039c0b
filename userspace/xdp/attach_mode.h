// Where in the kernel an XDP program runs: in the driver, or in the network stack, after the driver
// has built a socket buffer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace guideway::xdp {

enum class AttachMode : std::uint8_t { native, generic };
[[nodiscard]] constexpr std::string_view name(AttachMode mode) {
  return mode == AttachMode::native ? "native" : "generic";
}

// The command that takes whatever runs in this mode off an interface. Without the mode, `ip` takes
// off a native one only, where the driver has native XDP, and says nothing of another.
[[nodiscard]] inline std::string take_off_command(const std::string& interface, AttachMode mode) {
  return "ip link set dev " + interface +
         (mode == AttachMode::native ? " xdpdrv off" : " xdpgeneric off");
}

}  // namespace guideway::xdp
