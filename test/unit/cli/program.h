// Runs the built `guideway` and keeps what it said and how it exited.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "scripted_daemon.h"

namespace guideway::cli {

struct Ended {
  int code = -1;  // -1: by a signal
  std::string out, err;
};

inline std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// REQUIRES: no word has a quote.
inline Ended run(const std::vector<std::string>& words) {
  const ScratchFolder folder;
  std::string command = "'" GUIDEWAY_PROGRAM "'";
  for (const std::string& word : words) command += " '" + word + "'";
  command += " >'" + (folder / "out") + "' 2>'" + (folder / "err") + "' </dev/null";
  const int result = std::system(command.c_str());
  return {WIFEXITED(result) ? WEXITSTATUS(result) : -1, contents(folder / "out"),
          contents(folder / "err")};
}

// Against a daemon that answers `words` with the script, at a socket of its own.
inline Ended run_against(const ScriptedDaemon::Script& script, std::vector<std::string> words,
                         std::vector<ScriptedDaemon::Heard>* heard = nullptr) {
  const ScratchFolder folder;
  const ScriptedDaemon daemon(folder / "s", script);
  words.insert(words.end(), {"--socket", folder / "s"});
  Ended ended = run(words);
  if (heard != nullptr) *heard = daemon.heard();
  return ended;
}

}  // namespace guideway::cli
