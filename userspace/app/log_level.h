// The levels of the configuration as spdlog's.
#pragma once

#include <spdlog/spdlog.h>

#include "control/model.h"

namespace guideway::app {

inline void apply(control::LogLevel level) {
  switch (level) {
    case control::LogLevel::trace: return spdlog::set_level(spdlog::level::trace);
    case control::LogLevel::debug: return spdlog::set_level(spdlog::level::debug);
    case control::LogLevel::info: return spdlog::set_level(spdlog::level::info);
    case control::LogLevel::warning: return spdlog::set_level(spdlog::level::warn);
    case control::LogLevel::error: return spdlog::set_level(spdlog::level::err);
  }
}

}  // namespace guideway::app
