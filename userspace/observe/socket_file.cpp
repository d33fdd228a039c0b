#include "observe/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/unique_fd.h"

namespace guideway::observe {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr mode_t kFolderMode = 0755;

// The kernel takes any socket address as a sockaddr (unix(7)).
class Address {
 public:
  // REQUIRES: fits(path).
  explicit Address(const std::string& path) {
    un_.sun_family = AF_UNIX;
    std::memcpy(un_.sun_path, path.c_str(), path.size() + 1);
  }
  static bool fits(const std::string& path) { return path.size() < sizeof(sockaddr_un::sun_path); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&un_); }
  static constexpr socklen_t size() { return sizeof(sockaddr_un); }

 private:
  sockaddr_un un_{};
};

Result<> make_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (folder.empty() || std::filesystem::is_directory(folder, ignored)) return {};
  if (auto parent = make_folder(folder.parent_path()); !parent) return parent;
  const std::string doing = "making the folder " + folder.string();
  if (::mkdir(folder.c_str(), kFolderMode) != 0)
    return errno == EEXIST ? Result<>{} : fail_errno(doing, errno);
  // mkdir() subtracts the umask.
  if (::chmod(folder.c_str(), kFolderMode) != 0) return fail_errno(doing, errno);
  return {};
}

// True if a process listens at the socket file.
Result<bool> is_served(const Address& address) {
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) return fail_errno("opening a Unix socket", errno);
  if (::connect(probe.get(), address.get(), Address::size()) == 0) return true;
  switch (errno) {
    case ECONNREFUSED:
    case ENOENT:  // went just now
      return false;
    case EAGAIN:      // listens, but its queue is full
    case EPROTOTYPE:  // is bound by somebody, though not as a stream
      return true;
    default:
      return fail_errno("connecting to find out whether it is in use", errno,
                        errno == EACCES ? "it is another user's: stop the process that listens "
                                          "there, or remove the file where there is none"
                                        : "");
  }
}

// Takes a socket file away that an earlier process has left.
Result<> clear(const std::string& path, const Address& address) {
  const std::string other_path = "or set admin.socket to another path";
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0)
    return errno == ENOENT ? Result<>{} : fail_errno("looking at it", errno);
  if (!S_ISSOCK(found.st_mode))
    return fail("a file that is not a socket is in the way", "remove it, " + other_path);
  const auto served = is_served(address);
  if (!served) return std::unexpected(served.error());
  if (*served) return fail("another process listens there", "stop that one, " + other_path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail_errno("removing what an earlier process has left", errno);
  return {};
}

Result<struct stat> bind_file(int socket, const std::string& path, const Address& address) {
  // The file gets the mode of the socket, less the umask: so it never has more than that.
  if (::fchmod(socket, kSocketMode) != 0 || ::bind(socket, address.get(), Address::size()) != 0)
    return fail_errno("binding", errno);
  struct stat made {};
  if (::chmod(path.c_str(), kSocketMode) != 0 || ::lstat(path.c_str(), &made) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    return fail_errno("setting its permissions", error);
  }
  return made;
}

}  // namespace

Result<SocketFile> SocketFile::bind(int socket, const std::string& path) {
  const std::string doing = "listening at " + path;
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (path.empty() || error) return fail("listening at \"" + path + "\": not a path");
  const std::string name = absolute.string();
  if (!Address::fits(name)) {
    return fail(doing + ": the path is too long for a Unix socket",
                "107 bytes at most, it has " + std::to_string(name.size()));
  }
  const Address address(name);
  auto in_doing = [&doing](Error cause) { return std::move(cause).within(doing); };
  if (auto made = make_folder(absolute.parent_path()); !made)
    return std::unexpected(in_doing(made.error()));
  if (auto cleared = clear(name, address); !cleared)
    return std::unexpected(in_doing(cleared.error()));
  const auto file = bind_file(socket, name, address);
  if (!file) return std::unexpected(in_doing(file.error()));
  return SocketFile(name, file->st_dev, file->st_ino);
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

SocketFile::~SocketFile() {
  struct stat found {};
  if (path_.empty() || ::lstat(path_.c_str(), &found) != 0) return;
  if (found.st_dev == device_ && found.st_ino == inode_) ::unlink(path_.c_str());
}

}  // namespace guideway::observe
