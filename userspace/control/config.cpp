#include "control/config.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "control/config_reader.h"
#include "control/draft.h"
#include "control/validate.h"
#include "control/yaml_tree.h"
#include "core/result.h"
#include "core/unique_fd.h"

namespace guideway::control {
namespace {

// The bytes of a file, pipes included, up to one more than kMaxFileBytes.
Result<std::string> read_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return fail_errno("cannot be opened", errno);
  std::string text;
  constexpr std::size_t kChunk = std::size_t{64} << 10;
  while (text.size() <= kMaxFileBytes) {
    const std::size_t before = text.size();
    text.resize(before + kChunk);
    const ssize_t got = ::read(file.get(), text.data() + before, kChunk);
    text.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0) break;
    if (got < 0 && errno != EINTR) return fail_errno("cannot be read", errno);
  }
  return text;
}

}  // namespace

std::string Problem::text() const {
  std::string result = file;
  if (line > 0) result += ":" + std::to_string(line) + ":" + std::to_string(column);
  if (!key.empty()) result += ": " + key;
  return result + ": " + what;
}

std::expected<Config, std::vector<Problem>> load_config(const std::string& path,
                                                        std::span<const OwnAddress> own) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(std::vector{Problem{path, 0, 0, "", text.error().text()}});
  return parse_config(*text, path, own);
}

std::expected<Config, std::vector<Problem>> parse_config(std::string_view yaml,
                                                         const std::string& file,
                                                         std::span<const OwnAddress> own) {
  const auto tree = YamlTree::parse(yaml, file);
  if (!tree) return std::unexpected(std::vector{tree.error()});
  if (tree->root().kind == YamlNode::Kind::null)
    return std::unexpected(std::vector{
        Problem{file, 0, 0, "",
                "is empty; must hold node, interfaces, encapsulation, pools and services"}});

  Problems problems(file);
  Draft draft = read_draft(Cursor(tree->root(), {tree->root().mark, ""}, problems));
  validate(draft, own, problems);
  auto warnings = problems.take_warnings();
  auto errors = problems.take_errors();
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return Config{std::move(draft.model), std::move(warnings)};
}

}  // namespace guideway::control
