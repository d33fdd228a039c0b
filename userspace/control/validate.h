// What is only wrong, or doubtful, when values are seen together: duplicates, references, sizes
// that do not fit each other, VIPs that are taken.
#pragma once

#include <span>

#include "control/config_reader.h"
#include "control/draft.h"
#include "control/own_addresses.h"

namespace guideway::control {

// Reports to `problems`, sets ServiceConfig::pool where the pool is there, and the VIP of checks
// that go through the tunnel and name none. `own` are the addresses of this host. Values that were
// not readable are left out of every comparison, so that one mistake is one problem.
void validate(Draft& draft, std::span<const OwnAddress> own, Problems& problems);

}  // namespace guideway::control
