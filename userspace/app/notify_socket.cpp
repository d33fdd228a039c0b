#include "app/notify_socket.h"

#include <sys/time.h>

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

NotifySocket::~NotifySocket() {
  using namespace std::chrono;
  std::erase_if(kept_, [](const Message& one) { return one.passing; });
  const auto end = steady_clock::now() + kLastWait;
  for (; !kept_.empty(); kept_.pop_front()) {
    const auto left = ceil<microseconds>(end - steady_clock::now());
    if (left <= 0us) return;  // a time-out of 0 would be none at all
    const timeval wait{.tv_sec = 0, .tv_usec = static_cast<suseconds_t>(left.count())};
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0) return;
    if (!send(kept_.front().text, 0)) return;
  }
}

// Not connected, so that a service manager that has made its socket anew is found.
bool NotifySocket::send(const std::string& message, int flags) const {
  for (;;) {
    const ssize_t sent =
        ::sendto(socket_.get(), message.data(), message.size(), flags | MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address_), address_bytes_);
    if (sent >= 0) return true;
    if (errno != EINTR) return errno != EAGAIN && errno != ENOBUFS;
  }
}

void NotifySocket::catch_up() {
  while (!kept_.empty() && send(kept_.front().text, MSG_DONTWAIT)) kept_.pop_front();
}

void NotifySocket::keep(Message message) {
  if (!listens()) return;
  kept_.push_back(std::move(message));
  catch_up();
}

void NotifySocket::say(std::string message) { keep({.text = std::move(message)}); }

void NotifySocket::say_passing(std::string message) {
  std::erase_if(kept_, [](const Message& one) { return one.passing; });
  keep({.text = std::move(message), .passing = true});
}

void NotifySocket::say_now(const std::string& message) {
  if (!listens()) return;
  catch_up();
  if (kept_.empty()) (void)send(message, MSG_DONTWAIT);
}

}  // namespace guideway::app
