// What the kernel tells of a network device by its ethtool requests (linux/ethtool.h, SIOCETHTOOL):
// the numbers that `ethtool` shows. Only those that need no privilege.
//
// Threads: one. Owns: a socket, which stands for the network namespace that it was opened in.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/unique_fd.h"
#include "doctor/facts.h"

namespace guideway::doctor {

class Ethtool {
 public:
  Ethtool();

  [[nodiscard]] Fact<Driver> driver(const std::string& interface) const;
  [[nodiscard]] Fact<Channels> channels(const std::string& interface) const;
  [[nodiscard]] Fact<Rings> rings(const std::string& interface) const;
  [[nodiscard]] Fact<Indirection> indirection(const std::string& interface) const;
  // `flow_type`: TCP_V4_FLOW or UDP_V4_FLOW.
  [[nodiscard]] Fact<HashFields> hash_fields(const std::string& interface,
                                             std::uint32_t flow_type) const;
  [[nodiscard]] Fact<std::map<std::string, Offload, std::less<>>> offloads(
      const std::string& interface) const;

 private:
  // Puts `request`, which begins with its number, to the driver; 0 or an errno.
  [[nodiscard]] int ask(const std::string& interface, void* request) const;

  UniqueFd socket_;
  int open_error_ = 0;
};

}  // namespace guideway::doctor
