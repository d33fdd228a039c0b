// Which drivers have native XDP, hand packets to AF_XDP sockets, and do so with zero-copy, and
// since which kernel: so that a refusal can say which kernel would have it, and for kernels that do
// not tell themselves (before 6.3). Kernels of distributions may have it earlier.
//
// Sources: the commits that brought it, as listed in docs/kernel-versions.md of bcc and in Cilium's
// guide to XDP, and for the rest the drivers' own commits; held against the drivers of Debian's
// kernels 6.1, 6.12 and 7.3, which import the kernel's functions for it or do not.
//
// Threads: any. Owns: nothing; what is returned lives as long as the program.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace guideway::xdp {

struct KernelVersion {
  std::uint32_t major = 0, minor = 0;
  friend auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};

// Of "6.1.0-18-amd64": 6.1. What is not there is 0.
[[nodiscard]] KernelVersion parse_kernel_version(std::string_view release);
[[nodiscard]] KernelVersion running_kernel();

// What is documented of a driver, whatever the kernel that runs. Text: "4.20"; "": not at all.
struct DriverSupport {
  std::string native_since;    // runs XDP programs
  std::string redirect_since;  // these can give packets to AF_XDP sockets (XDP_REDIRECT)
  std::string zero_copy_since;
  friend bool operator==(const DriverSupport&, const DriverSupport&) = default;
};

// `driver` is what ethtool -i calls it. nullptr: the driver is not in the table.
[[nodiscard]] const DriverSupport* find_driver_support(std::string_view driver);

// Whether a kernel has what is there since `version`; "": none has.
[[nodiscard]] bool has_come(std::string_view version, KernelVersion kernel);

// False: of a driver that runs XDP programs on this kernel, and has none give a packet to a socket.
// It would be attached to, and lose every packet. A driver that is not in the table is trusted.
[[nodiscard]] bool redirects(std::string_view driver, KernelVersion kernel);

// What zero-copy of virtio_net wants, besides a kernel of the guest.
inline constexpr std::string_view kVirtioWants =
    "the virtual machine's host gives the device VIRTIO_F_ACCESS_PLATFORM and VIRTIO_F_RING_RESET";

// Why a driver refuses on this kernel, as far as the table knows ("": it does not, as of a driver
// that has it there), to be put behind a cause: "the driver igb has zero-copy from Linux 6.14 on,
// and this is 6.1", "the driver e1000e has no native XDP".
[[nodiscard]] std::string why_no_native(std::string_view driver, KernelVersion kernel);
[[nodiscard]] std::string why_no_zero_copy(std::string_view driver, KernelVersion kernel);

}  // namespace guideway::xdp
