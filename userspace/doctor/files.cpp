#include "doctor/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "core/unique_fd.h"

namespace guideway::doctor {
namespace {

constexpr std::string_view kSpace = " \t\n\r";
constexpr std::size_t kMostBytes = 8 << 20;  // of a file; /proc/interrupts of a large host is 1 MiB
constexpr std::uint64_t kMostInList = 1 << 16;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

Fact<std::string> read_text(const std::filesystem::path& path) {
  const std::string doing = "reading " + path.string();
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return unknown_errno(doing, errno);
  std::string text;
  std::array<char, 16384> part{};
  while (text.size() < kMostBytes) {
    const ssize_t bytes = ::read(file.get(), part.data(), part.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return unknown_errno(doing, errno);
    if (bytes == 0) break;
    text.append(part.data(), static_cast<std::size_t>(bytes));
  }
  const auto last = text.find_last_not_of(kSpace);
  text.resize(last == std::string::npos ? 0 : last + 1);
  return text;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  text = trimmed(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Fact<std::uint64_t> read_number(const std::filesystem::path& path) {
  const auto text = read_text(path);
  if (!text) return text.unknown();
  if (const auto value = parse_number(*text)) return *value;
  return Unknown{Why::failed, "reading " + path.string() + ": \"" + *text + "\" is no number"};
}

std::optional<std::vector<std::uint32_t>> parse_list(std::string_view text) {
  std::vector<std::uint32_t> list;
  text = trimmed(text);
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto range = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const auto dash = range.find('-');
    const auto first = parse_number(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number(range.substr(dash + 1));
    if (!first || !last || *last < *first || *last > kMostInList) return std::nullopt;
    for (std::uint64_t one = *first; one <= *last; ++one)
      list.push_back(static_cast<std::uint32_t>(one));
  }
  return list;
}

Fact<std::vector<std::uint32_t>> read_list(const std::filesystem::path& path) {
  const auto text = read_text(path);
  if (!text) return text.unknown();
  if (auto list = parse_list(*text)) return std::move(*list);
  return Unknown{Why::failed, "reading " + path.string() + ": \"" + *text + "\" is no list"};
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const auto end = std::min(line.find_first_of(kSpace, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kSpace, end);
  }
  return words;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::optional<std::string_view> field_of(std::string_view text, std::string_view key) {
  for (const auto line : lines_of(text))
    if (line.starts_with(key) && line.substr(key.size()).starts_with(':'))
      return trimmed(line.substr(key.size() + 1));
  return std::nullopt;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  // Not by a range: its increment throws, as when a process leaves /proc meanwhile.
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error))
    names.push_back(at->path().filename().string());
  std::ranges::sort(names);
  return names;
}

std::string link_name(const std::filesystem::path& link) {
  std::error_code error;
  const auto target = std::filesystem::read_symlink(link, error);
  return error ? std::string() : target.filename().string();
}

}  // namespace guideway::doctor
