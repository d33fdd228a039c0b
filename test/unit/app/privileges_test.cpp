// app/privileges.h: which capabilities are missing, and which are kept.
#include "app/privileges.h"

#include <linux/capability.h>

#include <string>
#include <vector>

#include "support/catch.h"

using namespace guideway;
using namespace guideway::app;

namespace {

CapabilitySet set_of(const std::vector<int>& numbers) {
  CapabilitySet set = 0;
  for (const int number : numbers) set |= CapabilitySet{1} << number;
  return set;
}

const CapabilitySet kOfTheUnit = set_of({CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF, CAP_PERFMON});
constexpr CapabilitySet kAll = ~CapabilitySet{0};

}  // namespace

TEST_CASE("the capabilities of the unit are enough, and kept") {
  CHECK(check_capabilities(kOfTheUnit).has_value());
  CHECK(capabilities_to_keep(kOfTheUnit, false) == kOfTheUnit);
}

TEST_CASE("each capability that is needed is named when it is missing") {
  for (const Capability& one : capabilities()) {
    if (one.use != Capability::Use::needed) continue;
    const auto checked = check_capabilities(kOfTheUnit & ~set_of({one.number}));
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().what == "without " + std::string(one.name) + ": Operation not permitted");
    CHECK(checked.error().hint.find("run as root, or with ") == 0);
  }
  const auto none = check_capabilities(0);
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().what ==
        "without cap_net_admin, cap_net_raw, cap_bpf, cap_perfmon: Operation not permitted");
}

TEST_CASE("CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON, and for no other") {
  CHECK(check_capabilities(set_of({CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW})).has_value());
  CHECK_FALSE(check_capabilities(set_of({CAP_SYS_ADMIN, CAP_NET_ADMIN})).has_value());
}

TEST_CASE("root keeps what has a use, and gives the rest away") {
  const auto kept = capability_names(capabilities_to_keep(kAll, false));
  CHECK(kept == std::vector<std::string>{"cap_dac_override", "cap_net_bind_service",
                                         "cap_net_admin", "cap_net_raw", "cap_sys_admin",
                                         "cap_perfmon", "cap_bpf"});
}

TEST_CASE("CAP_IPC_LOCK is kept where locked memory is limited") {
  const CapabilitySet lock = set_of({CAP_IPC_LOCK});
  CHECK(capabilities_to_keep(kOfTheUnit | lock, true) == (kOfTheUnit | lock));
  CHECK(capabilities_to_keep(kOfTheUnit | lock, false) == kOfTheUnit);
}

TEST_CASE("a capability without a use has a number for a name") {
  CHECK(capability_names(set_of({CAP_SYS_BOOT})) == std::vector<std::string>{"cap_22"});
  CHECK(capability_names(0).empty());
  CHECK(capability_names(CapabilitySet{1} << 63) == std::vector<std::string>{"cap_63"});
}

TEST_CASE("work without capabilities has none, and its caller keeps what it has") {
  const CapabilitySet before = capabilities_in_force();
  CapabilitySet inside = kAll;
  run_without_capabilities([&] { inside = capabilities_in_force(); });
  CHECK(inside == 0);
  CHECK(capabilities_in_force() == before);
}
