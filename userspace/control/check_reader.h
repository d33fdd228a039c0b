// The key `checks` of a pool: which questions are put to its backends, how often, and how many
// answers in a row decide.
//
// A key that only some types of checks have is an error in a check of another type: a `path` of a
// tcp check would be a wish that is never fulfilled.
#pragma once

#include "control/config_reader.h"
#include "control/draft.h"

namespace guideway::control {

inline constexpr std::size_t kMaxChecks = 16;  // of a pool

// Reads the list `at`, reports what is wrong with a value by itself. REQUIRES: the pool's name has
// been read: programs are told it.
void read_checks(const Cursor& at, PoolConfig& pool, PoolPlaces& places);

}  // namespace guideway::control
