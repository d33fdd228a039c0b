#include "xdp/umem.h"

#include "support/catch.h"

namespace guideway::xdp {

TEST_CASE("an address anywhere in a frame leads to the frame's start and to its headroom") {
  const auto memory = FrameMemory::map(512, 2048);
  REQUIRE(memory);
  CHECK(memory->bytes() == 512 * 2048);
  CHECK(memory->frame_start(0) == 0);
  CHECK(memory->frame_start(3 * 2048 + 256 - 24) == 3 * 2048);
  CHECK(memory->headroom(3 * 2048 + 256 - 24) == 232);
  CHECK(memory->frame_start(3 * 2048 - 1) == 2 * 2048);
}

TEST_CASE("all frames can be written to their last byte") {
  const auto memory = FrameMemory::map(512, 4096);
  REQUIRE(memory);
  for (std::uint64_t frame = 0; frame < 512; ++frame)
    *memory->at(frame * 4096 + 4095) = std::byte{1};
  CHECK(*memory->at(memory->bytes() - 1) == std::byte{1});
}

}  // namespace guideway::xdp
