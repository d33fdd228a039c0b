#include "doctor/read_facts.h"

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include "doctor/bgp.h"
#include "doctor/ethtool.h"
#include "doctor/host.h"
#include "doctor/interface.h"
#include "doctor/next_hops.h"

namespace guideway::doctor {
namespace {

// What is tried may fail, and is a fact then: the libraries have nothing to tell anybody.
class Silence {
 public:
  Silence() : libbpf_(libbpf_set_print(nullptr)), libxdp_(libxdp_set_print(nullptr)) {}
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    libbpf_set_print(libbpf_);
    libxdp_set_print(libxdp_);
  }

 private:
  libbpf_print_fn_t libbpf_;
  libxdp_print_fn_t libxdp_;
};

}  // namespace

Facts read_facts(const control::Model* model, const Root& root) {
  const Silence silence;
  Facts facts;
  facts.host = read_host(root);
  if (model == nullptr) return facts;
  const Ethtool ethtool;
  MemoryFacts& memory = facts.host.memory;
  for (const control::Interface& config : model->interfaces) {
    facts.interfaces.push_back(
        read_interface(config, model->flow_table, facts.host, ethtool, root));
    memory.umem_bytes += facts.interfaces.back().umem_bytes.value_or(0);
    memory.flow_tables_bytes += facts.interfaces.back().flow_tables_bytes.value_or(0);
  }
  facts.backends = read_next_hops(model->backend_addresses(), model->encapsulation.source);
  if (model->bgp) facts.bgp = read_bgp(*model->bgp, root);
  return facts;
}

}  // namespace guideway::doctor
