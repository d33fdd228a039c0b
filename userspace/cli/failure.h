// How a command ends: with what it was asked for, or with an error and the exit code that tells a
// script which kind of error it is.
#pragma once

#include <expected>
#include <utility>

#include "core/result.h"

namespace guideway::cli {

enum class ExitCode : int {
  done = 0,
  failed = 1,       // or refused: a wrong file, a backend that there is not
  wrong_use = 2,    // of the command line
  unreachable = 3,  // guidewayd: not running, no permission, no answer
  warnings = 4,     // guideway doctor has found warnings, and no errors
};

struct Failure {
  ExitCode code;
  Error error;
};

template <class T = void>
using Outcome = std::expected<T, Failure>;

[[nodiscard]] inline std::unexpected<Failure> failed(Error error) {
  return std::unexpected(Failure{ExitCode::failed, std::move(error)});
}

[[nodiscard]] inline std::unexpected<Failure> unreachable(Error error) {
  return std::unexpected(Failure{ExitCode::unreachable, std::move(error)});
}

}  // namespace guideway::cli
