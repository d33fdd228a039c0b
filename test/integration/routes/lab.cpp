#include "integration/routes/lab.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "support/catch.h"
#include "support/patience.h"

namespace guideway::test {
namespace {

UniqueFd current_namespace() {
  UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  REQUIRE(fd.valid());
  return fd;
}

void enter(const UniqueFd& network) { REQUIRE(::setns(network.get(), CLONE_NEWNET) == 0); }

UniqueFd new_namespace() {
  REQUIRE(::unshare(CLONE_NEWNET) == 0);
  return current_namespace();
}

void run_ip(const std::string& arguments) {
  INFO("ip " << arguments);
  REQUIRE(std::system(("ip " + arguments).c_str()) == 0);
}

}  // namespace

std::string lab_problem() {
  if (std::system("ip -V > /dev/null 2>&1") != 0) return "no ip command (iproute2)";
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWNET) == 0 ? 0 : 1);
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0 ? "" : "no privilege to make a network namespace (CAP_SYS_ADMIN)";
}

Lab::Lab() : home_(current_namespace()) {
  far_ = new_namespace();
  run_ip("link set lo up");
  near_ = new_namespace();
  run_ip("link set lo up");
}

Lab::~Lab() {
  if (::setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
}

void Lab::add_pair(int number) {
  const std::string digit = std::to_string(number);
  const std::string network = number == 0 ? "10.77.0." : "10.78.0.";
  // By its number, as it has no name: the file descriptor is not passed to the command.
  const std::string far_path =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(far_.get());
  near("link add up" + digit + " type veth peer name far" + digit + " netns " + far_path);
  far("address add " + network + "2/24 dev far" + digit);
  if (number == 0) far("address add 10.77.0.3/24 dev far0");
  far("link set far" + digit + " up");
  near("address add " + network + "1/24 dev up" + digit);
  near("link set up" + digit + " up");
  // The kernel says that there is a carrier up to a second after there is.
  const auto deadline = std::chrono::steady_clock::now() + patient(std::chrono::seconds(20));
  while (near_output("link show up" + digit).find("state UP") == std::string::npos) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void Lab::near(const std::string& arguments) const { run_ip(arguments); }

void Lab::far(const std::string& arguments) const {
  enter(far_);
  const int status = std::system(("ip " + arguments).c_str());
  enter(near_);
  INFO("in far: ip " << arguments);
  REQUIRE(status == 0);
}

void Lab::near_batch(const std::string& lines) const {
  FILE* pipe = ::popen("ip -batch -", "w");
  REQUIRE(pipe != nullptr);
  std::fputs(lines.c_str(), pipe);
  REQUIRE(::pclose(pipe) == 0);
}

std::string Lab::near_output(const std::string& arguments) const {
  FILE* pipe = ::popen(("ip " + arguments).c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string result;
  std::array<char, 4096> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) result += buffer.data();
  REQUIRE(::pclose(pipe) == 0);
  return result;
}

void Lab::near_setting(const std::string& file, int value) const {
  std::ofstream out("/proc/sys/net/ipv4/" + file);
  out << value << std::flush;
  INFO(file);
  REQUIRE(out.good());
}

}  // namespace guideway::test
