// A problem that lasts, in the log: a line when it comes, when it becomes another one, and when it
// is gone; none while it stays.
#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <utility>

namespace guideway::control {

class Complaint {
 public:
  // `about` begins each line.
  explicit Complaint(std::string about) : about_(std::move(about)) {}

  // The problem as it is now; empty: none.
  void set(const std::string& problem) {
    if (problem == problem_) return;
    if (problem.empty())
      spdlog::info("{}: no longer: {}", about_, problem_);
    else
      spdlog::warn("{}: {}", about_, problem);
    problem_ = problem;
  }

 private:
  std::string about_;
  std::string problem_;
};

}  // namespace guideway::control
