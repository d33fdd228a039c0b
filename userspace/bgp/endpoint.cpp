#include "bgp/endpoint.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/unique_fd.h"

namespace guideway::bgp {
namespace {

constexpr std::string_view kUnix = "unix:";

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// nullopt: the path is longer than the kernel takes.
std::optional<SocketAddress> socket_address(const Endpoint& endpoint) {
  SocketAddress result;
  if (endpoint.path.empty()) {
    const boost::asio::ip::tcp::endpoint tcp(boost::asio::ip::make_address(endpoint.address),
                                             endpoint.port);
    std::memcpy(&result.storage, tcp.data(), tcp.size());
    result.bytes = static_cast<socklen_t>(tcp.size());
    return result;
  }
  sockaddr_un unix{};
  if (endpoint.path.size() >= sizeof unix.sun_path) return std::nullopt;
  unix.sun_family = AF_UNIX;
  std::memcpy(unix.sun_path, endpoint.path.c_str(), endpoint.path.size() + 1);
  std::memcpy(&result.storage, &unix, sizeof unix);
  result.bytes = sizeof unix;
  return result;
}

// The errno value of a connection that goes on.
int wait_for_connection(int fd, std::chrono::milliseconds patience) {
  pollfd wait{fd, POLLOUT, 0};
  if (::poll(&wait, 1, static_cast<int>(patience.count())) <= 0) return ETIMEDOUT;
  int error = 0;
  socklen_t bytes = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0) return errno;
  return error;
}

}  // namespace

Result<Endpoint> parse_endpoint(const std::string& text) {
  const auto refuse = [&] {
    return fail("'" + text + "' is no place of an API",
                "unix:/run/guideway-bgp/api.sock, or 127.0.0.1:50051");
  };
  Endpoint result{.text = text};
  if (text.starts_with(kUnix)) {
    result.path = text.substr(kUnix.size());
    // Behind two slashes gRPC takes what comes for the name of a host.
    const bool absolute = result.path.starts_with('/') && !result.path.starts_with("//");
    if (!absolute || result.path.ends_with('/')) return refuse();
    return result;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return refuse();
  result.address = text.substr(0, colon);
  const bool brackets = result.address.starts_with('[') && result.address.ends_with(']');
  if (brackets) result.address = result.address.substr(1, result.address.size() - 2);
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data() + colon + 1, end, result.port);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(result.address, error);
  if (error || address.is_v6() != brackets || number.ec != std::errc{} || number.ptr != end ||
      result.port == 0)
    return refuse();
  return result;
}

Result<> try_to_connect(const Endpoint& endpoint, std::chrono::milliseconds patience) {
  const auto address = socket_address(endpoint);
  if (!address) return fail_errno("connecting", ENAMETOOLONG);
  const UniqueFd fd(
      ::socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return fail_errno("making a socket", errno);
  if (::connect(fd.get(), address->get(), address->bytes) == 0) return {};
  int error = errno;
  if (error == EINPROGRESS) error = wait_for_connection(fd.get(), patience);
  // A Unix socket whose queue is full: somebody listens, and does not accept.
  if (error == 0 || error == EAGAIN) return {};
  return fail_errno("connecting", error);
}

}  // namespace guideway::bgp
