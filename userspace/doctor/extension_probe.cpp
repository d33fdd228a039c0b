#include "doctor/extension_probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>

#include <array>
#include <cerrno>
#include <memory>

#include "core/unique_fd.h"

namespace guideway::doctor {
namespace {

constexpr auto kPass = std::to_array<bpf_insn>(
    {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
     {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}});

struct FreeBtf {
  void operator()(btf* types) const { btf__free(types); }
};

// The types of `int guideway_doctor(struct xdp_md *)`, loaded.
struct Types {
  std::unique_ptr<btf, FreeBtf> owner{btf__new_empty()};
  int function = -EINVAL;  // its type id, or a negative errno

  Types() {
    if (owner == nullptr) return;
    const int number = btf__add_int(owner.get(), "int", 4, BTF_INT_SIGNED);
    const int context = btf__add_struct(owner.get(), "xdp_md", 0);
    const int pointer = btf__add_ptr(owner.get(), context);
    const int prototype = btf__add_func_proto(owner.get(), number);
    if (prototype < 0 || btf__add_func_param(owner.get(), "ctx", pointer) != 0) return;
    function = btf__add_func(owner.get(), "guideway_doctor", BTF_FUNC_GLOBAL, prototype);
    if (function < 0) return;
    if (const int error = btf__load_into_kernel(owner.get()); error != 0) function = error;
  }
  [[nodiscard]] int fd() const { return btf__fd(owner.get()); }
};

// Loads the program of two instructions as `type`: `target` is the one that it extends, or -1.
UniqueFd load(bpf_prog_type type, const Types& types, int target) {
  const bpf_func_info whole{.insn_off = 0, .type_id = static_cast<std::uint32_t>(types.function)};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_btf_fd = static_cast<std::uint32_t>(types.fd()));
  options.func_info = &whole;
  options.func_info_cnt = 1;
  options.func_info_rec_size = sizeof whole;
  if (target >= 0) {
    options.attach_prog_fd = static_cast<std::uint32_t>(target);
    options.attach_btf_id = static_cast<std::uint32_t>(types.function);
  }
  return UniqueFd(
      bpf_prog_load(type, "guideway_doctor", "GPL", kPass.data(), kPass.size(), &options));
}

}  // namespace

Fact<bool> try_extension(bool privileged) {
  const std::string doing = "trying whether BPF programs can extend one another";
  // Whether a failure of the extension tells of this process, and not of the kernel.
  const auto refused = [&](int error) {
    return !privileged && (error == EPERM || error == EACCES);
  };
  const Types types;
  if (types.function < 0)
    return types.function == -EPERM ? Fact<bool>(unknown_errno(doing, EPERM)) : Fact<bool>(false);
  const UniqueFd target = load(BPF_PROG_TYPE_XDP, types, -1);
  if (!target.valid()) return unknown_errno(doing, errno);
  const UniqueFd extension = load(BPF_PROG_TYPE_EXT, types, target.get());
  if (!extension.valid())
    return refused(errno) ? Fact<bool>(unknown_errno(doing, errno)) : Fact<bool>(false);
  const UniqueFd link(bpf_raw_tracepoint_open(nullptr, extension.get()));
  if (!link.valid() && refused(errno)) return unknown_errno(doing, errno);
  return link.valid();
}

}  // namespace guideway::doctor
