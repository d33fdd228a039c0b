// What of the section `bgp` is only wrong, or doubtful, beside the rest of the file and the
// addresses of the host: peers and prefixes that are there twice, addresses that are somebody
// else's, attributes that nobody would be told or that do not do what they are for.
#pragma once

#include <span>

#include "control/config_reader.h"
#include "control/draft.h"
#include "control/own_addresses.h"

namespace guideway::control {

// Reports to `problems`; nothing where the file has no `bgp`. `own` are the addresses of this host;
// empty: not known. Values that were not readable are left out of every comparison.
void validate_bgp(const Draft& draft, std::span<const OwnAddress> own, Problems& problems);

}  // namespace guideway::control
