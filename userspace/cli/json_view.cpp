#include "cli/json_view.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace guideway::cli {
namespace {

// The value at `key` if it is of the kind `kind`.
const json::value* find(const json::object& in, std::string_view key, json::kind kind) {
  const json::value* value = in.if_contains(key);
  return value != nullptr && value->kind() == kind ? value : nullptr;
}

std::uint64_t number(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  return value.is_int64() && value.get_int64() > 0 ? static_cast<std::uint64_t>(value.get_int64())
                                                   : 0;
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr unsigned char kC1Lead = 0xC2, kC1First = 0x80, kC1Last = 0x9F;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : ' ');
    const bool c1 = byte == kC1Lead && next >= kC1First && next <= kC1Last;
    out += byte < ' ' || byte == 127 || c1 ? '?' : text[i];
    if (c1) ++i;
  }
  return out;
}

Result<json::object> read_document(std::string_view text, std::string_view key, json::kind kind,
                                   const std::string& doing) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  const std::string hint = "is it guidewayd that listens there?";
  if (error) return fail(doing + ": the answer is no JSON: " + error.message(), hint);
  if (!value.is_object() || find(value.get_object(), key, kind) == nullptr)
    return fail(doing + ": the answer has no \"" + std::string(key) + "\"", hint);
  return std::move(value.get_object());
}

const json::object& object(const json::object& in, std::string_view key) {
  static const json::object none;
  const json::value* value = find(in, key, json::kind::object);
  return value != nullptr ? value->get_object() : none;
}

std::vector<const json::object*> objects(const json::object& in, std::string_view key) {
  std::vector<const json::object*> out;
  const json::value* value = find(in, key, json::kind::array);
  if (value == nullptr) return out;
  for (const json::value& item : value->get_array())
    if (item.is_object()) out.push_back(&item.get_object());
  return out;
}

std::vector<std::string> strings(const json::object& in, std::string_view key) {
  std::vector<std::string> out;
  const json::value* value = find(in, key, json::kind::array);
  if (value == nullptr) return out;
  for (const json::value& item : value->get_array())
    if (item.is_string()) out.push_back(printable(item.get_string()));
  return out;
}

std::uint64_t number(const json::object& in, std::string_view key) {
  const json::value* value = in.if_contains(key);
  return value != nullptr ? number(*value) : 0;
}

bool flag(const json::object& in, std::string_view key) {
  const json::value* value = find(in, key, json::kind::bool_);
  return value != nullptr && value->get_bool();
}

std::string text(const json::object& in, std::string_view key) {
  const json::value* value = in.if_contains(key);
  if (value == nullptr) return "-";
  std::string out =
      printable(value->is_string() ? std::string(value->get_string()) : json::serialize(*value));
  return out.empty() ? "-" : out;
}

std::string choice(const json::object& in, std::string_view key, const char* yes, const char* no) {
  const json::value* value = find(in, key, json::kind::bool_);
  if (value == nullptr) return "-";
  return value->get_bool() ? yes : no;
}

std::vector<std::string> not_zero(const json::object& in,
                                  const std::vector<std::string_view>& except) {
  std::vector<std::string> out;
  for (const auto& [key, value] : in) {
    const std::string_view name(key);
    if (number(value) == 0 || std::find(except.begin(), except.end(), name) != except.end())
      continue;
    out.push_back(printable(name) + " " + std::to_string(number(value)));
  }
  return out;
}

}  // namespace guideway::cli
