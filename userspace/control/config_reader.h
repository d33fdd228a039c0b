// From the tree of a YAML file to typed values: a cursor that knows its path and reports what is
// wrong with the value it stands on.
//
// Reading goes on after a problem, so that all are found: what cannot be read is nullopt, and its
// problem is already reported. The phrase `what` that many functions take says what is wanted, so
// that it reads well behind "must be": "a list of CPU numbers".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config.h"
#include "control/yaml_tree.h"

namespace guideway::control {

// Where a value stands, for messages. False: it is not in the file, or was not readable and has
// been reported, so that nothing more is to be said about it.
struct Place {
  Mark mark;
  std::string key;  // its path
  explicit operator bool() const { return mark.line > 0; }
};

// What is found on the way. Beyond kMaxProblems of a kind they are only counted.
class Problems {
 public:
  static constexpr std::size_t kMaxProblems = 1000;

  explicit Problems(std::string file) : file_(std::move(file)) {}

  void error(const Place& place, std::string what) { add(errors_, place, std::move(what)); }
  void warn(const Place& place, std::string what) { add(warnings_, place, std::move(what)); }

  // No more messages of the kind are kept: finding good words for another one is wasted.
  [[nodiscard]] bool errors_full() const { return errors_.list.size() >= kMaxProblems; }

  // All, in the order of the file. What is behind the last one that was kept is a last Problem
  // about the file that says how many there are.
  [[nodiscard]] std::vector<Problem> take_errors() { return sorted(std::exchange(errors_, {})); }
  [[nodiscard]] std::vector<Problem> take_warnings() {
    return sorted(std::exchange(warnings_, {}));
  }

 private:
  struct Found {
    std::vector<Problem> list;
    std::size_t uncounted = 0;
  };
  void add(Found& found, const Place& place, std::string what);
  [[nodiscard]] std::vector<Problem> sorted(Found found) const;

  std::string file_;
  Found errors_;
  Found warnings_;
};

// One value in the file. A cheap reference: tree and problems must outlive it.
class Cursor {
 public:
  Cursor(const YamlNode& node, Place place, Problems& problems)
      : node_(&node), place_(std::move(place)), problems_(&problems) {}

  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] Problems& problems() const { return *problems_; }
  [[nodiscard]] const YamlNode& node() const { return *node_; }
  [[nodiscard]] bool is_scalar() const { return node_->kind == YamlNode::Kind::scalar; }

  void error(std::string what) const { problems_->error(place_, std::move(what)); }
  // "must be WHAT, not VALUE", then `more`.
  void mismatch(std::string_view what, std::string_view more = {}) const;

  // Any one-line or block text as it is; a number or a word such as true is text too.
  [[nodiscard]] std::optional<std::string> text(std::string_view what) const;
  // Decimal digits, quoted or not.
  [[nodiscard]] std::optional<std::uint64_t> number(std::uint64_t min, std::uint64_t max) const;
  [[nodiscard]] std::optional<std::uint64_t> power_of_two(std::uint64_t min,
                                                          std::uint64_t max) const;
  // true or false, and none of YAML 1.1's other words for it.
  [[nodiscard]] std::optional<bool> boolean() const;
  // The position in `words` of the word that is there.
  [[nodiscard]] std::optional<std::size_t> choice(std::span<const std::string_view> words) const;
  // The values of a list that is not empty.
  [[nodiscard]] std::optional<std::vector<Cursor>> list(std::string_view what) const;

 private:
  const YamlNode* node_;
  Place place_;
  Problems* problems_;
};

// A mapping whose keys are known. Construction reports what is no mapping, unknown keys and keys
// that are there twice (the first one counts).
class Mapping {
 public:
  Mapping(const Cursor& cursor, std::span<const std::string_view> keys);

  // The value of `key`, if it is there.
  [[nodiscard]] std::optional<Cursor> find(std::string_view key) const;
  // The same; a missing one is reported with `what` it must be.
  [[nodiscard]] std::optional<Cursor> require(std::string_view key, std::string_view what) const;
  // Where the word `key` itself stands; false if it is not there.
  [[nodiscard]] Place key_place(std::string_view key) const;

 private:
  void read_key(const YamlNode& key, const YamlNode& value, std::span<const std::string_view> keys);
  [[nodiscard]] std::string path(std::string_view key) const;

  Cursor cursor_;
  struct Entry {
    std::string_view key;
    Mark mark;  // of the key
    Cursor value;
  };
  std::vector<Entry> entries_;  // known keys only
};

// The number that `text` is in plain decimal digits without a sign or a leading zero.
[[nodiscard]] std::optional<std::uint64_t> decimal(std::string_view text);

}  // namespace guideway::control
