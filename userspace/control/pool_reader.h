// The section `pools` of a configuration: tables, backends, what an empty pool does. Its checks are
// check_reader.h's.
#pragma once

#include "control/draft.h"

namespace guideway::control {

// Reads `pools` of the whole `file`, reports what is wrong with a value by itself.
void read_pools(const Mapping& file, Draft& draft);

}  // namespace guideway::control
