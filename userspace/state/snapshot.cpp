#include "state/snapshot.h"

#include <bit>
#include <cassert>

namespace guideway {

ServiceIndex::ServiceIndex(std::size_t services)
    : mask_(std::bit_ceil(4 * services + 1) - 1), cells_(mask_ + 1) {}

void ServiceIndex::insert(const Endpoint& at, Service service) {
  const std::uint64_t key =
      pack(at.address.wire().wire(), Be16(at.port).wire(), static_cast<std::uint8_t>(at.protocol));
  std::size_t i = start(key);
  while (cells_[i].key != kFree) {
    assert(cells_[i].key != key);
    i = (i + 1) & mask_;
  }
  cells_[i] = {key, service};
}

}  // namespace guideway
