#include "doctor/json_values.h"

namespace guideway::doctor {

json::value to_value(const Driver& value) {
  return json::object{{"name", value.name},
                      {"version", value.version},
                      {"bus", value.bus},
                      {"firmware", value.firmware}};
}

json::value to_value(const Channels& value) {
  return json::object{{"receive", value.receive},          {"transmit", value.transmit},
                      {"combined", value.combined},        {"other", value.other},
                      {"max_receive", value.max_receive},  {"max_transmit", value.max_transmit},
                      {"max_combined", value.max_combined}};
}

json::value to_value(const Rings& value) {
  return json::object{{"receive", value.receive},
                      {"transmit", value.transmit},
                      {"max_receive", value.max_receive},
                      {"max_transmit", value.max_transmit}};
}

json::value to_value(const Indirection& value) {
  return json::object{{"entries", value.entries}, {"queues", to_value(value.queues)}};
}

json::value to_value(const HashFields& value) {
  return json::object{{"addresses", value.addresses}, {"ports", value.ports}, {"raw", value.raw}};
}

json::value to_value(const Offload& value) {
  return json::object{{"on", value.on}, {"fixed", value.fixed}, {"wanted_on", value.wanted_on}};
}

json::value to_value(const XdpFeatures& value) {
  return json::object{{"source", name(value.source)},
                      {"native", value.native},
                      {"redirect", value.redirect},
                      {"zero_copy", value.zero_copy},
                      {"transmit", value.transmit},
                      {"multi_buffer", value.multi_buffer},
                      {"zero_copy_segments", value.zero_copy_segments},
                      {"raw", value.raw}};
}

json::value to_value(const DriverSupport& value) {
  return json::object{{"native_since", value.native_since},
                      {"redirect_since", value.redirect_since},
                      {"zero_copy_since", value.zero_copy_since}};
}

json::value to_value(const VirtioFacts& value) {
  return json::object{{"access_platform", value.access_platform}, {"ring_reset", value.ring_reset}};
}

json::value to_value(const XdpProgram& value) {
  return json::object{{"mode", name(value.mode)},     {"id", value.id},
                      {"name", to_value(value.name)}, {"behind", to_value(value.behind)},
                      {"ours", to_value(value.ours)}, {"shares", to_value(value.shares)}};
}

json::value to_value(const Server& value) {
  return json::object{{"pid", value.pid},
                      {"program", value.program},
                      {"locked_memory_limit_bytes", to_value(value.locked_memory_limit_bytes)}};
}

json::value to_value(const Relative& value) {
  return json::object{{"name", value.name}, {"kind", value.kind}};
}

json::value to_value(const Interrupt& value) {
  return json::object{{"number", value.number},
                      {"name", value.name},
                      {"serves", name(value.serves)},
                      {"queue", to_value(value.queue)},
                      {"allowed_cpus", to_value(value.allowed_cpus)},
                      {"effective_cpus", to_value(value.effective_cpus)}};
}

json::value to_value(const InterfaceFacts& value) {
  json::object out{{"name", value.name}, {"exists", value.exists}};
  if (!value.exists) return out;
  out["kernel_name"] = value.kernel_name;
  out["index"] = value.index;
  out["up"] = to_value(value.up);
  out["carrier"] = to_value(value.carrier);
  out["mtu_bytes"] = to_value(value.mtu_bytes);
  out["mac"] = to_value(value.mac);
  out["driver"] = to_value(value.driver);
  out["kind"] = value.kind;
  out["receive_queues"] = value.receive_queues;
  out["transmit_queues"] = value.transmit_queues;
  out["channels"] = to_value(value.channels);
  out["rings"] = to_value(value.rings);
  out["indirection"] = to_value(value.indirection);
  out["hash_tcp4"] = to_value(value.hash_tcp4);
  out["hash_udp4"] = to_value(value.hash_udp4);
  out["offloads"] = to_value(value.offloads);
  out["xdp"] = to_value(value.xdp);
  out["driver_support"] = to_value(value.driver_support);
  out["virtio"] = to_value(value.virtio);
  out["native_mtu_limit_bytes"] = value.native_mtu_limit_bytes;
  out["queues_for_xdp"] = value.queues_for_xdp;
  out["xdp_program"] = to_value(value.xdp_program);
  out["served_by"] = to_value(value.served_by);
  out["master"] = to_value(value.master);
  out["upper"] = to_value(value.upper);
  out["lower"] = to_value(value.lower);
  out["interrupts"] = to_value(value.interrupts);
  out["numa_node"] = to_value(value.numa_node);
  out["served_queues"] = value.served_queues;
  out["frame_bytes"] = to_value(value.frame_bytes);
  out["umem_bytes"] = to_value(value.umem_bytes);
  out["flow_tables_bytes"] = to_value(value.flow_tables_bytes);
  out["rp_filter"] = to_value(value.rp_filter);
  out["napi_defer_hard_irqs"] = to_value(value.napi_defer_hard_irqs);
  out["gro_flush_timeout_ns"] = to_value(value.gro_flush_timeout_ns);
  return out;
}

}  // namespace guideway::doctor
