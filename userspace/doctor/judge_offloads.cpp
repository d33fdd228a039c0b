// Work that a NIC or the kernel does on packets before or behind the XDP program, where that is in
// the way of it.
//
// What is not: GRO (in native mode the program runs before it; a device with a generic program is
// left out of it, netif_elide_gro() of the kernel), VLAN tags that the NIC takes off (they are left
// behind anyway), checksums of what the NIC receives (nobody asks for them), and segmentation and
// checksums of what the kernel sends (workers do not send by it).
#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

const Offload* find(const InterfaceCase& seen, std::string_view name) {
  if (!seen.facts.offloads.known()) return nullptr;
  const auto found = seen.facts.offloads->find(name);
  return found == seen.facts.offloads->end() ? nullptr : &found->second;
}

bool generic(const InterfaceCase& seen) {
  return expected_way(seen) == Way::generic ||
         (seen.running != nullptr && seen.running->attachment == "generic");
}

Mend off(const InterfaceCase& seen, const Offload& offload, const std::string& word,
         const std::string& link_setting) {
  if (offload.fixed)
    return Mend::by_hand(
        "the driver does not let it be switched off; of a virtual machine, its "
        "host can");
  return ethtool("-K " + seen.name + " " + word + " off", link_setting);
}

// virtio_net has its device stop merging while a program is attached, where that can be told to.
bool switches_off_by_itself(const InterfaceCase& seen, const Offload& offload) {
  return !offload.fixed && seen.facts.driver.known() && seen.facts.driver->name == "virtio_net";
}

// Several packets made one by the NIC do not fit the one buffer that an XDP program is given, so
// drivers refuse one while that is on. In generic mode the kernel switches both off by itself.
void judge_merging_hardware(const InterfaceCase& seen, Report& report) {
  struct Kind {
    const char *feature, *word, *link_setting, *what;
  };
  for (const Kind& kind :
       {Kind{"rx-lro", "lro", "LargeReceiveOffload=no", "large receive offload (LRO)"},
        Kind{"rx-gro-hw", "rx-gro-hw", "GenericReceiveOffloadHardware=no",
             "GRO by the NIC (rx-gro-hw)"}}) {
    const Offload* offload = find(seen, kind.feature);
    if (offload == nullptr || generic(seen)) continue;
    if (offload->on && switches_off_by_itself(seen, *offload))
      report.ok(kind.feature, std::string(kind.what) + " is switched off by the driver for XDP");
    else if (offload->on)
      report.say(Severity::warning, kind.feature,
                 std::string(kind.what) +
                     " is on, with which drivers refuse XDP: generic mode, or "
                     "no start where the file names another",
                 off(seen, *offload, kind.word, kind.link_setting));
    else
      report.ok(kind.feature, std::string(kind.what) + " is off");
  }
}

// In generic mode the program of a VLAN, bond or bridge runs behind the GRO of the devices below.
void judge_merging_below(const InterfaceCase& seen, Report& report) {
  if (!generic(seen) || seen.facts.lower.empty()) return;
  std::string command;
  std::vector<std::string> names;
  for (const Relative& lower : seen.facts.lower) {
    names.push_back(lower.name);
    command += (command.empty() ? "" : " && ") + ("ethtool -K " + lower.name) + " gro off";
  }
  report.say(
      Severity::note, "gro",
      "GRO of " + listed(names) +
          ", below it, merges packets before they are taken in generic mode; merged ones "
          "fit no frame and are lost (rx_dropped): it has to be off there",
      Mend::by_command(command, "GenericReceiveOffload=no under [Link] in their .link files"));
}

// A veth hands packets over as they are in its peer's memory.
void judge_veth(const InterfaceCase& seen, Report& report) {
  if (!seen.facts.driver.known() || seen.facts.driver->name != "veth") return;
  report.say(Severity::note, "veth_peer",
             "a veth passes on what its peer has left undone, checksums and the cutting of large "
             "segments, and nobody does it behind the tunnel",
             Mend::by_hand("on the peer of " + seen.name +
                           ", in its network namespace: ethtool -K PEER tx off tso off gso off"));
}

}  // namespace

void judge_offloads(const InterfaceCase& seen, Report& report) {
  if (report.seen(seen.facts.offloads, "offloads", "the offloads of " + seen.name))
    judge_merging_hardware(seen, report);
  judge_merging_below(seen, report);
  judge_veth(seen, report);
}

}  // namespace guideway::doctor
