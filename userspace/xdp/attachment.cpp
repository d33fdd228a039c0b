#include "xdp/attachment.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <spdlog/spdlog.h>
#include <xdp/libxdp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "xdp/driver_support.h"
#include "xdp/occupant.h"
#include "xdp/steering.h"

namespace guideway::xdp {
namespace {

constexpr int kMaxPrograms = 10;  // that libxdp's dispatcher holds
constexpr int kMaxLooks = 5;      // at an interface whose program changes all the time

// What libbpf and libxdp said last as a warning: the kernel's own words (netlink extended
// acknowledgement) reach us only this way.
thread_local std::string last_kernel_words;

__attribute__((format(printf, 3, 0))) void take_line(bool warning, bool debug, const char* format,
                                                     va_list arguments) {
  std::array<char, 1024> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  std::string line(text.data());
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  static constexpr std::string_view kKernel = "Kernel error message: ";
  if (const auto at = line.find(kKernel); warning && at != std::string::npos)
    last_kernel_words = line.substr(at + kKernel.size());
  spdlog::log(debug ? spdlog::level::trace : spdlog::level::debug, "{}", line);
}

__attribute__((format(printf, 2, 0))) int take_libbpf(libbpf_print_level level, const char* format,
                                                      va_list arguments) {
  take_line(level == LIBBPF_WARN, level == LIBBPF_DEBUG, format, arguments);
  return 0;
}

__attribute__((format(printf, 2, 0))) int take_libxdp(libxdp_print_level level, const char* format,
                                                      va_list arguments) {
  take_line(level == LIBXDP_WARN, level == LIBXDP_DEBUG, format, arguments);
  return 0;
}

// The programs of an interface, or null if it has none.
struct MultiprogClose {
  void operator()(xdp_multiprog* programs) const { xdp_multiprog__close(programs); }
};
using Multiprog = std::unique_ptr<xdp_multiprog, MultiprogClose>;

Multiprog programs_of(int interface_index) {
  auto* programs = xdp_multiprog__get_from_ifindex(interface_index);
  return Multiprog(libxdp_get_error(programs) != 0 ? nullptr : programs);
}

// Has libxdp attach without its dispatcher. Its environment is the only way to tell it so.
class WithoutDispatcher {
 public:
  explicit WithoutDispatcher(Sharing sharing) : set_(sharing == Sharing::never) {
    if (!set_) return;
    if (const char* const before = std::getenv(kVariable); before != nullptr) before_ = before;
    ::setenv(kVariable, "1", 1);
  }
  WithoutDispatcher(const WithoutDispatcher&) = delete;
  WithoutDispatcher& operator=(const WithoutDispatcher&) = delete;
  ~WithoutDispatcher() {
    if (!set_) return;
    if (before_)
      ::setenv(kVariable, before_->c_str(), 1);
    else
      ::unsetenv(kVariable);
  }

