#include "doctor/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

namespace guideway::doctor {
namespace {

// Requests whose answer is a header and an array behind it.
template <class Header>
class Answer {
 public:
  Answer(std::uint32_t command, std::size_t bytes_behind)
      : words_((sizeof(Header) + bytes_behind + sizeof(std::uint64_t) - 1) /
               sizeof(std::uint64_t)) {
    header().cmd = command;
  }
  [[nodiscard]] Header& header() {
    return *static_cast<Header*>(static_cast<void*>(words_.data()));
  }
  [[nodiscard]] void* raw() { return words_.data(); }
  // The bytes behind the header.
  [[nodiscard]] const std::byte* behind() const {
    return static_cast<const std::byte*>(static_cast<const void*>(words_.data())) + sizeof(Header);
  }

 private:
  std::vector<std::uint64_t> words_;
};

template <std::size_t N>
std::string text_of(const char (&field)[N]) {
  return std::string(field, ::strnlen(field, N));
}

std::string doing(const char* what, const std::string& interface) {
  return std::string("asking for ") + what + " of " + interface;
}

bool bit_of(std::uint32_t block, std::size_t bit) { return (block >> (bit % 32) & 1) != 0; }

}  // namespace

Ethtool::Ethtool() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  if (!socket_.valid()) open_error_ = errno;
}

int Ethtool::ask(const std::string& interface, void* request) const {
  if (!socket_.valid()) return open_error_;
  ifreq wrapped{};
  std::strncpy(wrapped.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  wrapped.ifr_data = static_cast<char*>(request);
  return ::ioctl(socket_.get(), SIOCETHTOOL, &wrapped) == 0 ? 0 : errno;
}

Fact<Driver> Ethtool::driver(const std::string& interface) const {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  if (const int error = ask(interface, &info); error != 0)
    return unknown_errno(doing("the driver", interface), error);
  const auto or_nothing = [](std::string text) { return text == "N/A" ? std::string() : text; };
  return Driver{.name = text_of(info.driver),
                .version = or_nothing(text_of(info.version)),
                .bus = or_nothing(text_of(info.bus_info)),
                .firmware = or_nothing(text_of(info.fw_version))};
}

Fact<Channels> Ethtool::channels(const std::string& interface) const {
  ethtool_channels answer{};
  answer.cmd = ETHTOOL_GCHANNELS;
  if (const int error = ask(interface, &answer); error != 0)
    return unknown_errno(doing("the queues", interface), error);
  return Channels{.receive = answer.rx_count,
                  .transmit = answer.tx_count,
                  .combined = answer.combined_count,
                  .other = answer.other_count,
                  .max_receive = answer.max_rx,
                  .max_transmit = answer.max_tx,
                  .max_combined = answer.max_combined};
}

Fact<Rings> Ethtool::rings(const std::string& interface) const {
  ethtool_ringparam answer{};
  answer.cmd = ETHTOOL_GRINGPARAM;
  if (const int error = ask(interface, &answer); error != 0)
    return unknown_errno(doing("the rings", interface), error);
  return Rings{.receive = answer.rx_pending,
               .transmit = answer.tx_pending,
               .max_receive = answer.rx_max_pending,
               .max_transmit = answer.tx_max_pending};
}

Fact<Indirection> Ethtool::indirection(const std::string& interface) const {
  const std::string what = doing("the indirection table", interface);
  ethtool_rxfh_indir size{};
  size.cmd = ETHTOOL_GRXFHINDIR;
  if (const int error = ask(interface, &size); error != 0) return unknown_errno(what, error);
  Answer<ethtool_rxfh_indir> answer(ETHTOOL_GRXFHINDIR, size.size * sizeof(std::uint32_t));
  answer.header().size = size.size;
  if (const int error = ask(interface, answer.raw()); error != 0) return unknown_errno(what, error);
  Indirection result{.entries = size.size, .queues = std::vector<std::uint32_t>(size.size)};
  if (size.size != 0)
    std::memcpy(result.queues.data(), answer.behind(), size.size * sizeof(std::uint32_t));
  std::ranges::sort(result.queues);
  const auto repeated = std::ranges::unique(result.queues);
  result.queues.erase(repeated.begin(), repeated.end());
  return result;
}

Fact<HashFields> Ethtool::hash_fields(const std::string& interface, std::uint32_t flow_type) const {
  ethtool_rxnfc answer{};
  answer.cmd = ETHTOOL_GRXFH;
  answer.flow_type = flow_type;
  if (const int error = ask(interface, &answer); error != 0)
    return unknown_errno(doing("the hash fields", interface), error);
  constexpr std::uint64_t kAddresses = RXH_IP_SRC | RXH_IP_DST;
  constexpr std::uint64_t kPorts = RXH_L4_B_0_1 | RXH_L4_B_2_3;
  return HashFields{.addresses = (answer.data & kAddresses) == kAddresses,
                    .ports = (answer.data & kPorts) == kPorts,
                    .raw = answer.data};
}

Fact<std::map<std::string, Offload, std::less<>>> Ethtool::offloads(
    const std::string& interface) const {
  const std::string what = doing("the features", interface);
  Answer<ethtool_sset_info> sets(ETHTOOL_GSSET_INFO, sizeof(std::uint32_t));
  sets.header().sset_mask = 1ULL << ETH_SS_FEATURES;
  if (const int error = ask(interface, sets.raw()); error != 0) return unknown_errno(what, error);
  std::uint32_t count = 0;
  if (sets.header().sset_mask != 0) std::memcpy(&count, sets.behind(), sizeof count);

  Answer<ethtool_gstrings> names(ETHTOOL_GSTRINGS, std::size_t{count} * ETH_GSTRING_LEN);
  names.header().string_set = ETH_SS_FEATURES;
  names.header().len = count;
  if (const int error = ask(interface, names.raw()); error != 0) return unknown_errno(what, error);

  const std::uint32_t blocks = (count + 31) / 32;
  Answer<ethtool_gfeatures> states(ETHTOOL_GFEATURES, blocks * sizeof(ethtool_get_features_block));
  states.header().size = blocks;
  if (const int error = ask(interface, states.raw()); error != 0) return unknown_errno(what, error);

  std::map<std::string, Offload, std::less<>> result;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<char, ETH_GSTRING_LEN> name{};
    std::memcpy(name.data(), names.behind() + i * ETH_GSTRING_LEN, name.size());
    const std::string text(name.data(), ::strnlen(name.data(), name.size()));
    if (text.empty()) continue;
    ethtool_get_features_block block{};
    std::memcpy(&block, states.behind() + i / 32 * sizeof block, sizeof block);
    result[text] = {.on = bit_of(block.active, i),
                    .fixed = !bit_of(block.available, i) || bit_of(block.never_changed, i),
                    .wanted_on = bit_of(block.requested, i)};
  }
  return result;
}

}  // namespace guideway::doctor
