// Two network namespaces and a veth pair between them: "near", in which the test's thread is and
// tunnels are opened, and "far", the backends, who take packets out of GRE.
//
//        near                                  far
//   up0  10.77.0.1/24, 10.77.0.4/24  ------  far0  10.77.0.2/24, 10.77.0.3/24
//                                            lo    198.51.100.1/32, the VIP
//
// The namespaces have no names: they end with the process, however it ends.
#pragma once

#include <atomic>
#include <cstddef>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/unique_fd.h"
#include "net/address.h"

// Ends a test case where there can be no tunnel, with the reason.
#define NEEDS_TUNNEL()                                                        \
  if (const std::string problem = test::tunnel_problem(); !problem.empty()) { \
    std::cout << "SKIP: " << problem << std::endl;                            \
    return;                                                                   \
  }

namespace guideway::test {

// Why there can be no tunnel here, or empty.
[[nodiscard]] std::string tunnel_problem();

class TwoHosts {
 public:
  // The thread is in "near" from then on, and back where it was afterwards.
  TwoHosts();
  ~TwoHosts();
  TwoHosts(const TwoHosts&) = delete;
  TwoHosts& operator=(const TwoHosts&) = delete;

  // Runs "ip ARGUMENTS" in "near"; anything but success fails the test.
  void near(const std::string& arguments) const;
  // What it prints, there.
  [[nodiscard]] std::string near_output(const std::string& arguments) const;
  // Sockets are of the namespace in which they were made.
  [[nodiscard]] UniqueFd far_socket(int domain, int type, int protocol = 0) const;
  // A TUN device in "far", up.
  [[nodiscard]] UniqueFd far_tun() const;

 private:
  void far(const std::string& arguments) const;

  UniqueFd home_, far_, near_;
};

// A packet that came to "far" as GRE.
struct Tunnelled {
  std::vector<std::byte> outer;  // the IPv4 header, 20 bytes, and that of GRE, 4 bytes
  std::vector<std::byte> inner;
};

// The backends' decapsulation, written without the load balancer's code: takes GRE from a raw
// socket, and gives what is in it to the kernel, by a TUN device. Remembers all of it.
class FarSide {
 public:
  explicit FarSide(const TwoHosts& hosts);
  ~FarSide();
  FarSide(const FarSide&) = delete;
  FarSide& operator=(const FarSide&) = delete;

  [[nodiscard]] std::vector<Tunnelled> seen() const;

 private:
  void serve();
  void take_one();

  UniqueFd gre_, tun_;
  mutable std::mutex mutex_;
  std::vector<Tunnelled> seen_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace guideway::test
