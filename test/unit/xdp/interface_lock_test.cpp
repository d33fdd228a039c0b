// xdp/interface_lock.h: one owner at a time, and what a dead one has left word of. On an interface
// that there is not.
#include "xdp/interface_lock.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "support/catch.h"

using guideway::xdp::InterfaceLock;

namespace {

constexpr std::uint32_t kNoInterface = 0x7fffffff;

// A program that only this process has.
std::string program() { return "unit_test_" + std::to_string(::getpid()); }

InterfaceLock taken() {
  auto lock = InterfaceLock::take(program(), "none0", kNoInterface);
  REQUIRE(lock.has_value());
  return std::move(*lock);
}

void leave(const std::string& note) {
  std::ofstream(*InterfaceLock::path_of(program(), kNoInterface)) << note;
}

std::string boot() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

bool may_write() {
  const bool may = ::geteuid() == 0 || ::access("/run/guideway", W_OK) == 0;
  if (!may) WARN("skipped: /run/guideway cannot be written by this user");
  return may;
}

}  // namespace

TEST_CASE("what is noted is there for the next owner, and gone with a lock that is given back") {
  if (!may_write()) return;
  {
    const InterfaceLock lock = taken();
    CHECK(lock.noted() == 0);
    lock.note(4711);
    CHECK(lock.noted() == 4711);
    lock.note(3);
    CHECK(lock.noted() == 3);
    CHECK_FALSE(InterfaceLock::take(program(), "none0", kNoInterface).has_value());
    CHECK(InterfaceLock::is_held(program(), kNoInterface));
  }
  CHECK_FALSE(InterfaceLock::is_held(program(), kNoInterface));
  CHECK_FALSE(std::filesystem::exists(*InterfaceLock::path_of(program(), kNoInterface)));
}

TEST_CASE("a note of what could not be taken off is there for the next owner too") {
  if (!may_write()) return;
  (void)taken();  // makes the folder
  leave("4711 " + boot() + "\n");
  {
    InterfaceLock lock = taken();
    lock.keep_note();
    const InterfaceLock moved = std::move(lock);
    CHECK(moved.noted() == 4711);
  }
  CHECK(taken().noted() == 4711);
  CHECK_FALSE(std::filesystem::exists(*InterfaceLock::path_of(program(), kNoInterface)));
}

TEST_CASE("a file that a dead owner has left holds nothing") {
  if (!may_write()) return;
  leave("4711 " + boot() + "\n");
  CHECK_FALSE(InterfaceLock::is_held(program(), kNoInterface));
  CHECK(taken().noted() == 4711);
}

TEST_CASE("a note of a dead owner is believed if it is of this boot, and whole") {
  if (!may_write()) return;
  const auto left = [](const std::string& note) {
    leave(note);
    return taken().noted();
  };
  (void)taken();  // makes the folder
  CHECK(left("4711 " + boot() + "\n") == 4711);
  CHECK(left("4711 00000000-0000-0000-0000-000000000000\n") == 0);
  CHECK(left("4711\n") == 0);
  CHECK(left("4711 " + boot().substr(0, 20)) == 0);
  CHECK(left("99999999999 " + boot() + "\n") == 0);
  CHECK(left("x") == 0);
}
