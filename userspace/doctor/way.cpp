#include "doctor/way.h"

#include "xdp/nic.h"

namespace guideway::doctor {

using control::Mode;

std::string_view name(Way way) {
  switch (way) {
    case Way::generic: return "generic mode";
    case Way::copy: return "native mode with copies";
    case Way::zero_copy: return "native mode with zero-copy";
    case Way::unknown: break;
  }
  return "unknown";
}

bool has_native(const XdpFeatures& xdp) { return xdp.native && xdp.redirect; }

bool switches_queues_on(const InterfaceFacts& facts) {
  return facts.queues_for_xdp != 0 && facts.channels.known() &&
         facts.channels->combined + facts.queues_for_xdp <= facts.channels->max_combined;
}

std::string missing_of_virtio(const InterfaceFacts& facts) {
  if (!facts.virtio.known() || !facts.virtio->has_value()) return {};
  const VirtioFacts& virtio = **facts.virtio;
  std::string missing = virtio.access_platform ? "" : "VIRTIO_F_ACCESS_PLATFORM";
  if (!virtio.ring_reset)
    missing += (missing.empty() ? "" : " and ") + std::string("VIRTIO_F_RING_RESET");
  return missing;
}

std::uint32_t zero_copy_mtu_limit(const InterfaceFacts& facts, const control::Interface& config) {
  const auto wanted = static_cast<std::uint32_t>(config.frame_bytes);
  const std::string driver = facts.driver.known() ? facts.driver->name : std::string();
  return xdp::packet_room(driver, wanted == 0 ? 4096 : wanted, xdp::BindMode::zero_copy) -
         xdp::longest_frame(0);
}

bool has_zero_copy(const InterfaceFacts& facts, const control::Interface& config) {
  return facts.xdp->zero_copy && missing_of_virtio(facts).empty() &&
         facts.mtu_bytes.value_or(0) <= zero_copy_mtu_limit(facts, config);
}

Way expected_way(const InterfaceFacts& facts, const control::Interface& config) {
  if (config.mode == Mode::generic) return Way::generic;
  if (!facts.xdp.known()) return Way::unknown;
  if (!has_native(*facts.xdp) || switches_queues_on(facts)) return Way::generic;
  return has_zero_copy(facts, config) && config.mode != Mode::copy ? Way::zero_copy : Way::copy;
}

}  // namespace guideway::doctor
