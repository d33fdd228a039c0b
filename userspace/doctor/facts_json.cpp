#include "doctor/facts_json.h"

#include <array>
#include <utility>

#include "doctor/json_values.h"

namespace guideway::doctor {
namespace {

json::object kernel(const KernelFacts& facts) {
  return {{"release", facts.release},
          {"major", facts.major},
          {"minor", facts.minor},
          {"config", to_value(facts.config)},
          {"config_file", facts.config_file},
          {"af_xdp", to_value(facts.af_xdp)},
          {"xdp_programs", to_value(facts.xdp_programs)},
          {"xskmap", to_value(facts.xskmap)},
          {"devmap", to_value(facts.devmap)},
          {"cpumap", to_value(facts.cpumap)},
          {"program_extensions", to_value(facts.program_extensions)},
          {"btf", to_value(facts.btf)},
          {"tun", to_value(facts.tun)},
          {"bpf_jit", to_value(facts.bpf_jit)}};
}

json::object cpu(const CpuFacts& facts) {
  json::array each;
  for (const CpuFacts::Cpu& one : facts.cpus)
    each.push_back(json::object{{"number", one.number},
                                {"numa_node", to_value(one.numa_node)},
                                {"siblings", to_value(one.siblings)}});
  return {{"online", to_value(facts.online)},
          {"possible", to_value(facts.possible)},
          {"isolated", to_value(facts.isolated)},
          {"allowed", to_value(facts.allowed)},
          {"cpus", std::move(each)}};
}

json::object privilege(const PrivilegeFacts& facts) {
  return {{"uid", facts.uid},
          {"effective", to_value(facts.effective)},
          {"bounding", to_value(facts.bounding)},
          {"no_new_privileges", to_value(facts.no_new_privileges)}};
}

json::object memory(const MemoryFacts& facts) {
  return {{"total_bytes", to_value(facts.total_bytes)},
          {"available_bytes", to_value(facts.available_bytes)},
          {"transparent_hugepages", to_value(facts.transparent_hugepages)},
          {"huge_pages", to_value(facts.huge_pages)},
          {"huge_pages_free", to_value(facts.huge_pages_free)},
          {"locked_soft_bytes", to_value(facts.locked_soft_bytes)},
          {"locked_hard_bytes", to_value(facts.locked_hard_bytes)},
          {"cgroup", facts.cgroup},
          {"cgroup_limit_bytes", to_value(facts.cgroup_limit_bytes)},
          {"umem_bytes", facts.umem_bytes},
          {"flow_tables_bytes", facts.flow_tables_bytes}};
}

json::value addresses(const Fact<std::vector<HostFacts::Address>>& fact) {
  if (!fact) return to_value(Fact<bool>(fact.unknown()));
  json::array out;
  for (const HostFacts::Address& one : *fact)
    out.push_back(json::object{{"address", one.address.text()}, {"interface", one.interface}});
  return out;
}

json::object host(const HostFacts& facts) {
  return {{"kernel", kernel(facts.kernel)},
          {"cpu", cpu(facts.cpu)},
          {"privilege", privilege(facts.privilege)},
          {"memory", memory(facts.memory)},
          {"rp_filter_all", to_value(facts.rp_filter_all)},
          {"rp_filter_default", to_value(facts.rp_filter_default)},
          {"addresses", addresses(facts.addresses)},
          {"bpffs_mounted", to_value(facts.bpffs_mounted)},
          {"bpffs_writable", to_value(facts.bpffs_writable)},
          {"irqbalance", to_value(facts.irqbalance)},
          {"libbpf_version", facts.libbpf_version},
          {"libxdp_version", to_value(facts.libxdp_version)}};
}

json::value route(const Fact<RouteFact>& fact) {
  if (!fact) return to_value(Fact<bool>(fact.unknown()));
  return json::object{{"kind", name(fact->kind)},
                      {"device", fact->device},
                      {"device_index", fact->device_index},
                      {"gateway", to_value(fact->gateway)},
                      {"mtu_bytes", fact->mtu_bytes},
                      {"source", to_value(fact->source)},
                      {"device_running", fact->device_running},
                      {"device_ethernet", fact->device_ethernet},
                      {"from_source", fact->from_source}};
}

json::value answer(const Fact<ApiFact>& fact) {
  if (!fact) return to_value(Fact<bool>(fact.unknown()));
  return json::object{{"listens", fact->listens}, {"cause", fact->cause}};
}

json::value neighbour(const Fact<NeighbourFact>& fact) {
  if (!fact) return to_value(Fact<bool>(fact.unknown()));
  return json::object{{"address", fact->address.text()},
                      {"state", name(fact->state)},
                      {"mac", to_value(fact->mac)}};
}

json::value bgp(const std::optional<BgpFacts>& facts) {
  if (!facts) return nullptr;
  json::array peers;
  for (const PeerFacts& one : facts->peers)
    peers.push_back(json::object{{"address", one.address},
                                 {"route", route(one.route)},
                                 {"neighbour", neighbour(one.neighbour)}});
  return json::object{{"api", facts->api},
                      {"answer", answer(facts->answer)},
                      {"gobgpd", to_value(facts->gobgpd)},
                      {"peers", std::move(peers)}};
}

}  // namespace

json::object to_json(const Facts& facts) {
  json::array interfaces, backends;
  for (const InterfaceFacts& one : facts.interfaces) interfaces.push_back(to_value(one));
  for (const BackendFacts& one : facts.backends)
    backends.push_back(json::object{{"address", one.address.text()},
                                    {"route", route(one.route)},
                                    {"neighbour", neighbour(one.neighbour)}});
  return {{"host", host(facts.host)},
          {"interfaces", std::move(interfaces)},
          {"backends", std::move(backends)},
          {"bgp", bgp(facts.bgp)}};
}

}  // namespace guideway::doctor
