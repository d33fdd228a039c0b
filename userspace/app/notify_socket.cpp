#include "app/notify_socket.h"

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace guideway::app {

NotifySocket::NotifySocket() {
  const char* const set = std::getenv("NOTIFY_SOCKET");
  const std::string_view name = set == nullptr ? "" : set;
  if (name.empty() || (name[0] != '/' && name[0] != '@')) return;
  if (name.size() >= sizeof address_.sun_path) return;
  address_.sun_family = AF_UNIX;
  name.copy(address_.sun_path, name.size());
  // A path ends with a zero, an abstract name begins with one (unix(7)).
  if (name[0] == '@') address_.sun_path[0] = '\0';
  address_bytes_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() +
                                          (name[0] == '/' ? 1 : 0));
  socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

// Not connected, so that a service manager that has made its socket anew is found.
bool NotifySocket::send(const std::string& message) const {
  for (;;) {
    const ssize_t sent =
        ::sendto(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address_), address_bytes_);
    if (sent >= 0) return true;
    if (errno != EINTR) return errno != EAGAIN && errno != ENOBUFS;
  }
}

void NotifySocket::catch_up() {
  while (!kept_.empty() && send(kept_.front())) kept_.pop_front();
}

void NotifySocket::say(std::string message) {
  if (!listens()) return;
  if (kept_.size() == kMostKept) kept_.pop_front();
  kept_.push_back(std::move(message));
  catch_up();
}

void NotifySocket::say_now(const std::string& message) {
  if (!listens()) return;
  catch_up();
  if (kept_.empty()) (void)send(message);
}

}  // namespace guideway::app
