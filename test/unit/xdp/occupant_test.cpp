// xdp/occupant.h: what mends it that somebody else's program is on the interface.
#include "xdp/occupant.h"

#include <cerrno>

#include "support/catch.h"

namespace guideway::xdp {
namespace {

using Catch::Matchers::Contains;

std::string hint(AttachMode wanted, const Result<std::optional<Occupant>>& occupant,
                 bool dispatcher_answers = false) {
  Nic nic;
  nic.name = "eth0";
  return occupied_hint(nic, wanted, occupant, dispatcher_answers);
}

Occupant dispatcher(AttachMode mode, std::vector<std::string> sharing) {
  return {.id = 9,
          .mode = mode,
          .name = std::string(kDispatcher),
          .name_error = 0,
          .sharing = std::move(sharing)};
}

TEST_CASE("a program that does not share is named, with the command for the mode that it has") {
  const Occupant lone{
      .id = 9, .mode = AttachMode::native, .name = "firewall", .name_error = 0, .sharing = {}};
  CHECK(hint(AttachMode::native, lone) ==
        "the XDP program firewall (id 9) is there already and does not share; take it off with: "
        "ip link set dev eth0 xdpdrv off");
  Occupant generic = lone;
  generic.mode = AttachMode::generic;
  CHECK_THAT(hint(AttachMode::native, generic), Contains("ip link set dev eth0 xdpgeneric off"));
}

TEST_CASE("a program whose name is not told is told with what it takes to share") {
  Occupant unnamed{
      .id = 9, .mode = AttachMode::native, .name = "", .name_error = EPERM, .sharing = {}};
  CHECK_THAT(hint(AttachMode::native, unnamed),
             Contains("an XDP program (id 9) is there already") && Contains("takes cap_sys_admin"));
  unnamed.name_error = EMFILE;
  CHECK_THAT(hint(AttachMode::native, unnamed),
             Contains("could not be asked: Too many open files; take it off with") &&
                 !Contains("cap_sys_admin"));
  unnamed.name_error = 0;
  CHECK_THAT(hint(AttachMode::native, unnamed),
             Contains("has no name and does not share") && !Contains("cap_sys_admin"));
}

TEST_CASE("a dispatcher in another mode is told with the modes that there can be") {
  const auto in_generic = dispatcher(AttachMode::generic, {"a", "b", "c"});
  CHECK_THAT(hint(AttachMode::native, in_generic),
             Contains("xdp_dispatcher (id 9) is there already, with a, b and c behind it, "
                      "in generic mode") &&
                 Contains("in native mode, or set mode: generic for this interface"));
  const auto in_native = dispatcher(AttachMode::native, {"a"});
  CHECK_THAT(hint(AttachMode::generic, in_native),
             Contains("attach what is there in generic mode") && !Contains("set mode: generic"));
}

TEST_CASE("a dispatcher that libxdp knows nothing of is pinned elsewhere") {
  const auto occupant = dispatcher(AttachMode::native, {"filter"});
  CHECK_THAT(hint(AttachMode::native, occupant),
             Contains("with filter behind it") && Contains("LIBXDP_BPFFS"));
  CHECK_THAT(hint(AttachMode::native, occupant, true),
             Contains("takes no other program") && !Contains("LIBXDP_BPFFS"));
}

TEST_CASE("a program that has gone again is no reason to do anything but to try again") {
  CHECK_THAT(hint(AttachMode::native, std::optional<Occupant>()), Contains("try again"));
}

TEST_CASE("a program that could not be asked for is not said to have gone") {
  CHECK_THAT(hint(AttachMode::native, fail_errno("asking which XDP program is there", ENOMEM)),
             Contains("Cannot allocate memory") && !Contains("gone") && !Contains("try again"));
}

TEST_CASE("a program without a name is called by its id") {
  CHECK(called({.program_id = 12, .link_id = 3, .name = "filter"}) == "filter");
  CHECK(called({.program_id = 12, .link_id = 3, .name = ""}) == "program 12");
}

}  // namespace
}  // namespace guideway::xdp
