#include "doctor/host.h"

#include <linux/capability.h>
#include <zlib.h>

#include "doctor/cpu.h"
#include "doctor/kernel.h"
#include "doctor/kernel_config.h"
#include "scratch_root.h"
#include "support/catch.h"

namespace guideway::doctor {

using Numbers = std::vector<std::uint32_t>;

TEST_CASE("privilege is read of the process's status") {
  const PrivilegeFacts facts = parse_privilege(
      "Name:\tguideway\nUid:\t1000\t1001\t1000\t1000\nCapEff:\t0000000000003000\n"
      "CapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\n");
  CHECK(facts.uid == 1001);
  CHECK(facts.has(CAP_NET_ADMIN));
  CHECK(facts.has(CAP_NET_RAW));
  CHECK_FALSE(facts.has(CAP_BPF));
  CHECK(facts.bounding.is(0x1ffffffffff));
  CHECK(facts.no_new_privileges.is(true));
}

TEST_CASE("privilege that cannot be read is none") {
  const PrivilegeFacts facts = parse_privilege("Name:\tguideway\n");
  CHECK_FALSE(facts.effective);
  CHECK_FALSE(facts.has(CAP_NET_ADMIN));
}

TEST_CASE("a process is found by its name, and by no longer one") {
  ScratchRoot root;
  root.write("proc/1/comm", "systemd");
  root.write("proc/17/comm", "irqbalance");
  root.write("proc/self/comm", "guideway");
  CHECK(runs("irqbalance", root.path()).is(true));
  CHECK(runs("irq", root.path()).is(false));
  CHECK(runs("guideway", root.path()).is(false));
  CHECK_FALSE(runs("irqbalance", root.path() / "elsewhere").known());
}

TEST_CASE("the version of a library is in its file's name") {
  CHECK(version_of("libxdp.so.1.3.1") == "1.3.1");
  CHECK(version_of("libxdp.so").empty());
}

TEST_CASE("a kernel's release tells its version, whatever is behind it") {
  KernelFacts kernel;
  kernel.release = "6.1.0-18-amd64";
  parse_release(kernel);
  CHECK(kernel.major == 6);
  CHECK(kernel.minor == 1);
  CHECK(kernel.at_least(6, 1));
  CHECK(kernel.at_least(5, 15));
  CHECK_FALSE(kernel.at_least(6, 3));
  CHECK_FALSE(kernel.at_least(7, 0));
}

TEST_CASE("options of a kernel that its configuration does not have are n") {
  const auto options = parse_kernel_config(
      "CONFIG_XDP_SOCKETS=y\n# CONFIG_NET_IPGRE is not set\nCONFIG_TUN=m\nCONFIG_TUNE=y\n"
      "#CONFIG_BPF_JIT=y\n");
  CHECK(options.size() == kKernelOptions.size());
  CHECK(options.at("XDP_SOCKETS") == "y");
  CHECK(options.at("NET_IPGRE") == "n");
  CHECK(options.at("TUN") == "m");
  CHECK(options.at("BPF_JIT") == "n");
}

TEST_CASE("the kernel's configuration is read of /boot where /proc has none") {
  ScratchRoot root;
  KernelFacts kernel;
  kernel.release = "6.1.0-18-amd64";
  read_kernel_config(kernel, root.path());
  REQUIRE_FALSE(kernel.config);
  CHECK(kernel.config.unknown().why == Why::not_there);
  root.write("boot/config-6.1.0-18-amd64", "CONFIG_XDP_SOCKETS=y");
  root.write("boot/config-5.10.0-1-amd64", "CONFIG_TUN=y");
  read_kernel_config(kernel, root.path());
  REQUIRE(kernel.config);
  CHECK(kernel.config->at("XDP_SOCKETS") == "y");
  CHECK(kernel.config->at("TUN") == "n");
  CHECK(kernel.config_file == (root.path() / "boot/config-6.1.0-18-amd64").string());
}

TEST_CASE("the kernel's configuration is read of /proc, compressed as it is there") {
  ScratchRoot root;
  root.make_folder("proc");
  const gzFile file = gzopen((root.path() / "proc/config.gz").c_str(), "wb");
  REQUIRE(file != nullptr);
  CHECK(gzputs(file, "CONFIG_XDP_SOCKETS=y\n") > 0);
  REQUIRE(gzclose(file) == Z_OK);
  KernelFacts kernel;
  kernel.release = "6.1.0";
  read_kernel_config(kernel, root.path());
  REQUIRE(kernel.config);
  CHECK(kernel.config->at("XDP_SOCKETS") == "y");
  CHECK(kernel.config_file.ends_with("/proc/config.gz"));
}

TEST_CASE("CPUs are read with their node and the threads of their core") {
  ScratchRoot root;
  const std::string system = "sys/devices/system/";
  root.write(system + "cpu/online", "0-1,3");
  root.write(system + "cpu/possible", "0-7");
  root.write(system + "cpu/isolated", "3");
  root.write(system + "cpu/cpu0/topology/thread_siblings_list", "0,3");
  root.write(system + "node/node0/cpulist", "0-1");
  root.write(system + "node/node1/cpulist", "2-3");
  root.write(system + "node/possible", "0-1");
  const CpuFacts facts = read_cpus(root.path());
  CHECK(facts.online.is({0, 1, 3}));
  CHECK(facts.possible.is({0, 1, 2, 3, 4, 5, 6, 7}));
  CHECK(facts.isolated.is({3}));
  REQUIRE(facts.allowed);
  CHECK_FALSE(facts.allowed->empty());
  REQUIRE(facts.cpus.size() == 3);
  CHECK(facts.cpus[0] == CpuFacts::Cpu{0, 0, {0, 3}});
  CHECK(facts.cpus[1] == CpuFacts::Cpu{1, 0, {1}});
  CHECK(facts.cpus[2] == CpuFacts::Cpu{3, 1, {3}});
}

TEST_CASE("of a host without /sys, its CPUs are unknown, not none") {
  const ScratchRoot root;
  const CpuFacts facts = read_cpus(root.path());
  CHECK_FALSE(facts.online);
  CHECK(facts.cpus.empty());
}

}  // namespace guideway::doctor
