#include "doctor/memory.h"

#include "scratch_root.h"
#include "support/catch.h"

namespace guideway::doctor {
namespace {

constexpr std::uint64_t kMib = 1 << 20;

MemoryFacts limited(ScratchRoot& root, const char* memberships) {
  MemoryFacts memory;
  read_cgroup_limit(memory, memberships, root.path());
  return memory;
}

}  // namespace

TEST_CASE("the chosen word of a setting is the one in brackets") {
  CHECK(chosen_word("always [madvise] never") == "madvise");
  CHECK(chosen_word("always madvise").empty());
  CHECK(chosen_word("]never[").empty());
}

TEST_CASE("memory is read in bytes, and counts of pages as counts") {
  ScratchRoot root;
  root.write("proc/meminfo",
             "MemTotal:       2048 kB\nMemFree:  5 kB\nMemAvailable:   1024 kB\n"
             "HugePages_Total:       3\nHugePages_Free:        2");
  root.write("sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]");
  const MemoryFacts memory = read_memory(root.path());
  CHECK(memory.total_bytes.is(2 * kMib));
  CHECK(memory.available_bytes.is(kMib));
  CHECK(memory.huge_pages.is(3));
  CHECK(memory.huge_pages_free.is(2));
  CHECK(memory.transparent_hugepages.is("never"));
  CHECK(memory.locked_soft_bytes.known());
}

TEST_CASE("of what a kernel does not tell about memory, the rest is told all the same") {
  ScratchRoot root;
  root.write("proc/meminfo", "MemTotal:       2048 kB");
  const MemoryFacts memory = read_memory(root.path());
  CHECK(memory.total_bytes.is(2 * kMib));
  CHECK(memory.available_bytes.because() == "reading /proc/meminfo: no MemAvailable in it");
  CHECK(memory.transparent_hugepages.unknown().why == Why::not_there);
}

TEST_CASE("the limit of a control group is the smallest on its way to the root") {
  ScratchRoot root;
  root.write("sys/fs/cgroup/cgroup.controllers", "memory");
  root.write("sys/fs/cgroup/memory.max", "16777216");
  root.write("sys/fs/cgroup/system.slice/memory.max", "4194304");
  root.write("sys/fs/cgroup/system.slice/guideway.service/memory.max", "max");
  const MemoryFacts memory = limited(root, "0::/system.slice/guideway.service\n");
  CHECK(memory.cgroup == "/system.slice/guideway.service");
  CHECK(memory.cgroup_limit_bytes.is(4 * kMib));
}

TEST_CASE("a control group without limits has none") {
  ScratchRoot root;
  root.write("sys/fs/cgroup/cgroup.controllers", "memory");
  root.write("sys/fs/cgroup/user/memory.max", "max");
  CHECK(limited(root, "0::/user\n").cgroup_limit_bytes.is(std::nullopt));
}

TEST_CASE("the memory controller of version 1 counts where there is one") {
  ScratchRoot root;
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  root.write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1048576");
  const char* memberships = "5:cpu,cpuacct:/other\n4:memory:/box\n0::/unified\n";
  CHECK(limited(root, memberships).cgroup_limit_bytes.is(kMib));
  CHECK(limited(root, "4:memory:/\n").cgroup_limit_bytes.is(std::nullopt));
}

TEST_CASE("control groups that are not mounted are unknown, not without limit") {
  ScratchRoot root;
  const auto limit = limited(root, "0::/user\n").cgroup_limit_bytes;
  REQUIRE_FALSE(limit);
  CHECK(limit.unknown().why == Why::not_there);
  CHECK(limited(root, "").cgroup_limit_bytes.unknown().why == Why::not_supported);
}

}  // namespace guideway::doctor
