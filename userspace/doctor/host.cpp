#include "doctor/host.h"

#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "control/own_addresses.h"
#include "doctor/cpu.h"
#include "doctor/device.h"
#include "doctor/kernel.h"
#include "doctor/memory.h"

namespace guideway::doctor {
namespace {

Fact<std::uint64_t> parse_mask(std::string_view status, std::string_view key) {
  const auto text = field_of(status, key).value_or("");
  std::uint64_t mask = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mask, 16);
  if (error == std::errc() && end == text.data() + text.size()) return mask;
  return Unknown{Why::failed, "reading /proc/self/status: no " + std::string(key) + " in it"};
}

Fact<std::vector<HostFacts::Address>> read_addresses() {
  const auto own = control::own_addresses();
  if (!own) return Unknown{Why::failed, own.error().what};
  std::vector<HostFacts::Address> result;
  for (const auto& [address, prefix_length, interface] : *own)
    result.push_back({.address = address, .interface = interface});
  return result;
}

void read_bpf_file_system(HostFacts& host, const Root& root) {
  const auto path = root / "sys/fs/bpf";
  struct statfs kind {};
  if (::statfs(path.c_str(), &kind) != 0) {
    // Not even the folder: then nothing is mounted there either.
    host.bpffs_mounted =
        errno == ENOENT ? Fact<bool>(false) : unknown_errno("looking at " + path.string(), errno);
  } else {
    host.bpffs_mounted = kind.f_type == BPF_FS_MAGIC;
  }
  if (!host.bpffs_mounted.is(true)) {
    host.bpffs_writable = Unknown{Why::not_there, "no BPF file system on " + path.string()};
    return;
  }
  host.bpffs_writable = ::access(path.c_str(), W_OK) == 0;
}

Fact<std::string> libxdp_version() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&xdp_program__create), &info) == 0)
    return Unknown{Why::failed, "looking for libxdp: the linker does not know where it is"};
  std::error_code error;
  const auto file = std::filesystem::canonical(info.dli_fname, error);
  std::string version = version_of(file.filename().string());
  if (!version.empty()) return version;
  return Unknown{Why::failed, std::string("looking for libxdp: ") + info.dli_fname +
                                  " does not say its version"};
}

}  // namespace

std::string version_of(std::string_view library_file) {
  constexpr std::string_view kMark = ".so.";
  const auto at = library_file.find(kMark);
  return at == std::string_view::npos ? std::string()
                                      : std::string(library_file.substr(at + kMark.size()));
}

PrivilegeFacts parse_privilege(std::string_view status) {
  PrivilegeFacts facts;
  facts.effective = parse_mask(status, "CapEff");
  facts.bounding = parse_mask(status, "CapBnd");
  const auto none_new = field_of(status, "NoNewPrivs");
  facts.no_new_privileges =
      none_new ? Fact<bool>(*none_new == "1")
               : Fact<bool>(
                     Unknown{Why::not_supported, "reading /proc/self/status: no NoNewPrivs in it"});
  // "Uid:  real  effective  saved  of files"
  const auto uids = words_of(field_of(status, "Uid").value_or(""));
  if (uids.size() > 1) facts.uid = static_cast<std::uint32_t>(parse_number(uids[1]).value_or(0));
  return facts;
}

Fact<bool> runs(std::string_view program, const Root& root) {
  const auto names = names_in(root / "proc");
  if (names.empty()) return Unknown{Why::not_there, "looking for processes: /proc is empty"};
  return std::ranges::any_of(names, [&](const std::string& name) {
    return parse_number(name) && read_text(root / "proc" / name / "comm").value_or("") == program;
  });
}

HostFacts read_host(const Root& root) {
  HostFacts host;
  // First: libbpf raises the limit of locked memory of this process where an old kernel needs it.
  host.memory = read_memory(root);
  host.privilege = parse_privilege(read_text(root / "proc/self/status").value_or(""));
  host.privilege.uid = ::geteuid();
  host.kernel = read_kernel(host.privilege, root);
  host.cpu = read_cpus(root);
  host.rp_filter_all = read_rp_filter("all", root);
  host.rp_filter_default = read_rp_filter("default", root);
  host.addresses = read_addresses();
  read_bpf_file_system(host, root);
  host.irqbalance = runs("irqbalance", root);
  const std::string libbpf = libbpf_version_string();
  host.libbpf_version = libbpf.starts_with('v') ? libbpf.substr(1) : libbpf;
  host.libxdp_version = libxdp_version();
  return host;
}

}  // namespace guideway::doctor
