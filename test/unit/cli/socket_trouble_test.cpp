#include "cli/socket_trouble.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>

#include "cli/client.h"
#include "scripted_daemon.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

constexpr Host kWithUnit{.has_unit = true};
constexpr Host kWithout{.has_unit = false};

TEST_CASE(
    "a daemon that is not running is started by systemd where it has the unit, else by hand") {
  const std::string with = cannot_connect(kDefaultSocket, ENOENT, kWithUnit).text();
  CHECK_THAT(with, StartsWith("guidewayd is not running: connecting to /run/guideway/") &&
                       Contains("(start it: systemctl start guideway;"));
  CHECK_THAT(cannot_connect(kDefaultSocket, ENOENT, kWithout).text(),
             Contains("(start it: guidewayd FILE;"));
}

TEST_CASE("a socket elsewhere that is not there may be the wrong one") {
  const ScratchFolder folder;
  const std::string said = cannot_connect(folder / "s", ENOENT, kWithUnit).text();
  CHECK_THAT(said, StartsWith("guidewayd is not running, or its socket is elsewhere: ") &&
                       Contains(folder / "s"));
}

TEST_CASE(
    "a socket that nobody listens at is one of a daemon that died, and the journal says why") {
  const ScratchFolder folder;
  { const UniqueFd dead = listen_at(folder / "s"); }
  const std::string with = cannot_connect(folder / "s", ECONNREFUSED, kWithUnit).text();
  CHECK_THAT(with, StartsWith("guidewayd is not running: nobody listens at " + (folder / "s")) &&
                       Contains("journalctl -u guideway; start it: systemctl start guideway"));
  CHECK_THAT(cannot_connect(folder / "s", ECONNREFUSED, kWithout).text(),
             Contains("its log; start it: guidewayd FILE"));
}

TEST_CASE("a file that is no socket is told as that") {
  const ScratchFolder folder;
  std::ofstream(folder / "file") << "text";
  CHECK_THAT(cannot_connect(folder / "file", ECONNREFUSED, kWithUnit).text(),
             Contains("it is no socket") && Contains("admin.socket"));
}

TEST_CASE("a socket of root's group is for root alone") {
  const ScratchFolder folder;
  const UniqueFd server = listen_at(folder / "s");
  REQUIRE(::chmod((folder / "s").c_str(), 0600) == 0);
  CHECK(cannot_connect(folder / "s", EACCES, kWithUnit).text() ==
        "connecting to " + (folder / "s") + ": Permission denied (run this with sudo)");
}

TEST_CASE("a path that cannot be a socket's is told with the sizes that can") {
  CHECK_THAT(cannot_connect("", ENAMETOOLONG, kWithUnit).text(), Contains("0 bytes: too short"));
  CHECK_THAT(cannot_connect(std::string(200, 'x'), ENAMETOOLONG, kWithUnit).text(),
             Contains("200 bytes: too long"));
}

}  // namespace
}  // namespace guideway::cli
