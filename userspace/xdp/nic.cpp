#include "xdp/nic.h"

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/unique_fd.h"

namespace guideway::xdp {
namespace {

std::string other_interfaces() {
  std::string names;
  if (auto* list = if_nameindex(); list != nullptr) {
    for (const auto* at = list; at->if_index != 0; ++at)
      names += (names.empty() ? "" : ", ") + std::string(at->if_name);
    if_freenameindex(list);
  }
  return names;
}

ifreq request_for(const std::string& name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  return request;
}

// The driver's name; not every driver answers.
std::string driver_of(int control, ifreq request) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  request.ifr_data = reinterpret_cast<char*>(&info);
  return ::ioctl(control, SIOCETHTOOL, &request) == 0 && info.driver[0] != '\0' ? info.driver
                                                                                : "unknown";
}

// Folders /sys/class/net/NAME/queues/PREFIX*.
std::uint32_t count_queue_folders(const std::string& name, std::string_view prefix) {
  std::uint32_t queues = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/sys/class/net/" + name + "/queues", error))
    if (entry.path().filename().string().starts_with(prefix)) ++queues;
  return queues;
}

void count_queues(int control, ifreq request, Nic& nic) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  request.ifr_data = reinterpret_cast<char*>(&channels);
  if (::ioctl(control, SIOCETHTOOL, &request) == 0) {
    nic.receive_queues = channels.rx_count + channels.combined_count;
    nic.transmit_queues = channels.tx_count + channels.combined_count;
  } else {  // drivers without channels
    nic.receive_queues = count_queue_folders(nic.name, "rx-");
    nic.transmit_queues = count_queue_folders(nic.name, "tx-");
  }
  nic.receive_queues = std::max(nic.receive_queues, 1U);
  nic.transmit_queues = std::max(nic.transmit_queues, 1U);
}

// For packets in one 4 KiB page. Those of veth, virtio_net and igb were found by trying, on
// Linux 6.1, 6.12 and 7.3; the others are as reported.
constexpr auto kNativeMtuLimits = std::to_array<std::pair<std::string_view, std::uint32_t>>({
    {"veth", 3506},
    {"virtio_net", 3506},
    {"mlx5_core", 3498},
    {"igb", 3046},
    {"ixgbe", 3050},
    {"i40e", 3046},
    {"ice", 3046},
    {"igc", 1500},
});

// Drivers whose NICs take any length of a receive buffer, near enough, in zero-copy mode. Others
// count it in units of 1 KiB (SRRCTL.BSIZEPKT of igb, igc, ixgbe), so that of 1792 bytes 1024 are
// used; of who is not known here, that is believed.
constexpr std::uint32_t kCoarseUnit = 1024;
// With zero-copy the kernel wants room for Ethernet's checksum, too, and refuses a larger MTU with
// EINVAL (7.3).
constexpr std::uint32_t kChecksumBytes = 4;
constexpr auto kFineUnits =
    std::to_array<std::string_view>({"i40e", "ice", "mlx5_core", "veth", "virtio_net"});

}  // namespace

std::string_view name(BindMode mode) { return mode == BindMode::zero_copy ? "zero-copy" : "copy"; }

Result<Nic> find_nic(const std::string& name) {
  const std::string doing = "interface " + name;
  Nic nic;
  nic.name = name;
  nic.index = if_nametoindex(name.c_str());
  if (nic.index == 0)
    return fail(doing + ": there is no such interface", "there are: " + other_interfaces());

  if (std::array<char, IF_NAMESIZE> own{}; if_indextoname(nic.index, own.data()) != nullptr)
    nic.name = own.data();  // not one of its alternative names

  const UniqueFd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!control.valid()) return fail_errno(doing + ": opening a socket", errno);
  ifreq request = request_for(nic.name);
  if (::ioctl(control.get(), SIOCGIFMTU, &request) != 0)
    return fail_errno(doing + ": asking for its MTU", errno);
  nic.mtu = static_cast<std::uint32_t>(request.ifr_mtu);
  request = request_for(nic.name);
  if (::ioctl(control.get(), SIOCGIFFLAGS, &request) != 0)
    return fail_errno(doing + ": asking for its state", errno);
  nic.up = (request.ifr_flags & IFF_UP) != 0;
  nic.driver = driver_of(control.get(), request_for(nic.name));
  count_queues(control.get(), request_for(nic.name), nic);
  return nic;
}

bool has_carrier(const std::string& name) {
  const UniqueFd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(name);
  return control.valid() && ::ioctl(control.get(), SIOCGIFFLAGS, &request) == 0 &&
         (request.ifr_flags & IFF_RUNNING) != 0;
}

std::uint32_t kernel_transmit_queues(const std::string& name) {
  return count_queue_folders(name, "tx-");
}

std::uint32_t native_mtu_limit(std::string_view driver) {
  for (const auto& [known, limit] : kNativeMtuLimits)
    if (known == driver) return limit;
  return 0;
}

std::uint32_t packet_room(std::string_view driver, std::uint32_t frame_bytes, BindMode mode) {
  const std::uint32_t room = frame_bytes - kPacketHeadroom;
  if (mode == BindMode::copy) return room;
  const bool fine = std::ranges::count(kFineUnits, driver) > 0;
  return (fine ? room : room / kCoarseUnit * kCoarseUnit) - kChecksumBytes;
}

Result<std::uint32_t> choose_frame_bytes(const Nic& nic, std::uint32_t wanted, BindMode mode) {
  const auto fits = [&](std::uint32_t frame_bytes) {
    return longest_frame(nic.mtu) <= packet_room(nic.driver, frame_bytes, mode);
  };
  if (wanted != 0 && fits(wanted)) return wanted;
  if (wanted == 0 && fits(2048)) return 2048;
  if (wanted == 0 && fits(4096)) return 4096;
  const std::uint32_t most = wanted == 0 ? 4096 : wanted;
  const std::uint32_t room = packet_room(nic.driver, most, mode);
  const std::string mtu = std::to_string(room - longest_frame(0));
  return fail("interface " + nic.name + ": its MTU of " + std::to_string(nic.mtu) +
                  " does not fit frames of " + std::to_string(most) + " bytes" +
                  (mode == BindMode::zero_copy ? " in zero-copy mode" : "") + ": of these " +
                  std::to_string(room) +
                  " are for a packet, which with Ethernet and VLAN tags needs " +
                  std::to_string(longest_frame(nic.mtu)),
              (wanted == 2048 && fits(4096)
                   ? "set frame_size: 4096 or auto for this interface, or: ip link set dev "
                   : "ip link set dev ") +
                  nic.name + " mtu " + mtu);
}

}  // namespace guideway::xdp
