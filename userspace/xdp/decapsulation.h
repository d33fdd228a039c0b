// Decapsulation on a backend whose kernel has no GRE device: bpf/decap.bpf.c on an interface, for
// as long as this object lives. (With ip_gre, `ip link add type gre` does the same.)
//
// GRE over IPv4 without options (RFC 2784), addressed to one of `locals`, is unwrapped; the kernel
// then sees the inner packet as if it had come from the wire. All else passes untouched.
//
// Threads: one. Owns: the program, its maps and the attachment.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "net/address.h"
#include "xdp/attachment.h"

namespace guideway::xdp {

struct DecapsulationOptions {
  std::string interface;
  std::vector<Ipv4Address> locals;   // outer destinations; empty: the interface's own addresses
  std::vector<Ipv4Address> sources;  // outer sources that are trusted; empty: any
};

class Decapsulation {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Decapsulation>> attach(
      const DecapsulationOptions& options);
  ~Decapsulation();

  [[nodiscard]] AttachMode mode() const;
  [[nodiscard]] bool dispatcher() const;
  [[nodiscard]] const std::vector<Ipv4Address>& locals() const;
  // Verdict names (GW_DECAP_VERDICT_LIST) with their counts, summed over CPUs.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> counters() const;

 private:
  class Impl;
  explicit Decapsulation(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace guideway::xdp
