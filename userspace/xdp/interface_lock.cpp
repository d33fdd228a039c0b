#include "xdp/interface_lock.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string_view>

namespace guideway::xdp {
namespace {

constexpr const char* kFolder = "/run/guideway";

std::string privilege_hint(int error) {
  return error == EACCES || error == EPERM || error == EROFS
             ? std::string("run as root, or let this user write to ") + kFolder
             : std::string();
}

// Whether `path` still names the file that is open as `file`.
bool is_at(const std::string& path, const UniqueFd& file) {
  struct stat named {
  }, opened{};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(file.get(), &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

// What stands behind the program's id: ids begin anew with each boot, and where /run is no tmpfs,
// as in many containers, the file outlives it.
std::string boot_mark() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return " " + id + "\n";
}

}  // namespace

Result<std::string> InterfaceLock::path_of(const std::string& program,
                                           std::uint32_t interface_index) {
  struct stat network_namespace {};
  if (::stat("/proc/self/ns/net", &network_namespace) != 0)
    return fail_errno("finding the network namespace", errno);
  return std::string(kFolder) + "/" + program + "-" + std::to_string(network_namespace.st_ino) +
         "-" + std::to_string(interface_index) + ".lock";
}

Result<InterfaceLock> InterfaceLock::take(const std::string& program, const std::string& interface,
                                          std::uint32_t interface_index) {
  const std::string doing = "taking interface " + interface;
  auto found = path_of(program, interface_index);
  if (!found) return std::unexpected(std::move(found.error()).within(doing));
  const std::string& path = *found;
  if (::mkdir(kFolder, 0755) != 0 && errno != EEXIST)
    return fail_errno(doing + ": making " + kFolder, errno, privilege_hint(errno));
  for (;;) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid()) return fail_errno(doing + ": opening " + path, errno, privilege_hint(errno));
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return fail_errno(doing + ": locking " + path, errno);
      return fail(doing +
                      ": it is served already, by another process of Guideway or under "
                      "another of its names",
                  "stop that one first, or give this one another interface");
    }
    // Its last owner may have removed the file between the two calls: then this is nobody's lock.
    if (is_at(path, file)) return InterfaceLock(path, std::move(file));
  }
}

bool InterfaceLock::is_held(const std::string& program, std::uint32_t interface_index) {
  const auto path = path_of(program, interface_index);
  if (!path) return false;
  const UniqueFd file(::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return file.valid() && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

void InterfaceLock::note(std::uint32_t program_id) const {
  const std::string line = std::to_string(program_id) + boot_mark();
  if (::ftruncate(file_.get(), 0) != 0 ||
      ::pwrite(file_.get(), line.data(), line.size(), 0) != static_cast<ssize_t>(line.size()))
    spdlog::warn("noting the attached program in {}: {}", path_, std::strerror(errno));
}

std::uint32_t InterfaceLock::noted() const {
  std::array<char, 64> text{};
  const ssize_t bytes = ::pread(file_.get(), text.data(), text.size(), 0);
  if (bytes <= 0) return 0;
  const char* const end = text.data() + bytes;
  std::uint32_t id = 0;
  const char* const behind = std::from_chars(text.data(), end, id).ptr;
  return std::string_view(behind, end) == boot_mark() ? id : 0;
}

InterfaceLock::~InterfaceLock() {
  // Before the lock goes with the descriptor.
  if (file_.valid() && !note_stays_) ::unlink(path_.c_str());
}

}  // namespace guideway::xdp
