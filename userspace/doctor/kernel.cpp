#include "doctor/kernel.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "core/unique_fd.h"
#include "doctor/extension_probe.h"
#include "doctor/kernel_config.h"
#include "xdp/driver_support.h"

namespace guideway::doctor {
namespace {

// Whether a try that ended in `error_number` (0: it worked) says that the kernel has the thing.
Fact<bool> outcome(const std::string& doing, int error_number) {
  switch (error_number) {
    case 0: return true;
    case EINVAL:  // bpf(2) of a type that it does not have
    case ENOSYS:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT: return false;
    default: return unknown_errno(doing, error_number);
  }
}

Fact<bool> try_socket() {
  const UniqueFd socket(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  return outcome("opening a socket of AF_XDP", socket.valid() ? 0 : errno);
}

Fact<bool> try_program() {
  static constexpr std::array<bpf_insn, 2> kPass{
      {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
       {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}}};
  const UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_XDP, "guideway_doctor", "GPL", kPass.data(),
                                       kPass.size(), nullptr));
  return outcome("loading an XDP program", program.valid() ? 0 : errno);
}

Fact<bool> try_map(bpf_map_type type, const std::string& what) {
  const UniqueFd map(bpf_map_create(type, "guideway_doctor", 4, 4, 1, nullptr));
  return outcome("making a BPF map of type " + what, map.valid() ? 0 : errno);
}

// By its permissions: to open it could make the kernel load a module.
Fact<bool> look_for_tun(const Root& root) {
  const auto path = root / "dev/net/tun";
  if (::access(path.c_str(), R_OK | W_OK) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return unknown_errno("looking for " + path.string(), errno);
}

Fact<std::uint32_t> read_jit(const Root& root) {
  const auto path = root / "proc/sys/net/core/bpf_jit_enable";
  const auto value = read_number(path);
  if (value) return static_cast<std::uint32_t>(*value);
  if (value.unknown().why != Why::not_there) return value.unknown();
  return Unknown{Why::not_there, "reading " + path.string() +
                                     ": it is in the host's own network namespace only, and not "
                                     "in every kernel"};
}

}  // namespace

void parse_release(KernelFacts& kernel) {
  const auto version = xdp::parse_kernel_version(kernel.release);
  kernel.major = version.major;
  kernel.minor = version.minor;
}

KernelFacts read_kernel(const PrivilegeFacts& privilege, const Root& root) {
  KernelFacts kernel;
  utsname names{};
  if (::uname(&names) == 0) kernel.release = names.release;
  parse_release(kernel);
  read_kernel_config(kernel, root);
  kernel.af_xdp = try_socket();
  kernel.xdp_programs = try_program();
  kernel.xskmap = try_map(BPF_MAP_TYPE_XSKMAP, "XSKMAP");
  kernel.devmap = try_map(BPF_MAP_TYPE_DEVMAP, "DEVMAP");
  kernel.cpumap = try_map(BPF_MAP_TYPE_CPUMAP, "CPUMAP");
  kernel.program_extensions =
      try_extension(privilege.has(CAP_PERFMON) || privilege.has(CAP_SYS_ADMIN));
  std::error_code error;
  kernel.btf = std::filesystem::exists(root / "sys/kernel/btf/vmlinux", error);
  kernel.tun = look_for_tun(root);
  kernel.bpf_jit = read_jit(root);
  return kernel;
}

}  // namespace guideway::doctor
