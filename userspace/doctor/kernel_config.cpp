#include "doctor/kernel_config.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

namespace guideway::doctor {
namespace {

constexpr std::string_view kPrefix = "CONFIG_";
constexpr std::size_t kMostBytes = 4 << 20;

struct CloseFile {
  void operator()(gzFile file) const { gzclose(file); }
};

// Of a file that is compressed, or plain: zlib reads either.
Fact<std::string> read_maybe_compressed(const std::filesystem::path& path) {
  const std::string doing = "reading " + path.string();
  errno = 0;
  const std::unique_ptr<gzFile_s, CloseFile> file(gzopen(path.c_str(), "rb"));
  if (file == nullptr) return unknown_errno(doing, errno);
  std::string text;
  std::array<char, 16384> part{};
  while (text.size() < kMostBytes) {
    const int bytes = gzread(file.get(), part.data(), part.size());
    if (bytes < 0) return Unknown{Why::failed, doing + ": it is damaged"};
    if (bytes == 0) break;
    text.append(part.data(), static_cast<std::size_t>(bytes));
  }
  return text;
}

}  // namespace

KernelOptions parse_kernel_config(std::string_view text) {
  KernelOptions options;
  for (const auto name : kKernelOptions) options.emplace(name, "n");
  for (const auto line : lines_of(text)) {
    const auto equals = line.find('=');
    if (!line.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    const auto found = options.find(line.substr(kPrefix.size(), equals - kPrefix.size()));
    if (found != options.end()) found->second = line.substr(equals + 1);
  }
  return options;
}

void read_kernel_config(KernelFacts& kernel, const Root& root) {
  const std::vector<std::filesystem::path> places{
      root / "proc/config.gz", root / ("boot/config-" + kernel.release),
      root / "usr/lib/modules" / kernel.release / "config",
      root / "lib/modules" / kernel.release / "config"};
  Unknown unknown{Why::not_there, "the kernel's configuration is in no file: none of " +
                                      places[0].string() + ", " + places[1].string() + ", " +
                                      places[2].string() + " is there"};
  for (const auto& place : places) {
    const auto text = read_maybe_compressed(place);
    if (text) {
      kernel.config = parse_kernel_config(*text);
      kernel.config_file = place.string();
      return;
    }
    if (text.unknown().why != Why::not_there) unknown = text.unknown();
  }
  kernel.config = unknown;
}

}  // namespace guideway::doctor
