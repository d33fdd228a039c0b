#include "app/last_resort.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace guideway::app {
namespace {

// A pause of the whole process (SIGSTOP, a frozen virtual machine) counts as one of these at most.
constexpr std::chrono::milliseconds kSlice{100};

}  // namespace

LastResort::LastResort(std::chrono::milliseconds patience, std::function<std::string()> reason)
    : thread_([patience, reason = std::move(reason)](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any changed;
        std::unique_lock lock(mutex);
        for (auto left = patience; left.count() > 0; left -= std::min(left, kSlice)) {
          changed.wait_for(lock, stop, std::min(left, kSlice), [] { return false; });
          if (stop.stop_requested()) return;
        }
        spdlog::critical("{}", reason());
        spdlog::default_logger()->flush();
        // No destructors: one of them waits for what hangs.
        ::_exit(1);
      }) {}

}  // namespace guideway::app
