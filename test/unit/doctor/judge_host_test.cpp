// What is said of the kernel, the privileges and the memory.
#include "judge_rows.h"

namespace guideway::doctor {
namespace {

std::uint64_t without(std::uint64_t mask, int capability) {
  return mask & ~(std::uint64_t{1} << capability);
}

// That of a process that may neither lock memory without a limit nor raise the limit.
void take_locking(World& world) {
  auto& effective = world.facts.host.privilege.effective;
  effective = without(without(*effective, CAP_IPC_LOCK), CAP_SYS_RESOURCE);
}

TEST_CASE("what is amiss with the kernel is told with what mends it") {
  check_rows(
      World(),
      {{"Linux 5.3",
        [](World& world) {
          world.facts.host.kernel.release = "5.3.1";
          world.facts.host.kernel.major = 5;
          world.facts.host.kernel.minor = 3;
        },
        Severity::error, "kernel", "Linux 5.3.1 is too old", "Linux 6.1 or later"},
       {"Linux 5.15",
        [](World& world) {
          world.facts.host.kernel.major = 5;
          world.facts.host.kernel.minor = 15;
        },
        Severity::note, "kernel", "older than what Guideway is tested on", "Linux 6.1"},
       {"no AF_XDP", [](World& world) { world.facts.host.kernel.af_xdp = false; }, Severity::error,
        "af_xdp", "no sockets of AF_XDP", "CONFIG_XDP_SOCKETS=y"},
       {"no XDP", [](World& world) { world.facts.host.kernel.xdp_programs = false; },
        Severity::error, "xdp", "no XDP programs", "CONFIG_BPF_SYSCALL=y"},
       {"no XSKMAP", [](World& world) { world.facts.host.kernel.xskmap = false; }, Severity::error,
        "xskmap", "no maps of AF_XDP sockets", "CONFIG_XDP_SOCKETS=y"},
       {"no freplace", [](World& world) { world.facts.host.kernel.program_extensions = false; },
        Severity::note, "sharing", "no other XDP program can share", ""},
       {"no BTF", [](World& world) { world.facts.host.kernel.btf = false; }, Severity::note, "btf",
        "/sys/kernel/btf/vmlinux", "CONFIG_DEBUG_INFO_BTF=y"},
       {"no JIT", [](World& world) { world.facts.host.kernel.bpf_jit = 0U; }, Severity::warning,
        "bpf_jit", "interpreted", "sysctl -w net.core.bpf_jit_enable=1"},
       {"no bpffs", [](World& world) { world.facts.host.bpffs_mounted = false; }, Severity::note,
        "bpffs", "/sys/fs/bpf", "mount -t bpf bpf /sys/fs/bpf"},
       {"no TUN",
        [](World& world) {
          ask_through_tunnel(world.model);
          world.facts.host.kernel.tun = false;
        },
        Severity::error, "tun", "via: tunnel", "modprobe tun"}},
      "host");
}

TEST_CASE("a host without TUN is right where no check goes through the tunnel") {
  World world;
  world.facts.host.kernel.tun = false;
  CHECK(amiss(world.findings(), "tun").empty());
}

TEST_CASE("missing capabilities are an error for root and a note for others") {
  const auto take_net_admin = [](World& world) {
    auto& effective = world.facts.host.privilege.effective;
    effective = without(*effective, CAP_NET_ADMIN);
  };
  const auto take_all = [](World& world) {
    world.facts.host.privilege.uid = 65534;
    world.facts.host.privilege.effective = std::uint64_t{0};
  };
  check_rows(
      World(),
      {{"a container", take_net_admin, Severity::error, "capabilities", "root lacks CAP_NET_ADMIN",
        "container"},
       {"nobody", take_all, Severity::note, "capabilities",
        "CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_PERFMON", "sudo systemctl start guideway"}},
      "host");
  World running = with_daemon();
  take_all(running);
  CHECK(amiss(running.findings(), "capabilities").empty());
}

TEST_CASE("what is amiss with memory is told with what mends it") {
  check_rows(
      World(),
      {{"8 MiB may be locked, 16 are needed", take_locking, Severity::error, "memlock",
        "8 MiB may be locked, and the memory for packets is 16 MiB", "LimitMEMLOCK=infinity"},
       {"maps are charged, too",
        [](World& world) {
          take_locking(world);
          world.facts.host.kernel.major = 5;
          world.facts.host.kernel.minor = 10;
        },
        Severity::error, "memlock", "besides BPF maps", "LimitMEMLOCK=infinity"},
       {"little memory",
        [](World& world) { world.facts.host.memory.available_bytes = std::uint64_t{20} << 20; },
        Severity::error, "memory", "16 MiB for packets and 24 MiB for flow tables",
        "flow_table.entries"},
       {"a small control group",
        [](World& world) {
          world.facts.host.memory.cgroup = "/small";
          world.facts.host.memory.cgroup_limit_bytes = std::optional<std::uint64_t>(1 << 20);
        },
        Severity::note, "cgroup", "/small may use 1 MiB", "MemoryMax="},
       {"no huge pages",
        [](World& world) { world.facts.host.memory.transparent_hugepages = std::string("never"); },
        Severity::warning, "huge_pages", "huge pages are off",
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"}},
      "host");
}

TEST_CASE("a limit of locked memory that is high enough, none, or another user's is right") {
  for (const std::optional<std::uint64_t> limit : {std::optional<std::uint64_t>(16 << 20), {}}) {
    World world;
    take_locking(world);
    world.facts.host.memory.locked_hard_bytes = limit;
    CHECK(amiss(world.findings(), "memlock").empty());
  }
  World other;
  take_locking(other);
  other.facts.host.privilege.uid = 1000;
  CHECK(amiss(other.findings(), "memlock").empty());
  World running = with_daemon();
  take_locking(running);
  CHECK(amiss(running.findings(), "memlock").empty());
}

}  // namespace
}  // namespace guideway::doctor
