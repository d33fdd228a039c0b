// The kernel and who may use it: what the daemon cannot do without, and what makes it better.
#include <linux/capability.h>

#include <algorithm>

#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

// Where the headers are older (linux/capability.h).
constexpr int kCapPerfmon = 38, kCapBpf = 39;

// Sockets that ask to be woken (XDP_USE_NEED_WAKEUP), which the workers do, since 5.4. What the
// tests of Guideway run on: 6.1 and later.
constexpr std::uint32_t kOldestMajor = 5, kOldestMinor = 4;
constexpr std::uint32_t kTriedMajor = 6, kTriedMinor = 1;

Mend newer_kernel() {
  return Mend::by_hand("a kernel of Linux 6.1 or later, built as distributions build it");
}

void judge_release(const KernelFacts& kernel, Report& report) {
  const std::string own = "Linux " + kernel.release;
  if (!kernel.at_least(kOldestMajor, kOldestMinor))
    report.say(Severity::error, "kernel",
               own + " is too old: AF_XDP as it is used here is there since Linux 5.4",
               newer_kernel());
  else if (!kernel.at_least(kTriedMajor, kTriedMinor))
    report.say(Severity::note, "kernel",
               own + " is older than what Guideway is tested on, Linux 6.1 and later",
               newer_kernel());
  else
    report.ok("kernel", own);
}

void judge_needed(const KernelFacts& kernel, Report& report) {
  struct Need {
    const Fact<bool>& fact;
    const char *check, *what, *option;
  };
  for (const Need& need :
       {Need{kernel.af_xdp, "af_xdp", "sockets of AF_XDP", "XDP_SOCKETS"},
        Need{kernel.xdp_programs, "xdp", "XDP programs", "BPF_SYSCALL"},
        Need{kernel.xskmap, "xskmap", "maps of AF_XDP sockets", "XDP_SOCKETS"}}) {
    if (!report.seen(need.fact, need.check, std::string("whether the kernel has ") + need.what))
      continue;
    if (*need.fact)
      report.ok(need.check, std::string("the kernel has ") + need.what);
    else
      report.say(Severity::error, need.check,
                 std::string("the kernel has no ") + need.what + ", without which nothing works",
                 Mend::by_hand(std::string("a kernel with CONFIG_") + need.option + "=y"));
  }
}

void judge_liked(const KernelFacts& kernel, Report& report) {
  if (report.seen(kernel.program_extensions, "sharing", "whether XDP programs can share")) {
    if (*kernel.program_extensions)
      report.ok("sharing", "several XDP programs can share an interface (libxdp's dispatcher)");
    else
      report.say(Severity::note, "sharing",
                 "the kernel cannot replace functions of BPF programs (freplace): no other XDP "
                 "program can share an interface with Guideway's");
  }
  if (report.seen(kernel.btf, "btf", "the kernel's BTF")) {
    if (*kernel.btf)
      report.ok("btf", "the kernel describes its types (BTF)");
    else
      report.say(Severity::note, "btf",
                 "the kernel does not describe its types: there is no /sys/kernel/btf/vmlinux; "
                 "sharing an interface with other XDP programs may not work",
                 Mend::by_hand("a kernel with CONFIG_DEBUG_INFO_BTF=y"));
  }
  if (report.seen(kernel.bpf_jit, "bpf_jit", "net.core.bpf_jit_enable")) {
    if (*kernel.bpf_jit != 0)
      report.ok("bpf_jit", "BPF programs are compiled to machine code");
    else
      report.say(Severity::warning, "bpf_jit",
                 "BPF programs are interpreted: each packet costs more than it has to",
                 sysctl("net.core.bpf_jit_enable", "1"));
  }
}

void judge_bpffs(const HostFacts& host, Report& report) {
  if (!report.seen(host.bpffs_mounted, "bpffs", "whether /sys/fs/bpf is mounted")) return;
  if (*host.bpffs_mounted)
    report.ok("bpffs", "a BPF file system is mounted on /sys/fs/bpf");
  else
    report.say(Severity::note, "bpffs",
               "no BPF file system is mounted on /sys/fs/bpf, where libxdp keeps what shares an "
               "interface; guidewayd mounts one for itself if it may",
               Mend::by_command("mount -t bpf bpf /sys/fs/bpf",
                                "systemd mounts it at boot; else a line in /etc/fstab"));
}

void judge_tun(const Case& seen, Report& report) {
  if (seen.model == nullptr || !checks_through_tunnel(*seen.model)) return;
  if (!report.seen(seen.facts.host.kernel.tun, "tun", "/dev/net/tun")) return;
  if (*seen.facts.host.kernel.tun)
    report.ok("tun", "TUN devices can be made, for checks through the tunnel");
  else
    report.say(Severity::error, "tun",
               "/dev/net/tun cannot be opened: checks with via: tunnel cannot be asked",
               Mend::by_command("modprobe tun", "tun in a file in /etc/modules-load.d"));
}

// By a daemon that runs, whether it was reached or not.
bool is_served(const InterfaceFacts& interface) {
  return interface.served_by.known() && interface.served_by->has_value();
}

// Who starts the daemon is not who runs the doctor, unless that is root.
void judge_privilege(const Case& seen, Report& report) {
  const PrivilegeFacts& own = seen.facts.host.privilege;
  if (seen.running != nullptr || std::ranges::any_of(seen.facts.interfaces, is_served)) return;
  if (!report.seen(own.effective, "capabilities", "the capabilities of this process")) return;
  std::vector<std::string> missing;
  if (!own.has(CAP_NET_ADMIN)) missing.emplace_back("CAP_NET_ADMIN");
  if (!own.has(CAP_NET_RAW)) missing.emplace_back("CAP_NET_RAW");
  if (!own.has(CAP_SYS_ADMIN)) {  // which stands for both
    if (!own.has(kCapBpf)) missing.emplace_back("CAP_BPF");
    if (!own.has(kCapPerfmon)) missing.emplace_back("CAP_PERFMON");
  }
  if (missing.empty())
    report.ok("capabilities", "this user may do what guidewayd has to");
  else if (own.uid == 0)
    report.say(Severity::error, "capabilities",
               "root lacks " + listed(missing) + " here, which guidewayd needs: a container?",
               Mend::by_hand("give the container these capabilities"));
  else
    report.say(Severity::note, "capabilities",
               "guidewayd cannot be started as this user, who lacks " + listed(missing),
               Mend::by_command("sudo systemctl start guideway"));
}

}  // namespace

void judge_kernel(const Case& seen, Desk& desk) {
  const HostFacts& host = seen.facts.host;
  Report report = desk.report("host");
  judge_release(host.kernel, report);
  judge_needed(host.kernel, report);
  judge_liked(host.kernel, report);
  judge_bpffs(host, report);
  judge_tun(seen, report);
  judge_privilege(seen, report);
}

}  // namespace guideway::doctor
