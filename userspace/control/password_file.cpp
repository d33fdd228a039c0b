#include "control/password_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "control/config_values.h"
#include "control/words.h"
#include "core/result.h"
#include "core/unique_fd.h"
#include "core/utf8.h"

namespace guideway::control {
namespace {

constexpr std::string_view kRule = "the absolute path of a file whose first line is the password";

struct Contents {
  std::string start;  // enough of it to know whether the first line is too long
  mode_t mode = 0;
};

Result<Contents> read_start(const std::string& path) {
  // Not waiting for a pipe's other end.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return fail_errno("cannot be opened", errno);
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return fail_errno("cannot be read", errno);
  if (!S_ISREG(about.st_mode)) return fail("is no regular file");
  Contents contents{.start = {}, .mode = about.st_mode};
  std::array<char, kMaxPasswordBytes + 2> buffer{};  // and CR LF
  while (contents.start.size() < buffer.size()) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size() - contents.start.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot be read", errno);
    if (got == 0) break;
    contents.start.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return contents;
}

bool is_one_line_of_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t bytes = utf8_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (bytes == 0 || first < 0x20 || first == 0x7f) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

// What is wrong with a password; empty if nothing is.
std::string_view why_no_password(std::string_view password) {
  if (password.empty()) return "is empty";
  if (password.size() > kMaxPasswordBytes) return "is longer";
  if (!is_one_line_of_text(password)) return "has a byte that is no text";
  return {};
}

}  // namespace

std::optional<std::string> read_password(const Cursor& at) {
  // Some write the password itself here, and what is told of a file is read by others.
  if (at.node().kind == YamlNode::Kind::scalar && !at.node().text.starts_with('/')) {
    at.error("must be " + std::string(kRule) +
             "; what stands here is none, and is not shown, as it may be the password");
    return std::nullopt;
  }
  const auto path = read_file_path(at, kRule);
  if (!path) return std::nullopt;
  const auto contents = read_start(*path);
  if (!contents) {
    at.error("must be " + std::string(kRule) + "; " + quoted(*path) + " " +
             contents.error().text());
    return std::nullopt;
  }
  std::string password = contents->start.substr(0, contents->start.find('\n'));
  if (password.ends_with('\r')) password.pop_back();
  if (const auto why = why_no_password(password); !why.empty()) {
    at.error("a password has 1 to " + std::to_string(kMaxPasswordBytes) +
             " bytes of text; the first line of " + quoted(*path) + " " + std::string(why));
    return std::nullopt;
  }
  if ((contents->mode & (S_IROTH | S_IWOTH)) != 0)
    at.problems().warn(at.place(), "all users of this host can read or change the password in " +
                                       quoted(*path) + "; chmod o-rw it");
  return password;
}

}  // namespace guideway::control
