#include "doctor/interface.h"

#include <linux/ethtool.h>

#include "doctor/attached.h"
#include "doctor/device.h"
#include "doctor/documented_features.h"
#include "doctor/interrupts.h"
#include "doctor/netdev_features.h"
#include "doctor/way.h"
#include "flow/table.h"
#include "xdp/driver_support.h"
#include "xdp/nic.h"

namespace guideway::doctor {
namespace {

void read_link(InterfaceFacts& facts, const Root& root) {
  const std::string& name = facts.kernel_name;
  facts.carrier = facts.up.is(true) ? read_carrier(name, root)
                                    : Fact<bool>(Unknown{Why::not_supported, name + " is down"});
  facts.mac = read_mac(name, root);
  facts.kind = read_kind(name, root);
  facts.numa_node = read_numa_node(name, root);
  facts.rp_filter = read_rp_filter(name, root);
  const std::filesystem::path folder = root / "sys/class/net" / name;
  facts.gro_flush_timeout_ns = read_number(folder / "gro_flush_timeout");
  if (const auto irqs = read_number(folder / "napi_defer_hard_irqs"); irqs)
    facts.napi_defer_hard_irqs = static_cast<std::uint32_t>(*irqs);
  else
    facts.napi_defer_hard_irqs = irqs.unknown();
  facts.interrupts = read_interrupts(name, root);
  facts.virtio = read_virtio(name, root);
  Relatives relatives = read_relatives(name, root);
  facts.master = std::move(relatives.master);
  facts.upper = std::move(relatives.upper);
  facts.lower = std::move(relatives.lower);
}

// virtio_net takes as many as the kernel has numbers for CPUs (nr_cpu_ids).
std::uint32_t queues_for_xdp(const std::string& driver, const CpuFacts& cpu) {
  if (driver != "virtio_net" || !cpu.possible || cpu.possible->empty()) return 0;
  return cpu.possible->back() + 1;
}

void read_driver(InterfaceFacts& facts, const HostFacts& host, const Ethtool& ethtool) {
  const std::string& name = facts.kernel_name;
  facts.driver = ethtool.driver(name);
  facts.channels = ethtool.channels(name);
  facts.rings = ethtool.rings(name);
  facts.indirection = ethtool.indirection(name);
  facts.hash_tcp4 = ethtool.hash_fields(name, TCP_V4_FLOW);
  facts.hash_udp4 = ethtool.hash_fields(name, UDP_V4_FLOW);
  facts.offloads = ethtool.offloads(name);

  const std::string driver = facts.driver ? facts.driver->name : std::string();
  facts.native_mtu_limit_bytes = xdp::native_mtu_limit(driver);
  facts.queues_for_xdp = queues_for_xdp(driver, host.cpu);
  const DriverSupport* support = xdp::find_driver_support(driver);
  facts.driver_support =
      support != nullptr
          ? Fact<DriverSupport>(*support)
          : Fact<DriverSupport>(
                Unknown{Why::not_supported, "nothing is known here of the driver " + driver});
  facts.xdp = read_netdev_features(facts.index);
  if (!facts.xdp && facts.xdp.unknown().why == Why::not_supported)
    facts.xdp = documented_features(driver, host.kernel);
}

}  // namespace

void reckon_memory(InterfaceFacts& facts, const control::Interface& config,
                   const control::FlowTableConfig& flow_table) {
  facts.served_queues = config.queues.empty() ? facts.receive_queues
                                              : static_cast<std::uint32_t>(config.queues.size());
  facts.flow_tables_bytes =
      std::uint64_t{facts.served_queues} * flow::Table::bytes_for(flow_table.entries);
  xdp::Nic nic;
  nic.name = facts.name;
  nic.mtu = facts.mtu_bytes.value_or(0);
  nic.driver = facts.driver.known() ? facts.driver->name : std::string();
  const auto frame = xdp::choose_frame_bytes(nic, static_cast<std::uint32_t>(config.frame_bytes),
                                             expected_way(facts, config) == Way::zero_copy
                                                 ? xdp::BindMode::zero_copy
                                                 : xdp::BindMode::copy);
  if (!frame) {
    facts.frame_bytes = Unknown{Why::failed, frame.error().what};
    facts.umem_bytes = facts.frame_bytes.unknown();
    return;
  }
  facts.frame_bytes = *frame;
  facts.umem_bytes = std::uint64_t{facts.served_queues} * config.frames * *frame;
}

InterfaceFacts read_interface(const control::Interface& config,
                              const control::FlowTableConfig& flow_table, const HostFacts& host,
                              const Ethtool& ethtool, const Root& root) {
  InterfaceFacts facts;
  facts.name = config.name;
  const auto nic = xdp::find_nic(config.name);
  if (!nic) return facts;
  facts.exists = true;
  facts.kernel_name = nic->name;
  facts.index = nic->index;
  facts.up = nic->up;
  facts.mtu_bytes = nic->mtu;
  facts.receive_queues = nic->receive_queues;
  facts.transmit_queues = nic->transmit_queues;
  read_link(facts, root);
  read_driver(facts, host, ethtool);
  facts.xdp_program = read_xdp_program(facts.index);
  facts.served_by = read_server(facts.index, root);
  reckon_memory(facts, config, flow_table);
  return facts;
}

}  // namespace guideway::doctor
