// What the readers of this folder need of files: texts of /proc and /sys below a root folder, and
// the few forms that the kernel writes numbers in. Nothing here fails but with a Fact's reason.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/fact.h"

namespace guideway::doctor {

// Where files are read: /proc, /sys, /boot are below it. Another than "/" is for tests.
using Root = std::filesystem::path;

// The whole file, without the white space at its end.
[[nodiscard]] Fact<std::string> read_text(const std::filesystem::path& path);

// The one number in the file, or of `text`.
[[nodiscard]] Fact<std::uint64_t> read_number(const std::filesystem::path& path);
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

// A list of CPUs as the kernel writes it: "0-3,8". Empty text is an empty list; what is no such
// list is nullopt.
[[nodiscard]] std::optional<std::vector<std::uint32_t>> parse_list(std::string_view text);
[[nodiscard]] Fact<std::vector<std::uint32_t>> read_list(const std::filesystem::path& path);

// The words of a line, without the white space between them.
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view line);
// The lines of a text, without their ends.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

// The value of "KEY: value" in a text of such lines, trimmed; nullopt if there is none.
[[nodiscard]] std::optional<std::string_view> field_of(std::string_view text, std::string_view key);

// The names of what is in a folder, sorted; none where there is no such folder.
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& folder);

// The last part of what a symbolic link leads to: the name of a driver, a bus, a device. "" if it
// is none.
[[nodiscard]] std::string link_name(const std::filesystem::path& link);

}  // namespace guideway::doctor