 private:
  static constexpr const char* kVariable = "LIBXDP_SKIP_DISPATCHER";
  bool set_;
  std::optional<std::string> before_;
};

xdp_attach_mode to_libxdp(AttachMode mode) {
  return mode == AttachMode::native ? XDP_MODE_NATIVE : XDP_MODE_SKB;
}

std::uint32_t to_flags(AttachMode mode) {
  return mode == AttachMode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
}

// As libxdp does it, but by netlink alone: libxdp looks programs up by their ids, for which it
// needs CAP_SYS_ADMIN.
int detach_lone(int interface_index, AttachMode mode, int program_fd) {
  LIBBPF_OPTS(bpf_xdp_attach_opts, expected, .old_prog_fd = program_fd);
  return bpf_xdp_detach(interface_index, to_flags(mode), &expected);
}

// Whether `main`, alone on its interface as far as libxdp knows, is what an earlier process of ours
// left. libxdp knows a dispatcher's programs by their pins in a BPF file system; that of a process
// in a network namespace of `ip netns` goes with the process, and an empty dispatcher stays.
bool is_leftover(const xdp_program* main, const std::string& program) {
  const std::string_view found = xdp_program__name(main);
  if (found != kDispatcher) return found == program;
  const auto behind = replacements_in(xdp_program__id(main));
  return behind &&
         std::ranges::all_of(*behind, [&](const Replacement& one) { return one.name == program; });
}

// Takes off what an earlier process of ours left. REQUIRES: lock_interface() is held.
Result<> detach_leftover(const std::string& program, const std::string& interface, int index) {
  const auto outcome = [&](const xdp_program* found, const std::string& command,
                           int error) -> Result<> {
    if (error != 0)
      return fail_errno("taking the left-over program " + program + " off " + interface, -error,
                        command);
    spdlog::info("{}: took off {} (id {}), which an earlier process had left", interface,
                 xdp_program__name(found), xdp_program__id(found));
    return {};
  };
  // Detaching changes the list, so it is read anew after each.
  for (int round = 0; round < kMaxPrograms; ++round) {
    const Multiprog programs = programs_of(index);
    if (!programs) return {};
    const xdp_attach_mode mode = xdp_multiprog__attach_mode(programs.get());
    if (xdp_multiprog__is_legacy(programs.get())) {
      const auto* main = xdp_multiprog__main_prog(programs.get());
      if (main == nullptr || !is_leftover(main, program)) return {};
      const auto ours = mode == XDP_MODE_SKB ? AttachMode::generic : AttachMode::native;
      return outcome(main, take_off_command(interface, ours),
                     xdp_multiprog__detach(programs.get()));
    }
    xdp_program* found = nullptr;
    while ((found = xdp_multiprog__next_prog(found, programs.get())) != nullptr)
      if (program == xdp_program__name(found)) break;
    if (found == nullptr) return {};
    const std::string command =
        "xdp-loader unload " + interface + " --id " + std::to_string(xdp_program__id(found));
    if (auto done = outcome(found, command, xdp_program__detach(found, index, mode, 0)); !done)
      return done;
  }
  return {};
}

// Whether the file can have the program go without native mode. Decapsulation has no such file.
bool can_be_generic(const std::string& program, AttachMode mode) {
  return mode == AttachMode::native && program == Steering::kProgram;
}

std::string mtu_hint(const Nic& nic, bool generic_helps) {
  if (nic.driver == "veth")
    return "lower the MTU of " + nic.name + " and of its peer, such as to " +
           std::to_string(native_mtu_limit(nic.driver));
  return "lower the MTU: ip link set dev " + nic.name + " mtu 1500" +
         (generic_helps ? ", or set mode: generic" : "");
}

// Of a driver that has no native XDP: since when it has, if it ever has.
std::string refused_because(int error, const Nic& nic, AttachMode mode) {
  if (error != EOPNOTSUPP || mode != AttachMode::native) return {};
  const std::string why = why_no_native(nic.driver, running_kernel());
  return why.empty() ? why : ": " + why;
}

std::string attach_hint(int error, const std::string& program, const Nic& nic, AttachMode mode) {
  if (error == EPERM || error == EACCES)
    return "run as root, or with CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_PERFMON";
  if (error == EOPNOTSUPP && can_be_generic(program, mode))
    return "mode: auto and mode: generic do without it";
  if (error == ERANGE) return mtu_hint(nic, can_be_generic(program, mode));
  if (error == EBUSY || error == EEXIST) {
    const Multiprog programs = programs_of(static_cast<int>(nic.index));
    return occupied_hint(nic, mode, find_occupant(nic.index),
                         programs && !xdp_multiprog__is_legacy(programs.get()));
  }
  return {};
}

}  // namespace

void route_library_output() {
  libbpf_set_print(take_libbpf);
  libxdp_set_print(take_libxdp);
  // The dispatcher is pinned in a BPF file system; a network namespace of `ip netns` has none.
  ::setenv("LIBXDP_BPFFS_AUTOMOUNT", "1", 0);
}

Result<> detach_by_id(const std::string& program, const Nic& nic, std::uint32_t id) {
  LIBBPF_OPTS(bpf_xdp_query_opts, found);
  const auto index = static_cast<int>(nic.index);
  if (id == 0) return {};
  if (const int error = bpf_xdp_query(index, 0, &found); error != 0)
    return fail_errno("asking which XDP program is on " + nic.name, -error);
  for (const AttachMode mode : {AttachMode::native, AttachMode::generic}) {
    if (id != (mode == AttachMode::native ? found.drv_prog_id : found.skb_prog_id)) continue;
    if (const int error = bpf_xdp_detach(index, to_flags(mode), nullptr); error != 0)
      return fail_errno("taking the left-over program " + program + " off " + nic.name, -error,
                        take_off_command(nic.name, mode));
    spdlog::info("{}: took off {} (id {}), which an earlier process had left", nic.name, program,
                 id);
  }
  return {};
}

bool no_mode_helps(const Error& error) {
  switch (error.number) {
    case EPERM:
    case EACCES:
    case EBUSY:
    case EEXIST:
    case ENOMEM:
    case ENOBUFS:
    case ENETDOWN:
    case ERANGE: return true;
    default: return false;
  }
}

Result<Attachment> Attachment::attach(bpf_object* object, const std::string& program,
                                      const Nic& nic, AttachMode mode, Sharing sharing) {
  const WithoutDispatcher without(sharing);
  const std::string doing =
      "attaching " + program + " to " + nic.name + " in " + std::string(name(mode)) + " mode";
  const auto index = static_cast<int>(nic.index);
  if (auto done = detach_leftover(program, nic.name, index); !done)
    return std::unexpected(done.error());

  DECLARE_LIBXDP_OPTS(xdp_program_opts, options, .obj = object, .prog_name = program.c_str());
  xdp_program* created = xdp_program__create(&options);
  if (const auto error = libxdp_get_error(created); error != 0)
    return fail_errno(doing + ": preparing the program", static_cast<int>(-error));
  last_kernel_words.clear();
  if (const int error = xdp_program__attach(created, index, to_libxdp(mode), 0); error != 0) {
    xdp_program__close(created);
    std::string words = last_kernel_words.empty() ? "" : " (" + last_kernel_words + ")";
    return std::unexpected(
        Error{doing + ": " + std::strerror(-error) + words + refused_because(-error, nic, mode),
              attach_hint(-error, program, nic, mode), -error});
  }
  return Attachment(created, index, mode);
}

Attachment::Attachment(xdp_program* program, int interface_index, AttachMode mode)
    : program_(program), interface_index_(interface_index), mode_(mode) {
  std::uint32_t present_id = 0;
  if (bpf_xdp_query_id(interface_index_, 0, &present_id) != 0 || present_id == 0) return;
  dispatcher_ = present_id != id();
  look_again(present_id);
}

std::uint32_t Attachment::id() const { return xdp_program__id(program_); }

Attachment::Attachment(Attachment&& other) noexcept
    : program_(std::exchange(other.program_, nullptr)),
      interface_index_(other.interface_index_),
      mode_(other.mode_),
      dispatcher_(other.dispatcher_),
      seen_id_(other.seen_id_),
      seen_ours_(other.seen_ours_),
      seen_link_id_(other.seen_link_id_) {}

Attachment& Attachment::operator=(Attachment&& other) noexcept {
  std::swap(program_, other.program_);
  std::swap(interface_index_, other.interface_index_);
  std::swap(mode_, other.mode_);
  std::swap(dispatcher_, other.dispatcher_);
  std::swap(seen_id_, other.seen_id_);
  std::swap(seen_ours_, other.seen_ours_);
  std::swap(seen_link_id_, other.seen_link_id_);
  return *this;
}

// What is attached by itself is known by its id, which everybody is told. The links of a dispatcher
// are told to CAP_SYS_ADMIN only, which is also what it takes to be behind one.
void Attachment::look_again(std::uint32_t present_id) const {
  std::uint32_t link_id = 0;
  if (dispatcher_ && present_id != id()) {
    const auto behind = replacements_in(present_id);
    if (!behind) return;  // who cannot be asked has not said that it is gone
    for (const Replacement& one : *behind)
      if (one.program_id == id()) link_id = one.link_id;
  }
  seen_id_ = present_id;
  seen_link_id_ = link_id;
  seen_ours_ = present_id == id() || link_id != 0;
}

// Not by libxdp: each look of version 1.3.1 at an interface costs descriptors that it does not give
// back (xdp-tools issue 343), and this is asked once a second.
bool Attachment::holds() const {
  // A dispatcher that is replaced while it is asked about has nothing behind it any more.
  for (int look = 0; look < kMaxLooks; ++look) {
    std::uint32_t present_id = 0;
    if (const int error = bpf_xdp_query_id(interface_index_, 0, &present_id); error != 0)
      return error != -ENODEV;
    if (present_id == 0) return false;
    const bool same = present_id == seen_id_ && (seen_link_id_ == 0 || link_exists(seen_link_id_));
    if (same) break;
    look_again(present_id);
    if (seen_ours_) break;
  }
  return seen_ours_;
}

Attachment::~Attachment() {
  if (program_ == nullptr) return;
  int error =
      dispatcher_ ? -EEXIST : detach_lone(interface_index_, mode_, xdp_program__fd(program_));
  // Another is there: a dispatcher, with ours behind it, if anybody's.
  if (error == -EEXIST)
    error = xdp_program__detach(program_, interface_index_, to_libxdp(mode_), 0);
  // Gone already, with the interface or by somebody's hand: that was said when it happened.
  if (error != 0 && error != -ENODEV && error != -ENOENT)
    spdlog::warn("detaching {} from interface {}: {}", xdp_program__name(program_),
                 interface_index_, std::strerror(-error));
  xdp_program__close(program_);
}

}  // namespace guideway::xdp
