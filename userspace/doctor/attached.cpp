#include "doctor/attached.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <charconv>
#include <string>

#include "core/unique_fd.h"
#include "xdp/interface_lock.h"
#include "xdp/occupant.h"
#include "xdp/steering.h"

namespace guideway::doctor {
namespace {

Fact<std::string> program_name(std::uint32_t id) {
  const std::string doing = "asking for BPF program " + std::to_string(id);
  const UniqueFd program(bpf_prog_get_fd_by_id(id));
  if (!program.valid()) return unknown_errno(doing, errno);
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  if (const int error = bpf_obj_get_info_by_fd(program.get(), &info, &size); error != 0)
    return unknown_errno(doing, -error);
  return std::string(info.name);
}

XdpProgram::Mode mode_of(std::uint8_t attached) {
  switch (attached) {
    case XDP_ATTACHED_DRV: return XdpProgram::Mode::native;
    case XDP_ATTACHED_SKB: return XdpProgram::Mode::generic;
    case XDP_ATTACHED_HW: return XdpProgram::Mode::hardware;
    default: return XdpProgram::Mode::several;
  }
}

std::optional<std::uint32_t> parse_hexadecimal(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "MAJOR:MINOR:INODE", the first two hexadecimal.
bool names(std::string_view text, FileId file) {
  const auto first = text.find(':'), second = text.rfind(':');
  if (first == std::string_view::npos || first == second) return false;
  return parse_hexadecimal(text.substr(0, first)) == file.device_major &&
         parse_hexadecimal(text.substr(first + 1, second - first - 1)) == file.device_minor &&
         parse_number(text.substr(second + 1)) == file.inode;
}

}  // namespace

Fact<std::optional<XdpProgram>> read_xdp_program(std::uint32_t interface_index) {
  LIBBPF_OPTS(bpf_xdp_query_opts, answer);
  if (const int error = bpf_xdp_query(static_cast<int>(interface_index), 0, &answer); error != 0)
    return unknown_errno("asking for the XDP program", -error);
  if (answer.attach_mode == XDP_ATTACHED_NONE) return std::optional<XdpProgram>();
  XdpProgram program;
  program.mode = mode_of(answer.attach_mode);
  for (const std::uint32_t id :
       {answer.prog_id, answer.drv_prog_id, answer.hw_prog_id, answer.skb_prog_id})
    if (program.id == 0) program.id = id;
  program.name = program_name(program.id);
  if (!program.name) {
    program.behind = program.name.unknown();
    program.ours = program.shares = program.name.unknown();
    return std::optional(std::move(program));
  }
  program.shares = *program.name == xdp::kDispatcher;
  if (*program.name == xdp::Steering::kProgram) program.ours_id = program.id;
  std::vector<std::string> behind;
  if (*program.shares) {
    const auto replacements = xdp::replacements_in(program.id);
    if (!replacements) {
      program.behind = Unknown{Why::failed, "asking which programs are behind the dispatcher"};
      program.ours = program.behind.unknown();
      return std::optional(std::move(program));
    }
    for (const xdp::Replacement& one : *replacements) {
      if (one.name == xdp::Steering::kProgram) program.ours_id = one.program_id;
      behind.push_back(xdp::called(one));
    }
  }
  program.ours = program.ours_id != 0;
  program.behind = std::move(behind);
  return std::optional(std::move(program));
}

std::optional<std::uint32_t> find_lock_owner(std::string_view locks, FileId file) {
  for (const auto line : lines_of(locks)) {
    // "12: FLOCK  ADVISORY  WRITE 4711 00:1a:42 0 EOF"; one that waits has "->" before FLOCK.
    const auto words = words_of(line);
    if (words.size() < 6 || words[1] != "FLOCK" || words[3] != "WRITE") continue;
    if (!names(words[5], file)) continue;
    if (const auto pid = parse_number(words[4])) return static_cast<std::uint32_t>(*pid);
  }
  return std::nullopt;
}

Fact<std::optional<std::uint64_t>> parse_locked_limit(std::string_view limits) {
  constexpr std::string_view kName = "Max locked memory";
  for (const auto line : lines_of(limits)) {
    if (!line.starts_with(kName)) continue;
    const auto words = words_of(line.substr(kName.size()));
    if (words.empty()) break;
    if (words[0] == "unlimited") return std::optional<std::uint64_t>();
    if (const auto bytes = parse_number(words[0])) return std::optional(*bytes);
  }
  return Unknown{Why::failed, "reading the limits of a process: no locked memory among them"};
}

Fact<std::optional<Server>> read_server(std::uint32_t interface_index, const Root& root) {
  const auto path = xdp::InterfaceLock::path_of(xdp::Steering::kProgram, interface_index);
  if (!path) return Unknown{Why::failed, path.error().what};
  struct stat file {};
  if (::stat(path->c_str(), &file) != 0) {
    if (errno == ENOENT) return std::optional<Server>();
    return unknown_errno("looking for " + *path, errno);
  }
  const auto locks = read_text(root / "proc/locks");
  if (!locks) return locks.unknown();
  const auto pid = find_lock_owner(*locks, {.device_major = major(file.st_dev),
                                            .device_minor = minor(file.st_dev),
                                            .inode = file.st_ino});
  if (!pid) return std::optional<Server>();  // a file without a lock: its process is dead
  Server server{.pid = *pid, .program = {}, .locked_memory_limit_bytes = {}};
  const auto folder = root / "proc" / std::to_string(*pid);
  server.program = read_text(folder / "comm").value_or("");
  const auto limits = read_text(folder / "limits");
  server.locked_memory_limit_bytes =
      limits ? parse_locked_limit(*limits) : Fact<std::optional<std::uint64_t>>(limits.unknown());
  return std::optional(std::move(server));
}

}  // namespace guideway::doctor
