#include "app/thread_facts.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>
#include <vector>

namespace guideway::app {
namespace {

constexpr auto kStates = std::to_array<std::pair<char, const char*>>({
    {'R', "running"},
    {'S', "sleep"},
    {'D', "uninterruptible sleep"},
    {'T', "stopped"},
    {'t', "stopped by a debugger"},
    {'Z', "ended"},
    {'X', "ended"},
});

std::string state_text(std::string_view stat) {
  // The name before it may have spaces and parentheses of its own.
  const auto behind_name = stat.rfind(')');
  if (behind_name == std::string_view::npos || behind_name + 2 >= stat.size()) return {};
  const char state = stat[behind_name + 2];
  const auto* known = std::ranges::find(kStates, state, &std::pair<char, const char*>::first);
  std::string text = std::string("state ") + state;
  if (known != kStates.end()) text += std::string(" (") + known->second + ")";
  return text;
}

std::string first_word(std::string_view text) {
  return std::string(text.substr(0, text.find_first_of(" \n")));
}

std::string place_text(std::string_view wchan) {
  const std::string place = first_word(wchan);
  return place.empty() || place == "0" ? std::string() : "in " + place;
}

std::string syscall_text(std::string_view syscall) {
  const std::string number = first_word(syscall);
  if (number.empty() || number == "running") return {};
  return number == "-1" ? "in no system call" : "system call " + number;
}

std::string content(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

std::string describe_thread(std::string_view stat, std::string_view wchan,
                            std::string_view syscall) {
  std::string out;
  for (const std::string& part : {state_text(stat), place_text(wchan), syscall_text(syscall)})
    if (!part.empty()) out += (out.empty() ? "" : ", ") + part;
  return out.empty() ? "its state cannot be read" : out;
}

std::string describe_thread(pid_t thread) {
  const std::string folder = "/proc/self/task/" + std::to_string(thread) + "/";
  return describe_thread(content(folder + "stat"), content(folder + "wchan"),
                         content(folder + "syscall"));
}

}  // namespace guideway::app
