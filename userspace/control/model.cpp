#include "control/model.h"

#include <xxhash.h>

namespace guideway::control {

gw_hash_seed Model::hash_seed() const {
  // The two halves are numbers, the same on every host; part of what a fleet agrees on.
  const XXH128_hash_t hash = XXH3_128bits(node.fleet_seed.data(), node.fleet_seed.size());
  return {hash.low64, hash.high64};
}

}  // namespace guideway::control
