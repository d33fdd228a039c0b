// A YAML file as plain values that know where they stand.
//
// Built from the events of yaml-cpp's parser, not from its nodes: those forget which key was
// written twice, build whatever an alias asks for, and throw when looked at wrongly. Nothing else
// of the project includes yaml-cpp, and no exception of it leaves this file.
//
// Limits, so that a hostile or broken file costs a message and not the machine: see kMax... below.
// An alias shares the node that it stands for; the limit on values counts it as if written out.
//
// Owns: all nodes. They live as long as the tree, also when it is moved.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "control/config.h"

namespace guideway::control {

inline constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxDepth = 32;           // lists and mappings within each other
inline constexpr std::size_t kMaxValues = 1'000'000;   // the largest right file has about 700,000
inline constexpr std::size_t kMaxOpenBrackets = 1000;  // yaml-cpp keeps 200 bytes for each

// A place in the file. Units: line and column from 1, columns in bytes; line 0: nowhere.
struct Mark {
  int line = 0;
  int column = 0;
  friend auto operator<=>(const Mark&, const Mark&) = default;
};

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, list, mapping };
  Kind kind = Kind::null;
  Mark mark;
  std::string text;                    // of a scalar
  std::vector<const YamlNode*> items;  // list: values; mapping: key, value, key, value, ...
  std::size_t values = 1;              // this one and all below, aliases written out
};

class YamlTree {
 public:
  // The one document in `text`. Fails with the first thing that makes it none; `file` is what the
  // Problem calls it.
  [[nodiscard]] static std::expected<YamlTree, Problem> parse(std::string_view text,
                                                              const std::string& file);

  // A node of kind null where the file holds nothing but comments.
  [[nodiscard]] const YamlNode& root() const { return *root_; }

 private:
  friend class YamlBuilder;
  std::deque<YamlNode> nodes_;
  const YamlNode* root_ = nullptr;
};

}  // namespace guideway::control
