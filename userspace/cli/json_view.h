// What views need of a JSON document that a daemon gave: values that may be missing or of another
// kind, as it comes from a daemon of another version, and text that cannot move the cursor of the
// terminal. Pure.
//
// Threads: none of its own.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace guideway::cli {

namespace json = boost::json;

// `text` with a "?" for each control character, C1 ones in UTF-8 too.
[[nodiscard]] std::string printable(std::string_view text);

// The document that `text` is. Fails, as "doing: cause", where it is no object that has a value of
// the kind `kind` at `key`: such is no answer to what was asked.
[[nodiscard]] Result<json::object> read_document(std::string_view text, std::string_view key,
                                                 json::kind kind, const std::string& doing);

// The value at `key` of an object. What is missing or of another kind is: an empty object, no
// objects, no strings, 0, false, "-".
[[nodiscard]] const json::object& object(const json::object& in, std::string_view key);
[[nodiscard]] std::vector<const json::object*> objects(const json::object& in,
                                                       std::string_view key);
[[nodiscard]] std::vector<std::string> strings(const json::object& in, std::string_view key);
[[nodiscard]] std::uint64_t number(const json::object& in, std::string_view key);
[[nodiscard]] bool flag(const json::object& in, std::string_view key);

// As it is shown, printable; a number as its digits. "-" also for an empty string.
[[nodiscard]] std::string text(const json::object& in, std::string_view key);

// `yes` or `no` of a flag; "-" where there is none.
[[nodiscard]] std::string choice(const json::object& in, std::string_view key, const char* yes,
                                 const char* no);

// "name value" of each number that is not 0, but for those whose names are in `except`.
[[nodiscard]] std::vector<std::string> not_zero(const json::object& in,
                                                const std::vector<std::string_view>& except = {});

}  // namespace guideway::cli
