// Whether an interface is there and up, and whether packets fit it.
#include <algorithm>

#include "doctor/judge_parts.h"
#include "net/encapsulation.h"
#include "xdp/nic.h"

namespace guideway::doctor {
namespace {

// What clients on Ethernet send at most, and what it is with the outer headers.
constexpr std::uint32_t kClientMtu = 1500;
constexpr std::uint32_t kEgressMtu = kClientMtu + kOuterIpBytes;

// Of a program that is attached to igb at an MTU up to this one, the buffers hold no larger one
// (found by trying), and the driver refuses it. What it was attached to above has larger buffers.
constexpr std::uint32_t kIgbSmallMtu = 1510;

bool exceeds_buffers(const InterfaceCase& seen, std::uint32_t mtu_bytes) {
  return seen.running != nullptr && seen.running->attachment == "native" &&
         seen.facts.driver.known() && seen.facts.driver->name == "igb" &&
         seen.facts.mtu_bytes.value_or(0) <= kIgbSmallMtu && mtu_bytes > kIgbSmallMtu;
}

Mend set_mtu(const InterfaceCase& seen, std::uint32_t mtu_bytes) {
  const std::string mtu = std::to_string(mtu_bytes);
  const Mend mend =
      Mend::by_command("ip link set dev " + seen.name + " mtu " + mtu,
                       "MTUBytes=" + mtu + " under [Link] in its .network file, or mtu " + mtu +
                           " in /etc/network/interfaces");
  return exceeds_buffers(seen, mtu_bytes) ? while_stopped(mend) : mend;
}

bool judge_there(const InterfaceCase& seen, Report& report) {
  if (!seen.facts.exists) {
    report.say(Severity::error, "interface", "there is no such interface",
               Mend::by_hand("interfaces: in " + seen.all.file +
                             " with a name that is there: ip -brief link"));
    return false;
  }
  if (report.seen(seen.facts.up, "up", "whether " + seen.name + " is up")) {
    if (!*seen.facts.up) {
      report.say(Severity::error, "up", "it is down",
                 Mend::by_command("ip link set dev " + seen.name + " up",
                                  "the network configuration of this host"));
      return true;
    }
    report.ok("up", "it is up");
  }
  if (report.seen(seen.facts.carrier, "carrier", "whether " + seen.name + " has a carrier")) {
    if (*seen.facts.carrier)
      report.ok("carrier", "it has a carrier");
    else
      report.say(
          Severity::error, "carrier", "it has no carrier: nothing comes in, nothing goes out",
          Mend::by_hand("look at the cable and at the other end; of a veth, set its peer up"));
  }
  return true;
}

// Packets of one MTU in frames of memory, and in buffers of the driver.
void judge_room(const InterfaceCase& seen, std::uint32_t mtu_bytes, Report& report) {
  const auto wanted = static_cast<std::uint32_t>(seen.config.frame_bytes);
  const std::uint32_t most = wanted == 0 ? 4096 : wanted;
  const std::uint32_t fits = most - xdp::kPacketHeadroom - xdp::longest_frame(0);
  const std::uint32_t native = seen.facts.native_mtu_limit_bytes;
  if (mtu_bytes > fits)
    report.say(Severity::error, "frame_size",
               "its MTU of " + std::to_string(mtu_bytes) + " is too large: a frame of " +
                   std::to_string(most) + " bytes holds packets of up to " + std::to_string(fits),
               set_mtu(seen, fits));
  else if (native != 0 && mtu_bytes > native && seen.config.mode != control::Mode::generic)
    report.say(Severity::error, "native_mtu",
               "its MTU of " + std::to_string(mtu_bytes) +
                   " is more than XDP in its driver takes, which is " + std::to_string(native),
               set_mtu(seen, native));
  else
    report.ok("frame_size", "packets of its MTU, " + std::to_string(mtu_bytes) + ", fit frames");
}

// Where backends are reached by it: what a client sends has to fit with the outer headers.
void judge_egress(const InterfaceCase& seen, std::uint32_t mtu_bytes, Report& report) {
  const bool leads_to_backends =
      std::ranges::any_of(seen.all.facts.backends, [&](const BackendFacts& backend) {
        return backend.route.known() && backend.route->kind == RouteFact::Kind::unicast &&
               backend.route->device == seen.name;
      });
  if (!leads_to_backends) return;
  if (mtu_bytes >= kEgressMtu)
    report.ok("mtu", "packets of 1500 bytes fit with the outer headers");
  else
    report.say(Severity::warning, "mtu",
               "its MTU of " + std::to_string(mtu_bytes) +
                   " is too small for packets of 1500 bytes with the " +
                   std::to_string(kOuterIpBytes) +
                   " bytes of outer headers: what is larger is dropped (too_big); switches and "
                   "backends have to take " +
                   std::to_string(kEgressMtu) +
                   ", too; if they cannot, lower the MSS of the services to " +
                   std::to_string(mtu_bytes - kOuterIpBytes - 40),
               set_mtu(seen, kEgressMtu));
}

// What is above it, and sends by its own name.
void judge_relatives(const InterfaceCase& seen, Report& report) {
  if (seen.facts.master.has_value()) {
    const Relative& master = *seen.facts.master;
    report.say(Severity::warning, "master",
               "it is a port of " + (master.kind.empty() ? "" : master.kind + " ") + master.name +
                   ": packets of VIPs are taken before that, and backends have to be reached by " +
                   seen.name + " itself");
    return;
  }
  std::vector<std::string> vlans;
  for (const Relative& upper : seen.facts.upper)
    if (upper.kind == "vlan") vlans.push_back(upper.name);
  if (vlans.empty()) return;
  report.say(Severity::note, "vlans",
             "packets of VIPs in its VLANs (" + listed(vlans) +
                 ") are taken, too, and sent on without their tag");
}

}  // namespace

void judge_link(const InterfaceCase& seen, Report& report) {
  if (!judge_there(seen, report)) return;
  if (report.seen(seen.facts.mtu_bytes, "mtu", "the MTU of " + seen.name)) {
    judge_room(seen, *seen.facts.mtu_bytes, report);
    judge_egress(seen, *seen.facts.mtu_bytes, report);
  }
  judge_relatives(seen, report);
}

}  // namespace guideway::doctor
