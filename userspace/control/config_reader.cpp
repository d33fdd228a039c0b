#include "control/config_reader.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <system_error>
#include <unordered_map>

#include "control/words.h"

namespace guideway::control {
namespace {

std::string range(std::uint64_t min, std::uint64_t max) {
  return "from " + std::to_string(min) + " to " + std::to_string(max);
}

void report_unknown(const Cursor& at, std::string_view key,
                    std::span<const std::string_view> keys) {
  if (at.problems().errors_full()) return at.error({});
  if (key == "<<")
    return at.error(
        "merge keys are not supported; write the keys out, or let an alias stand for a whole "
        "value");
  const bool glued = at.node().kind == YamlNode::Kind::null && key.find(':') != key.npos;
  if (glued) return at.error("unknown key; write a space behind ':'");
  if (const auto near = nearest(key, keys))
    return at.error("unknown key; did you mean " + quoted(*near) + "?");
  at.error("unknown key; the keys here are " + joined(keys, "and"));
}

}  // namespace

void Problems::add(Found& found, const Place& place, std::string what) {
  if (found.list.size() >= kMaxProblems) {
    ++found.uncounted;
    return;
  }
  found.list.push_back({file_, place.mark.line, place.mark.column, place.key, std::move(what)});
}

std::vector<Problem> Problems::sorted(Found found) const {
  std::ranges::stable_sort(found.list, {}, [](const Problem& problem) {
    return std::pair(problem.line, problem.column);
  });
  if (found.uncounted > 0)
    found.list.push_back({file_, 0, 0, "", "and " + std::to_string(found.uncounted) + " more"});
  return std::move(found.list);
}

void Cursor::mismatch(std::string_view what, std::string_view more) const {
  std::string message = "must be " + std::string(what);
  switch (node_->kind) {
    case YamlNode::Kind::null: message += ", but has no value"; break;
    case YamlNode::Kind::scalar: message += ", not " + quoted(node_->text); break;
    case YamlNode::Kind::list: message += ", not a list"; break;
    case YamlNode::Kind::mapping: message += ", not a mapping"; break;
  }
  error(message.append(more));
}

std::optional<std::string> Cursor::text(std::string_view what) const {
  if (is_scalar()) return node_->text;
  mismatch(what);
  return std::nullopt;
}

std::optional<std::uint64_t> Cursor::number(std::uint64_t min, std::uint64_t max) const {
  const auto value = is_scalar() ? decimal(node_->text) : std::nullopt;
  if (value && *value >= min && *value <= max) return value;
  mismatch("a whole number " + range(min, max));
  return std::nullopt;
}

std::optional<std::uint64_t> Cursor::power_of_two(std::uint64_t min, std::uint64_t max) const {
  const auto value = is_scalar() ? decimal(node_->text) : std::nullopt;
  const bool in_range = value && *value >= min && *value <= max;
  if (in_range && std::has_single_bit(*value)) return value;
  const std::string hint = !in_range
                               ? ""
                               : "; the nearest are " + std::to_string(std::bit_floor(*value)) +
                                     " and " + std::to_string(std::bit_ceil(*value));
  mismatch("a power of two " + range(min, max), hint);
  return std::nullopt;
}

std::optional<bool> Cursor::boolean() const {
  if (is_scalar() && node_->text == "true") return true;
  if (is_scalar() && node_->text == "false") return false;
  mismatch("true or false");
  return std::nullopt;
}

std::optional<std::size_t> Cursor::choice(std::span<const std::string_view> words) const {
  std::string hint;
  if (is_scalar()) {
    const auto found = std::ranges::find(words, node_->text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    if (const auto near = nearest(node_->text, words); near && words.size() > 1)
      hint = "; did you mean " + quoted(*near) + "?";
  }
  mismatch(joined(words, "or"), hint);
  return std::nullopt;
}

std::optional<std::vector<Cursor>> Cursor::list(std::string_view what) const {
  if (node_->kind != YamlNode::Kind::list) {
    mismatch(what);
    return std::nullopt;
  }
  if (node_->items.empty()) {
    error("must be " + std::string(what) + ", not an empty list");
    return std::nullopt;
  }
  std::vector<Cursor> result;
  result.reserve(node_->items.size());
  for (std::size_t i = 0; i < node_->items.size(); ++i) {
    const YamlNode& item = *node_->items[i];
    result.emplace_back(item, Place{item.mark, place_.key + "[" + std::to_string(i) + "]"},
                        *problems_);
  }
  return result;
}

Mapping::Mapping(const Cursor& cursor, std::span<const std::string_view> keys) : cursor_(cursor) {
  const YamlNode& node = cursor.node();
  if (node.kind != YamlNode::Kind::mapping) {
    cursor.mismatch("a mapping with the keys " + joined(keys, "and"));
    return;
  }
  std::unordered_map<std::string_view, int> lines;
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const YamlNode& key = *node.items[i];
    const auto [first, is_new] = lines.try_emplace(key.text, key.mark.line);
    if (key.kind != YamlNode::Kind::scalar)
      cursor.problems().error({key.mark, cursor.place().key}, "a key must be a word");
    else if (is_new)
      read_key(key, *node.items[i + 1], keys);
    else
      cursor.problems().error({key.mark, path(key.text)}, "the key is already at line " +
                                                              std::to_string(first->second) +
                                                              "; a mapping has a key once");
  }
}

void Mapping::read_key(const YamlNode& key, const YamlNode& value,
                       std::span<const std::string_view> keys) {
  const auto known = std::ranges::find(keys, key.text);
  const bool has_value = value.kind != YamlNode::Kind::null;
  const Cursor at(value, {has_value ? value.mark : key.mark, path(key.text)}, cursor_.problems());
  if (known != keys.end())
    entries_.push_back({*known, key.mark, at});
  else
    report_unknown(Cursor(value, {key.mark, at.place().key}, cursor_.problems()), key.text, keys);
}

std::string Mapping::path(std::string_view key) const {
  const std::string& parent = cursor_.place().key;
  return parent.empty() ? printable(key) : parent + "." + printable(key);
}

std::optional<Cursor> Mapping::find(std::string_view key) const {
  for (const Entry& entry : entries_)
    if (entry.key == key) return entry.value;
  return std::nullopt;
}

std::optional<Cursor> Mapping::require(std::string_view key, std::string_view what) const {
  auto value = find(key);
  if (!value && cursor_.node().kind == YamlNode::Kind::mapping)
    cursor_.problems().error({cursor_.place().mark, path(key)},
                             "missing; must be " + std::string(what));
  return value;
}

Place Mapping::key_place(std::string_view key) const {
  for (const Entry& entry : entries_)
    if (entry.key == key) return {entry.mark, path(key)};
  return {};
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (error != std::errc{} || next != end || leading_zero) return std::nullopt;
  return value;
}

}  // namespace guideway::control
