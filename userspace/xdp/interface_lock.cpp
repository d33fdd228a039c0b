#include "xdp/interface_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

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

}  // namespace

Result<InterfaceLock> InterfaceLock::take(const std::string& program, const std::string& interface,
                                          std::uint32_t interface_index) {
  const std::string doing = "taking interface " + interface;
  struct stat network_namespace {};
  if (::stat("/proc/self/ns/net", &network_namespace) != 0)
    return fail_errno(doing + ": finding the network namespace", errno);
  if (::mkdir(kFolder, 0755) != 0 && errno != EEXIST)
    return fail_errno(doing + ": making " + kFolder, errno, privilege_hint(errno));
  const std::string path = std::string(kFolder) + "/" + program + "-" +
                           std::to_string(network_namespace.st_ino) + "-" +
                           std::to_string(interface_index) + ".lock";
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

InterfaceLock::~InterfaceLock() {
  if (file_.valid()) ::unlink(path_.c_str());  // before the lock goes with the descriptor
}

}  // namespace guideway::xdp
