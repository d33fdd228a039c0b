#include "integration/tunnel/two_hosts.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "support/catch.h"

namespace guideway::test {
namespace {

constexpr std::size_t kOuterBytes = 24;

UniqueFd current_namespace() {
  UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  REQUIRE(fd.valid());
  return fd;
}

void enter(const UniqueFd& network) { REQUIRE(::setns(network.get(), CLONE_NEWNET) == 0); }

void run_ip(const std::string& arguments) {
  INFO("ip " << arguments);
  REQUIRE(std::system(("ip " + arguments).c_str()) == 0);
}

void set(const std::string& file, int value) {
  std::ofstream out("/proc/sys/net/" + file);
  out << value << std::flush;
  INFO(file);
  REQUIRE(out.good());
}

// Packets come and go by different ways, which a strict rp_filter would take for forged ones.
UniqueFd new_namespace() {
  REQUIRE(::unshare(CLONE_NEWNET) == 0);
  for (const char* which : {"all", "default"})
    set(std::string("ipv4/conf/") + which + "/rp_filter", 0);
  run_ip("link set lo up");
  return current_namespace();
}

UniqueFd open_tun(const char* name) {
  UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  ifreq request{};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (tun.valid() && ::ioctl(tun.get(), TUNSETIFF, &request) == 0) return tun;
  return UniqueFd();
}

// Runs in a child, so that the test's own namespace stays as it is.
int try_it() {
  if (::unshare(CLONE_NEWNET) != 0) return 1;
  if (!open_tun("probe%d").valid()) return 2;
  return UniqueFd(::socket(AF_INET, SOCK_RAW, IPPROTO_RAW)).valid() ? 0 : 3;
}

}  // namespace

std::string tunnel_problem() {
  if (std::system("ip -V > /dev/null 2>&1") != 0) return "no ip command (iproute2)";
  const pid_t child = ::fork();
  if (child == 0) ::_exit(try_it());
  int status = 1;
  ::waitpid(child, &status, 0);
  switch (WIFEXITED(status) ? WEXITSTATUS(status) : 1) {
    case 0: return "";
    case 2: return "no TUN device (modprobe tun, CAP_NET_ADMIN)";
    case 3: return "no raw socket (CAP_NET_RAW)";
    default: return "no privilege to make a network namespace (CAP_SYS_ADMIN)";
  }
}

TwoHosts::TwoHosts() : home_(current_namespace()) {
  far_ = new_namespace();
  near_ = new_namespace();
  // By its number, as it has no name: the file descriptor is not passed to the command.
  const std::string far_path =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(far_.get());
  near("link add up0 type veth peer name far0 netns " + far_path);
  far("address add 10.77.0.2/24 dev far0");
  far("address add 10.77.0.3/24 dev far0");
  far("address add 198.51.100.1/32 dev lo");
  far("link set far0 up");
  near("address add 10.77.0.1/24 dev up0");
  near("address add 10.77.0.4/24 dev up0");
  near("link set up0 up");
}

TwoHosts::~TwoHosts() {
  if (::setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
}

void TwoHosts::near(const std::string& arguments) const { run_ip(arguments); }

void TwoHosts::far(const std::string& arguments) const {
  enter(far_);
  const int status = std::system(("ip " + arguments).c_str());
  enter(near_);
  INFO("in far: ip " << arguments);
  REQUIRE(status == 0);
}

std::string TwoHosts::near_output(const std::string& arguments) const {
  FILE* pipe = ::popen(("ip " + arguments + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string result;
  std::array<char, 4096> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) result += buffer.data();
  ::pclose(pipe);
  return result;
}

UniqueFd TwoHosts::far_socket(int domain, int type, int protocol) const {
  enter(far_);
  UniqueFd socket(::socket(domain, type | SOCK_CLOEXEC, protocol));
  enter(near_);
  REQUIRE(socket.valid());
  return socket;
}

UniqueFd TwoHosts::far_tun() const {
  enter(far_);
  UniqueFd tun = open_tun("decap0");
  enter(near_);
  REQUIRE(tun.valid());
  far("link set decap0 up");
  return tun;
}

FarSide::FarSide(const TwoHosts& hosts)
    : gre_(hosts.far_socket(AF_INET, SOCK_RAW, IPPROTO_GRE)), tun_(hosts.far_tun()) {
  thread_ = std::thread([this] { serve(); });
}

FarSide::~FarSide() {
  stopping_ = true;
  thread_.join();
}

std::vector<Tunnelled> FarSide::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void FarSide::serve() {
  while (!stopping_) {
    pollfd poll_for{gre_.get(), POLLIN, 0};
    if (::poll(&poll_for, 1, 10) == 1) take_one();
  }
}

void FarSide::take_one() {
  std::array<std::byte, 65536> packet;
  const ssize_t bytes = ::recv(gre_.get(), packet.data(), packet.size(), 0);
  if (bytes < static_cast<ssize_t>(kOuterBytes)) return;
  const auto* begin = packet.data();
  const auto* end = begin + bytes;
  {
    const std::lock_guard lock(mutex_);
    seen_.push_back({{begin, begin + kOuterBytes}, {begin + kOuterBytes, end}});
  }
  if (::write(tun_.get(), begin + kOuterBytes,
              static_cast<std::size_t>(end - begin) - kOuterBytes) < 0)
    std::perror("giving a packet to the kernel of far");
}

}  // namespace guideway::test
