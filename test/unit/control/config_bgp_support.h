// Files with a section `bgp`, for the tests of it.
#pragma once

#include <string>
#include <vector>

#include "config_support.h"
#include "control/bgp_values.h"

namespace guideway::control::testing {

// A right section of mode managed with more `keys`, from column 3 of line 4 on.
inline std::string managed(const std::string& keys) {
  return file_with(
      "bgp",
      "bgp:\n  local_asn: 64512\n  peers: [{address: 10.0.0.1, asn: 64500}]\n  " + keys + "\n");
}

// The same with these `peers`: what is in the brackets, from column 11 of line 3 on.
inline std::string with_peers(const std::string& peers) {
  return file_with("bgp", "bgp:\n  local_asn: 64512\n  peers: [" + peers + "]\n");
}

// A peer with more `keys`, which start at column 43 of line 3.
inline std::string with_peer(const std::string& keys) {
  return with_peers("{address: 10.0.0.1, asn: 64500, " + keys + "}");
}

// A section of mode external with more `keys`, from column 3 of line 3 on.
inline std::string external(const std::string& keys) {
  return file_with("bgp", "bgp:\n  mode: external\n  " + keys + "\n");
}

inline BgpConfig bgp_of(const std::string& file) { return right(file).model.bgp.value(); }

inline Lines warnings(const std::string& file) { return texts(right(file).warnings); }

// All that is said of a file on a host with these addresses on eth0; `errors`: of the errors.
inline Lines on_host(const std::string& file, const std::vector<std::string>& addresses) {
  std::vector<OwnAddress> own;
  for (const std::string& address : addresses)
    own.push_back({Ipv4Address::parse(address).value(), 24, "eth0"});
  const auto config = parse_config(file, "f", own);
  return texts(config ? config->warnings : config.error());
}

inline bgp::IpAddress peer_ip(const char* text) { return boost::asio::ip::make_address(text); }

}  // namespace guideway::control::testing
