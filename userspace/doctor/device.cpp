#include "doctor/device.h"

#include <charconv>
#include <string_view>

namespace guideway::doctor {
namespace {

std::filesystem::path folder_of(const std::string& interface, const Root& root) {
  return root / "sys/class/net" / interface;
}

Relative relative(const std::string& name, const Root& root) {
  return {.name = name, .kind = read_kind(name, root)};
}

}  // namespace

Fact<bool> read_carrier(const std::string& interface, const Root& root) {
  // Of a device that is down, the kernel answers EINVAL.
  const auto carrier = read_number(folder_of(interface, root) / "carrier");
  if (!carrier) return carrier.unknown();
  return *carrier != 0;
}

Fact<MacAddress> read_mac(const std::string& interface, const Root& root) {
  const auto path = folder_of(interface, root) / "address";
  const auto text = read_text(path);
  if (!text) return text.unknown();
  MacAddress mac;
  if (text->size() == mac.bytes.size() * 3 - 1) {
    bool right = true;
    for (std::size_t i = 0; i < mac.bytes.size(); ++i) {
      const char* at = text->data() + i * 3;
      const auto [end, error] = std::from_chars(at, at + 2, mac.bytes[i], 16);
      right = right && error == std::errc() && end == at + 2;
    }
    if (right) return mac;
  }
  return Unknown{Why::not_supported,
                 "reading " + path.string() + ": \"" + *text + "\" is no MAC address"};
}

std::string read_kind(const std::string& interface, const Root& root) {
  const auto text = read_text(folder_of(interface, root) / "uevent");
  constexpr std::string_view kKey = "DEVTYPE=";
  for (const auto line : lines_of(text ? std::string_view(*text) : std::string_view()))
    if (line.starts_with(kKey)) return std::string(line.substr(kKey.size()));
  return {};
}

Fact<std::optional<std::uint32_t>> read_numa_node(const std::string& interface, const Root& root) {
  const auto device = folder_of(interface, root) / "device";
  auto text = read_text(device / "numa_node");
  // That of a virtio device is with the PCI device below it.
  if (!text) text = read_text(device / "../numa_node");
  // A device that is not on a bus has no node, nor has one of a host with one node: "-1".
  if (!text && text.unknown().why == Why::not_there) return std::optional<std::uint32_t>();
  if (!text) return text.unknown();
  if (const auto node = parse_number(*text))
    return std::optional(static_cast<std::uint32_t>(*node));
  return std::optional<std::uint32_t>();
}

Fact<std::uint32_t> read_rp_filter(const std::string& name, const Root& root) {
  const auto value = read_number(root / "proc/sys/net/ipv4/conf" / name / "rp_filter");
  if (!value) return value.unknown();
  return static_cast<std::uint32_t>(*value);
}

Fact<std::optional<VirtioFacts>> read_virtio(const std::string& interface, const Root& root) {
  // Bit n is the character n. linux/virtio_config.h.
  constexpr std::size_t kAccessPlatform = 33, kRingReset = 40;
  const auto device = folder_of(interface, root) / "device";
  if (!link_name(device).starts_with("virtio")) return std::optional<VirtioFacts>();
  const auto bits = read_text(device / "features");
  if (!bits) return bits.unknown();
  const auto has = [&](std::size_t bit) { return bit < bits->size() && (*bits)[bit] == '1'; };
  return std::optional(
      VirtioFacts{.access_platform = has(kAccessPlatform), .ring_reset = has(kRingReset)});
}

Relatives read_relatives(const std::string& interface, const Root& root) {
  const auto folder = folder_of(interface, root);
  Relatives result;
  if (const std::string master = link_name(folder / "master"); !master.empty())
    result.master = relative(master, root);
  constexpr std::string_view kUpper = "upper_", kLower = "lower_";
  for (const std::string& name : names_in(folder)) {
    if (name.starts_with(kUpper))
      result.upper.push_back(relative(name.substr(kUpper.size()), root));
    if (name.starts_with(kLower))
      result.lower.push_back(relative(name.substr(kLower.size()), root));
  }
  return result;
}

}  // namespace guideway::doctor
