// The host's own addresses, of a network namespace that each test makes for itself.
#include "control/own_addresses.h"

#include <sched.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include "support/catch.h"

namespace guideway::control {
namespace {

// "198.51.100.1/32 lo"
std::vector<std::string> texts(const std::vector<OwnAddress>& addresses) {
  std::vector<std::string> result;
  for (const OwnAddress& own : addresses)
    result.push_back(own.address.text() + "/" + std::to_string(own.prefix_length) + " " +
                     own.interface);
  return result;
}

// What own_addresses() says in a new namespace after `commands`, all on a thread that has it.
std::vector<std::string> in_new_namespace(const std::string& commands) {
  bool made = false, ran = false;
  Result<std::vector<OwnAddress>> found;
  std::thread([&] {
    made = ::unshare(CLONE_NEWNET) == 0;
    ran = made && std::system(commands.c_str()) == 0;
    if (ran) found = own_addresses();
  }).join();
  if (!made) {
    std::cout << "SKIP: no privilege to make a network namespace (CAP_SYS_ADMIN)" << std::endl;
    std::_Exit(77);
  }
  REQUIRE(ran);
  REQUIRE(found);
  return texts(*found);
}

TEST_CASE("127.0.0.0/8 on the interface lo is no address of the host's own, another one there is") {
  CHECK(in_new_namespace("ip link set lo up").empty());
  CHECK(in_new_namespace("ip link set lo up && ip address add 198.51.100.1/32 dev lo") ==
        std::vector<std::string>{"198.51.100.1/32 lo"});
}

TEST_CASE("Every IPv4 address of an interface is told, also when it is down or has a label") {
  CHECK(in_new_namespace("ip link add dummy0 type dummy 2> /dev/null || "
                         "ip link add dummy0 type bridge; "
                         "ip address add 10.0.0.10/24 dev dummy0 && "
                         "ip address add 10.0.0.11/24 dev dummy0 label dummy0:1 && "
                         "ip address add fd00::1/64 dev dummy0 nodad") ==
        std::vector<std::string>{"10.0.0.10/24 dummy0", "10.0.0.11/24 dummy0"});
}

}  // namespace
}  // namespace guideway::control
