// app/service_manager.h, with a socket in place of systemd.
#include "app/service_manager.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "core/unique_fd.h"
#include "support/catch.h"
#include "support/scratch_folder.h"

using namespace guideway;
using namespace guideway::app;
using namespace std::chrono_literals;

namespace {

// Where $NOTIFY_SOCKET leads for as long as this lives.
class Listener {
 public:
  Listener() {
    const std::string path = folder_ / "notify";
    const sockaddr_un address = socket_address(path);
    socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }

  // The next message; "" where there is none.
  std::string next() {
    std::array<char, 1024> text{};
    const ssize_t bytes = ::recv(socket_.get(), text.data(), text.size(), 0);
    return bytes < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(bytes));
  }

 private:
  ScratchFolder folder_;
  UniqueFd socket_;
};

Situation forwarding() {
  return {.phase = Situation::Phase::forwarding,
          .interfaces = {{.name = "eth0", .attachment = "native", .mode = "zero-copy"}},
          .backends = 3,
          .backends_up = 3,
          .generation = 12};
}

}  // namespace

TEST_CASE("the status names interfaces, backends and generation in one line") {
  CHECK(status_line(forwarding()) ==
        "forwarding on eth0 (native, zero-copy), 3 of 3 backends up, generation 12");
}

TEST_CASE("the status names each interface, and one that lost its program") {
  Situation situation = forwarding();
  situation.interfaces.push_back({.name = "eth1", .attachment = "lost", .mode = "copy"});
  situation.backends_up = 0;
  CHECK(status_line(situation) ==
        "out of service: eth1 (guideway reload); forwarding on eth0 (native, zero-copy), "
        "0 of 3 backends up, generation 12");
  situation.interfaces.erase(situation.interfaces.begin());
  CHECK(status_line(situation) ==
        "out of service: eth1 (guideway reload); forwarding on no interface, 0 of 3 backends up, "
        "generation 12");
}

TEST_CASE("the status begins with what is wrong") {
  Situation situation = forwarding();
  situation.reload_failed = true;
  situation.stalled = {"gw-0-eth0", "gw-3-eth0"};
  CHECK(status_line(situation).starts_with(
      "hanging: gw-0-eth0, gw-3-eth0; the last reload failed; forwarding on eth0"));
}

TEST_CASE("the status tells starting and draining from forwarding") {
  Situation situation = forwarding();
  situation.phase = Situation::Phase::draining;
  CHECK(status_line(situation).starts_with("stopping, still forwarding on eth0"));
  situation.phase = Situation::Phase::starting;
  situation.interfaces.clear();
  CHECK(status_line(situation) == "starting, 3 of 3 backends up, generation 12");
}

TEST_CASE("without a service manager nothing is said and no watchdog is fed") {
  ::unsetenv("NOTIFY_SOCKET");
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ServiceManager manager;
  CHECK_FALSE(manager.watchdog().has_value());
  manager.ready("forwarding");
  manager.alive();
  ::unsetenv("WATCHDOG_USEC");
}

TEST_CASE("a start says how long it takes, that it is ready, or why it is not") {
  Listener listener;
  ServiceManager manager;
  manager.extend_timeout(90s);
  CHECK(listener.next() == "EXTEND_TIMEOUT_USEC=90000000\n");
  manager.ready("forwarding");
  CHECK(listener.next() == "READY=1\nSTATUS=forwarding\n");
  manager.failed({.what = "cannot start: x: y", .hint = "do z", .number = 13});
  CHECK(listener.next() == "STATUS=cannot start: x: y (do z)\nERRNO=13\n");
  manager.failed({.what = "wrong file"});
  CHECK(listener.next() == "STATUS=wrong file\nERRNO=22\n");
}

TEST_CASE("a status is said when it is another than the last one") {
  Listener listener;
  ServiceManager manager;
  manager.ready("a");
  manager.status("a");
  manager.status("b");
  manager.status("b");
  CHECK(listener.next() == "READY=1\nSTATUS=a\n");
  CHECK(listener.next() == "STATUS=b\n");
  CHECK(listener.next().empty());
}

