// A password that stands in a file of its own, so that a configuration can be shown to others.
//
// What is in the file is in no message: a path that is a slip names a file that is nobody's
// business.
#pragma once

#include <optional>
#include <string>

#include "control/config_reader.h"

namespace guideway::control {

// What Linux takes as a key of TCP MD5 (RFC 2385): TCP_MD5SIG_MAXKEYLEN.
inline constexpr std::size_t kMaxPasswordBytes = 80;

// The first line of the file whose path is under the cursor, without its end, LF or CR LF: 1 to
// kMaxPasswordBytes bytes of UTF-8 without control characters. Reports what is wrong and answers
// nullopt. A file that all users of the host can read, or change, is a warning.
// Threads: any; blocks for as long as a local file takes.
[[nodiscard]] std::optional<std::string> read_password(const Cursor& at);

}  // namespace guideway::control
