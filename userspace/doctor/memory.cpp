#include "doctor/memory.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

namespace guideway::doctor {
namespace {

namespace fs = std::filesystem;

using Limit = std::optional<std::uint64_t>;

constexpr std::uint64_t kKib = 1024;
// Version 1 writes "no limit" as the largest number of whole pages.
constexpr std::uint64_t kNoLimitV1 = std::uint64_t{1} << 62;

// A line of /proc/meminfo, in its unit.
Fact<std::uint64_t> meminfo(const Fact<std::string>& text, std::string_view key) {
  if (!text) return text.unknown();
  const auto field = field_of(*text, key);
  const auto words = words_of(field.value_or(""));
  if (const auto value = parse_number(words.empty() ? "" : words[0]))
    return words.size() > 1 && words[1] == "kB" ? *value * kKib : *value;
  return Unknown{Why::not_supported, "reading /proc/meminfo: no " + std::string(key) + " in it"};
}

Limit limit_of(rlim_t value) { return value == RLIM_INFINITY ? Limit() : Limit(value); }

// Where a group of version 2 is, or the one of the memory controller of version 1: the folder that
// all groups are in, the path of the group, the name of the file with the limit.
struct Group {
  fs::path all;
  std::string path;
  std::string file;
};

std::optional<Group> group_of(std::string_view memberships, const Root& root) {
  const fs::path mounted = root / "sys/fs/cgroup";
  std::optional<Group> unified;
  for (const auto line : lines_of(memberships)) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    if (controllers == "memory") return Group{mounted / "memory", path, "memory.limit_in_bytes"};
    if (controllers.empty()) unified = Group{mounted, path, "memory.max"};
  }
  return unified;
}

}  // namespace

std::string_view chosen_word(std::string_view text) {
  const auto open = text.find('['), close = text.find(']', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  return text.substr(open + 1, close - open - 1);
}

void read_cgroup_limit(MemoryFacts& memory, std::string_view memberships, const Root& root) {
  const auto group = group_of(memberships, root);
  if (!group) {
    memory.cgroup_limit_bytes = Unknown{Why::not_supported, "there are no control groups"};
    return;
  }
  memory.cgroup = group->path;
  std::error_code error;
  if (!fs::exists(group->all / "cgroup.controllers", error) &&
      !fs::exists(group->all / group->file, error)) {
    memory.cgroup_limit_bytes = Unknown{
        Why::not_there, "reading " + group->all.string() + ": no control groups are mounted there"};
    return;
  }
  // A group of which nothing is known here (of another namespace) leaves those above it.
  Limit least;
  for (fs::path at = fs::path(group->path).relative_path();; at = at.parent_path()) {
    if (const auto limit = read_number(group->all / at / group->file); limit && *limit < kNoLimitV1)
      least = least ? std::min(*least, *limit) : *limit;
    if (at.empty()) break;
  }
  memory.cgroup_limit_bytes = least;
}

MemoryFacts read_memory(const Root& root) {
  MemoryFacts memory;
  const auto text = read_text(root / "proc/meminfo");
  memory.total_bytes = meminfo(text, "MemTotal");
  memory.available_bytes = meminfo(text, "MemAvailable");
  memory.huge_pages = meminfo(text, "HugePages_Total");
  memory.huge_pages_free = meminfo(text, "HugePages_Free");
  const auto transparent = read_text(root / "sys/kernel/mm/transparent_hugepage/enabled");
  memory.transparent_hugepages = transparent
                                     ? Fact<std::string>(std::string(chosen_word(*transparent)))
                                     : Fact<std::string>(transparent.unknown());
  rlimit locked{};
  if (::getrlimit(RLIMIT_MEMLOCK, &locked) == 0) {
    memory.locked_soft_bytes = limit_of(locked.rlim_cur);
    memory.locked_hard_bytes = limit_of(locked.rlim_max);
  } else {
    memory.locked_soft_bytes = unknown_errno("asking for the limit of locked memory", errno);
    memory.locked_hard_bytes = memory.locked_soft_bytes.unknown();
  }
  const auto memberships = read_text(root / "proc/self/cgroup");
  read_cgroup_limit(memory, memberships.value_or(""), root);
  return memory;
}

}  // namespace guideway::doctor
