// What is only wrong, or doubtful, when values are seen together: duplicates, references, sizes
// that do not fit each other.
#pragma once

#include "control/config_reader.h"
#include "control/draft.h"

namespace guideway::control {

// Reports to `problems`, and sets ServiceConfig::pool where the pool is there. Values that were not
// readable are left out of every comparison, so that one mistake is one problem.
void validate(Draft& draft, Problems& problems);

}  // namespace guideway::control
