// A folder that stands for the root of a host's files: /proc and /sys as a test wants them.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "support/scratch_folder.h"

namespace guideway::doctor {

class ScratchRoot {
 public:
  [[nodiscard]] std::filesystem::path path() const { return folder_ / ""; }

  // A file with `text` and a line's end, as the kernel writes them.
  void write(const std::string& name, const std::string& text) {
    std::ofstream file(place(name));
    file << text << "\n";
    file.close();
    if (!file) throw std::runtime_error("writing " + name);
  }
  void make_folder(const std::string& name) { std::filesystem::create_directories(place(name)); }
  // A symbolic link to `target`, which is a name below this root.
  void link(const std::string& name, const std::string& target) {
    std::filesystem::create_symlink(path() / target, place(name));
  }

 private:
  std::filesystem::path place(const std::string& name) {
    const auto whole = path() / name;
    std::filesystem::create_directories(whole.parent_path());
    return whole;
  }
  ScratchFolder folder_;
};

}  // namespace guideway::doctor
