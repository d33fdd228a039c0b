// Where a speaker's API is, as gRPC wants it. Private to this folder.
#pragma once

#include <string>

#include "bgp/endpoint.h"

namespace guideway::gobgp {

// A URI, so that no name is looked up.
[[nodiscard]] std::string target(const bgp::Endpoint& endpoint);

}  // namespace guideway::gobgp
