#include "cli/socket_trouble.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "cli/client.h"

namespace guideway::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPathBytes = sizeof(sockaddr_un::sun_path) - 1;

std::string start_command(const Host& host) {
  return host.has_unit ? "systemctl start guideway" : "guidewayd FILE";
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Error not_there(const std::string& path, int error_number, const Host& host) {
  const std::string connecting = "connecting to " + path + ": " + std::strerror(error_number);
  if (path == kDefaultSocket)
    return {"guidewayd is not running: " + connecting,
            "start it: " + start_command(host) + "; or name its admin.socket with --socket"};
  const std::string hint = exists(kDefaultSocket)
                               ? std::string("there is one at ") + kDefaultSocket +
                                     ": leave out "
                                     "--socket and GUIDEWAY_SOCKET"
                               : "start it: " + start_command(host) +
                                     "; --socket has to be the admin.socket of its configuration";
  return {"guidewayd is not running, or its socket is elsewhere: " + connecting, hint};
}

// A daemon that ends takes its socket along, one that is killed cannot.
Error refused(const std::string& path, const Host& host) {
  struct stat file {};
  if (::stat(path.c_str(), &file) == 0 && !S_ISSOCK(file.st_mode))
    return {"connecting to " + path + ": it is no socket",
            "--socket has to be the admin.socket of guidewayd's configuration"};
  const std::string why = host.has_unit ? "why it died: journalctl -u guideway; "
                                        : "why it died is at the end of its log; ";
  return {"guidewayd is not running: nobody listens at " + path +
              ", which a daemon has left behind that was killed or has crashed",
          why + "start it: " + start_command(host), ECONNREFUSED};
}

std::string user_name() {
  const passwd* user = ::getpwuid(::geteuid());
  return user == nullptr ? "USER" : user->pw_name;
}

bool in_session(gid_t group) {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(0, count)));
  return ::getegid() == group || std::find(groups.begin(), groups.end(), group) != groups.end();
}

bool is_member(const std::string& user, const ::group& group) {
  for (char** member = group.gr_mem; *member != nullptr; ++member)
    if (user == *member) return true;
  return false;
}

// What lets this user in to what `file` is of; only root may where its group is root's.
std::string permission_hint(const struct stat& file, bool group_may) {
  const ::group* group = ::getgrgid(file.st_gid);
  if (!group_may || file.st_gid == 0 || group == nullptr || in_session(file.st_gid))
    return "run this with sudo";
  const std::string name = group->gr_name;
  const std::string user = user_name();
  if (is_member(user, *group))
    return "you have joined the group " + name + " since you logged in: log in again, or newgrp " +
           name;
  return "it is for the group " + name +
         ": run this with sudo, or join the group: sudo usermod -aG " + name + " " + user +
         ", and log in again";
}

// The first folder on the way to `path` that this user may not enter.
std::optional<std::string> closed_folder(const std::string& path) {
  fs::path way;
  for (const fs::path& part : fs::path(path).parent_path()) {
    way /= part;
    if (::access(way.c_str(), X_OK) != 0 && errno == EACCES) return way.string();
  }
  return std::nullopt;
}

Error not_allowed(const std::string& path, int error_number) {
  struct stat file {};
  if (const auto folder = closed_folder(path); folder && ::stat(folder->c_str(), &file) == 0)
    return {"connecting to " + path + ": the folder " + *folder + " may not be entered",
            permission_hint(file, (file.st_mode & S_IXGRP) != 0)};
  const bool seen = ::stat(path.c_str(), &file) == 0;
  return {"connecting to " + path + ": " + std::strerror(error_number),
          seen ? permission_hint(file, (file.st_mode & S_IWGRP) != 0) : "run this with sudo"};
}

}  // namespace

Host this_host() {
  if (!exists("/run/systemd/system")) return {};
  for (const char* folder : {"/etc/systemd/system", "/run/systemd/system",
                             "/usr/lib/systemd/system", "/lib/systemd/system"})
    if (exists(std::string(folder) + "/guideway.service")) return {.has_unit = true};
  return {};
}

Error cannot_connect(const std::string& path, int error_number, const Host& host) {
  switch (error_number) {
    case ENAMETOOLONG:
      return {"the path of the socket, \"" + path + "\", has " + std::to_string(path.size()) +
                  " bytes: too " + (path.empty() ? "short" : "long"),
              "--socket takes 1 to " + std::to_string(kMostPathBytes) + " bytes"};
    case EACCES:
    case EPERM: return not_allowed(path, error_number);
    case ECONNREFUSED: return refused(path, host);
    default: return not_there(path, error_number, host);
  }
}

}  // namespace guideway::cli