TEST_CASE(
    "a service manager that stands still keeps nobody waiting, and hears later what it missed") {
  Listener listener;
  ServiceManager manager;
  manager.ready("a");
  // More than its queue holds. (The default of net.unix.max_dgram_qlen is 10; systemd sets 512.)
  for (int i = 0; i < 100'000; ++i) manager.alive();
  manager.reloading();
  manager.ready("b");
  manager.alive();
  CHECK(listener.next() == "READY=1\nSTATUS=a\n");
  std::string next;
  while ((next = listener.next()) == "WATCHDOG=1\n") {
  }
  CHECK(next.empty());
  manager.status("b");
  CHECK(listener.next().starts_with("RELOADING=1\n"));
  CHECK(listener.next() == "READY=1\nSTATUS=b\n");
  CHECK(listener.next().empty());
}

TEST_CASE("of what a service manager misses the newest is kept") {
  Listener listener;
  ServiceManager manager;
  for (int i = 0; i < 100'000; ++i) manager.status("at " + std::to_string(i));
  std::string next, last;
  int heard = 0;
  do {
    for (; !(next = listener.next()).empty(); ++heard) last = next;
    manager.status("at 99999");
    next = listener.next();
    if (!next.empty()) ++heard, last = next;
  } while (!next.empty());
  CHECK(last == "STATUS=at 99999\n");
  CHECK(heard < 50'000);
}

TEST_CASE("what a service manager that stands still has to know is not lost for statuses") {
  Listener listener;
  ServiceManager manager;
  for (int i = 0; i < 100'000; ++i) manager.alive();
  manager.reloading();
  for (int i = 0; i < 1000; ++i) manager.status("at " + std::to_string(i));
  manager.ready("b");
  manager.stopping("stopping", 5s);
  for (int i = 1000; i < 2000; ++i) manager.status("at " + std::to_string(i));
  std::vector<std::string> heard;
  for (bool more = true; more; manager.status("at 1999")) {
    more = false;
    for (std::string next; !(next = listener.next()).empty(); more = true)
      if (next != "WATCHDOG=1\n") heard.push_back(next);
  }
  REQUIRE(heard.size() == 4);
  CHECK(heard[0].starts_with("RELOADING=1\n"));
  CHECK(heard[1] == "READY=1\nSTATUS=b\n");
  CHECK(heard[2].starts_with("STOPPING=1\n"));
  CHECK(heard[3] == "STATUS=at 1999\n");
}

TEST_CASE("a process that ends says why, if there is room by then") {
  Listener listener;
  std::optional<ServiceManager> manager(std::in_place);
  for (int i = 0; i < 100'000; ++i) manager->alive();
  manager->status("starting");
  manager->failed({.what = "cannot start"});
  CHECK(listener.next() == "WATCHDOG=1\n");
  manager.reset();
  std::string last;
  for (std::string next; !(next = listener.next()).empty();) last = next;
  CHECK(last == "STATUS=cannot start\nERRNO=22\n");
}

TEST_CASE("a service manager is found by an abstract name too") {
  const std::string name = "guideway-test-" + std::to_string(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())) == 0);
  ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  ServiceManager().alive();
  ::unsetenv("NOTIFY_SOCKET");
  std::array<char, 64> text{};
  CHECK(::recv(socket.get(), text.data(), text.size(), 0) == 11);
  CHECK(std::string(text.data()) == "WATCHDOG=1\n");
}

TEST_CASE("a status with line breaks cannot pass for another message") {
  Listener listener;
  ServiceManager manager;
  manager.status("a\nREADY=1");
  CHECK(listener.next() == "STATUS=a READY=1\n");
}

TEST_CASE("a reload says when it began, by the monotonic clock") {
  Listener listener;
  ServiceManager manager;
  const auto now_us = [] {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  const auto before = now_us();
  manager.reloading();
  const auto after = now_us();
  const std::string said = listener.next();
  const std::string beginning = "RELOADING=1\nMONOTONIC_USEC=";
  REQUIRE(said.starts_with(beginning));
  const auto told = std::stoll(said.substr(beginning.size()));
  CHECK(before <= told);
  CHECK(told <= after);
}

TEST_CASE("a stop asks for the time that it takes") {
  Listener listener;
  ServiceManager manager;
  manager.stopping("stopping", 5min);
  CHECK(listener.next() == "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=300000000\n");
}

TEST_CASE("the watchdog is that of this process, and no other's") {
  Listener listener;
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  ServiceManager own;
  REQUIRE(own.watchdog().has_value());
  CHECK(*own.watchdog() == 3s);
  own.alive();
  CHECK(listener.next() == "WATCHDOG=1\n");
  ::setenv("WATCHDOG_PID", std::to_string(::getpid() + 1).c_str(), 1);
  CHECK_FALSE(ServiceManager().watchdog().has_value());
}
