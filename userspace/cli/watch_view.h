// What `guideway watch` shows: a screen for a terminal, lines for a file or a pipe, JSON for a
// program; each out of the last two status documents (cli/traffic.h). Pure.
//
//     guidewayd 0.1.0 on lb1: ready, up 1h 02m 03s, generation 7        the daemon
//     packets/s: in 12.3 k, out 12.3 k (9.8 Mbit/s), dropped 0          all of its workers
//     bgp: active, 2 of 2 sessions established, 3 of 4 routes ..        where VIPs are announced
//     trouble: 10.0.0.2 of pool blue is down: ..                        only where there is any
//
//       service               name  health   packets/s   bit/s  share   as many rows as there is
//       backend    pool  health     packets/s  bit/s  flows/s  share    room for, the busiest first
//       and 37 more                                                     the sum of the others
//
// Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/palette.h"
#include "cli/screen.h"
#include "cli/traffic.h"

namespace guideway::cli {

// The daemon cannot be reached.
struct Silence {
  std::chrono::seconds since{};  // for so long
  std::string cause;
};

// What there is to show. REQUIRES: what it points to lives as long as it does.
struct Scene {
  const Reading* before = nullptr;  // null: `now` is the first
  const Reading* now = nullptr;
  std::optional<Silence> silence{};  // `now` is the last that was heard, and rates are not known
  std::uint64_t unix_seconds = 0;    // the time of day
  const std::vector<std::string>* pools = nullptr;  // only these; null or empty: all
};

// What the scene's documents say, without rates where there is silence.
[[nodiscard]] inline Traffic traffic_of(const Scene& scene) {
  static const std::vector<std::string> all;
  return traffic_between(scene.silence ? nullptr : scene.before, *scene.now,
                         scene.pools == nullptr ? all : *scene.pools);
}

// At most size.rows lines of at most size.columns each.
[[nodiscard]] std::vector<std::string> watch_screen(const Scene& scene, ScreenSize size,
                                                    const Palette& palette);

// For a pipe: whole numbers in columns of a fixed width, without units. Both end their line.
[[nodiscard]] std::string watch_heading();
[[nodiscard]] std::string watch_line(const Scene& scene);

// One object, in one line that is ended. Rates that are not known are null.
[[nodiscard]] std::string watch_json(const Scene& scene);

}  // namespace guideway::cli
