#include "app/privileges.h"

#include <linux/capability.h>
#include <pwd.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <thread>

namespace guideway::app {
namespace {

constexpr CapabilitySet bit(int number) { return CapabilitySet{1} << number; }

constexpr CapabilitySet kStandsForBpf = bit(CAP_SYS_ADMIN);

// The kernel's interface has 32 bits a word (capget(2)).
struct Sets {
  CapabilitySet effective = 0, permitted = 0;
};

Sets read_sets() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> words{};
  if (::syscall(SYS_capget, &header, words.data()) != 0) return {};
  const auto joined = [](std::uint32_t low, std::uint32_t high) {
    return CapabilitySet{high} << 32 | low;
  };
  return {.effective = joined(words[0].effective, words[1].effective),
          .permitted = joined(words[0].permitted, words[1].permitted)};
}

// Makes `set` the permitted and the effective one of this thread; nothing is inheritable.
bool write_set(CapabilitySet set) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const auto low = static_cast<std::uint32_t>(set), high = static_cast<std::uint32_t>(set >> 32);
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> words{
      {{.effective = low, .permitted = low, .inheritable = 0},
       {.effective = high, .permitted = high, .inheritable = 0}}};
  return ::syscall(SYS_capset, &header, words.data()) == 0;
}

// Frames are locked memory. Kernels before 5.11 also charge BPF maps. True if there is a limit.
bool memory_stays_limited() {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0) return false;
  spdlog::debug("raising the limit of locked memory: {}", std::strerror(errno));
  rlimit now{};
  return ::getrlimit(RLIMIT_MEMLOCK, &now) != 0 || now.rlim_cur != RLIM_INFINITY;
}

// Empties what a program that root executes gets. Needs CAP_SETPCAP.
bool empty_bounding_set() {
  for (int number = 0;; ++number) {
    const int there = ::prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (there < 0) return true;  // the kernel knows no more
    if (there > 0 && ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) return false;
  }
}

// Sees to it that programs that this process executes get no capability.
Result<> give_nothing_to_programs() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_errno("setting no_new_privs", errno);
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
    return fail_errno("clearing the ambient capabilities", errno);
  // It counts for root alone: a program of another user gains nothing from it.
  if (!empty_bounding_set() && ::geteuid() == 0)
    spdlog::warn(
        "programs of exec checks get the capabilities that guidewayd keeps: emptying the bounding "
        "set: {} (give it cap_setpcap as well, or another user than root)",
        std::strerror(errno));
  return {};
}

}  // namespace

const std::vector<Capability>& capabilities() {
  using Use = Capability::Use;
  static const std::vector<Capability> all{
      {CAP_NET_ADMIN, "cap_net_admin", Use::needed,
       "attaching and detaching the XDP program, asking for neighbours, the tunnel of checks"},
      {CAP_NET_RAW, "cap_net_raw", Use::needed,
       "AF_XDP sockets, the raw socket of checks through the tunnel"},
      {CAP_BPF, "cap_bpf", Use::needed, "loading the XDP program and its maps"},
      {CAP_PERFMON, "cap_perfmon", Use::needed,
       "the same: the verifier lets a program compare packet pointers"},
      {CAP_SYS_ADMIN, "cap_sys_admin", Use::kept,
       "libxdp's dispatcher, by which several programs share an interface"},
      {CAP_DAC_OVERRIDE, "cap_dac_override", Use::kept,
       "files of others: the configuration, the socket, the pins of libxdp's dispatcher"},
      {CAP_NET_BIND_SERVICE, "cap_net_bind_service", Use::kept, "metrics.listen below port 1024"},
      {CAP_IPC_LOCK, "cap_ipc_lock", Use::if_memory_locks,
       "frames of AF_XDP sockets, where locked memory is limited"}};
  return all;
}

std::vector<std::string> capability_names(CapabilitySet set) {
  std::vector<std::string> names;
  for (; set != 0; set &= set - 1) {
    const int number = std::countr_zero(set);
    std::string name = "cap_" + std::to_string(number);
    for (const Capability& one : capabilities())
      if (one.number == number) name = one.name;
    names.push_back(std::move(name));
  }
  return names;
}

Result<> check_capabilities(CapabilitySet permitted) {
  if ((permitted & kStandsForBpf) != 0) permitted |= bit(CAP_BPF) | bit(CAP_PERFMON);
  std::string missing;
  for (const Capability& one : capabilities())
    if (one.use == Capability::Use::needed && (permitted & bit(one.number)) == 0)
      missing += (missing.empty() ? "" : ", ") + std::string(one.name);
  if (missing.empty()) return {};
  return fail_errno("without " + missing, EPERM,
                    "run as root, or with cap_net_admin, cap_net_raw, cap_bpf and cap_perfmon: "
                    "AmbientCapabilities= of the unit");
}

CapabilitySet capabilities_to_keep(CapabilitySet permitted, bool memory_is_limited) {
  CapabilitySet known = 0;
  for (const Capability& one : capabilities())
    if (one.use != Capability::Use::if_memory_locks || memory_is_limited) known |= bit(one.number);
  return permitted & known;
}

Result<> settle_privileges() {
  const CapabilitySet permitted = read_sets().permitted;
  if (auto enough = check_capabilities(permitted); !enough) return enough;
  const bool limited = memory_stays_limited();
  if (auto given = give_nothing_to_programs(); !given) return given;
  if (!write_set(capabilities_to_keep(permitted, limited)))
    return fail_errno("giving away capabilities that are not needed", errno);
  return {};
}

void run_without_capabilities(const std::function<void()>& work) {
  std::thread([&work] {
    if (!write_set(0)) spdlog::warn("a worker keeps its capabilities: {}", std::strerror(errno));
    work();
  }).join();
}

CapabilitySet capabilities_in_force() { return read_sets().effective; }

std::string user_name() {
  const uid_t user = ::geteuid();
  passwd entry{}, *found = nullptr;
  std::array<char, 4096> text{};
  if (::getpwuid_r(user, &entry, text.data(), text.size(), &found) == 0 && found != nullptr)
    return found->pw_name;
  return std::to_string(user);
}

}  // namespace guideway::app
