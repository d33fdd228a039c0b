#include "doctor/attached.h"

#include <linux/neighbour.h>

#include "doctor/next_hops.h"
#include "support/catch.h"

namespace guideway::doctor {
namespace {

constexpr const char* kLocks =
    "1: POSIX  ADVISORY  WRITE 11 00:1a:42 0 EOF\n"
    "2: FLOCK  ADVISORY  READ  12 00:1a:42 0 EOF\n"
    "3: FLOCK  ADVISORY  WRITE 13 00:1b:42 0 EOF\n"
    "4: FLOCK  ADVISORY  WRITE 14 00:1a:43 0 EOF\n"
    "5: FLOCK  ADVISORY  WRITE 15 00:1a:42 0 EOF\n"
    "5: -> FLOCK  ADVISORY  WRITE 16 00:1a:44 0 EOF\n";

}  // namespace

TEST_CASE("the owner of a lock is who has that very file locked in that very way") {
  CHECK(find_lock_owner(kLocks, {0, 0x1a, 42}) == 15U);
  CHECK(find_lock_owner(kLocks, {0, 0x1b, 42}) == 13U);
}

TEST_CASE("who waits for a lock does not have it, and a file that nobody locked has no owner") {
  CHECK_FALSE(find_lock_owner(kLocks, {0, 0x1a, 44}));
  CHECK_FALSE(find_lock_owner(kLocks, {0x1a, 0, 42}));
  CHECK_FALSE(find_lock_owner("", {0, 0x1a, 42}));
  CHECK_FALSE(find_lock_owner("1: FLOCK ADVISORY WRITE 9 nonsense 0 EOF\n", {0, 0x1a, 42}));
}

TEST_CASE("the limit of locked memory of a process is its soft one") {
  const std::string before =
      "Limit                     Soft Limit           Hard Limit           Units\n"
      "Max processes             96000                96000                processes\n";
  CHECK(parse_locked_limit(before + "Max locked memory         65536  8388608  bytes\n").is(65536));
  CHECK(parse_locked_limit(before + "Max locked memory         unlimited unlimited bytes\n")
            .is(std::nullopt));
  CHECK_FALSE(parse_locked_limit(before));
}

TEST_CASE("an interface that no daemon ever served is served by nobody") {
  constexpr std::uint32_t kNoSuchIndex = 0x7ffffff0;
  CHECK(read_server(kNoSuchIndex, "/").is(std::nullopt));
}

TEST_CASE("each state of a neighbour has its word, and none is none") {
  const std::pair<std::uint16_t, const char*> states[] = {
      {NUD_NONE, "none"},     {NUD_INCOMPLETE, "incomplete"}, {NUD_REACHABLE, "reachable"},
      {NUD_STALE, "stale"},   {NUD_DELAY, "delay"},           {NUD_PROBE, "probe"},
      {NUD_FAILED, "failed"}, {NUD_NOARP, "noarp"},           {NUD_PERMANENT, "permanent"},
  };
  for (const auto& [mask, word] : states) CHECK(name(neighbour_state(mask)) == word);
}

}  // namespace guideway::doctor
