// Who is asked by the probes of a benchmark: takes every connection at PORT, at all addresses of
// its namespace, answers a request with 200, and counts. Whoever connects to COUNTS_PORT is told
// the counts: "accepted N\nanswered N\n". Runs until a signal ends it.
//
//     bench_target PORT COUNTS_PORT
//
// One thread over epoll: it must take less for a probe than those that ask do.
//
// Errors: those of a connection end the connection; those of the program end it, exit code 1.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
constexpr std::string_view kEndOfRequest = "\r\n\r\n";
constexpr int kBacklog = 65535;

[[noreturn]] void die(const char* doing, const char* hint) {
  std::fprintf(stderr, "bench_target: %s: %s (%s)\n", doing, std::strerror(errno), hint);
  std::exit(EXIT_FAILURE);
}

std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    std::fprintf(stderr, "bench_target: a port is a number from 1 to 65535, not \"%.*s\"\n",
                 static_cast<int>(text.size()), text.data());
    std::exit(2);
  }
  return port;
}

void allow_many_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) die("asking for the limit of files", "a defect");
  files.rlim_cur = files.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) die("raising the limit of files", "ulimit -n");
}

int listener(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(port);
  if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 ||
      ::listen(fd, kBacklog) != 0)
    die("listening", "is the port in use?");
  return fd;
}

class Target {
 public:
  Target(std::uint16_t port, std::uint16_t counts_port)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        listener_(listener(port)),
        counts_(listener(counts_port)) {
    if (epoll_ < 0) die("making an epoll", "ulimit -n");
    watch(listener_);
    watch(counts_);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    while (true) {
      const int ready =
          ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), /*timeout=*/-1);
      if (ready < 0 && errno != EINTR) die("waiting for events", "a defect");
      for (int i = 0; i < ready; ++i) handle(events[static_cast<std::size_t>(i)].data.fd);
    }
  }

 private:
  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) die("watching a socket", "a defect");
  }

  void handle(int fd) {
    if (fd == listener_)
      take_connections();
    else if (fd == counts_)
      tell_counts();
    else
      read_request(fd);
  }

  void take_connections() {
    while (true) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED)) return;
      if (fd < 0) die("accepting a connection", "raise ulimit -n: connections are not ended");
      ++accepted_;
      if (matched_.size() <= static_cast<std::size_t>(fd))
        matched_.resize(static_cast<std::size_t>(fd) + 1);
      matched_[static_cast<std::size_t>(fd)] = 0;
      watch(fd);
    }
  }

  void read_request(int fd) {
    std::array<char, 4096> piece;
    const ssize_t bytes = ::recv(fd, piece.data(), piece.size(), 0);
    if (bytes < 0 && errno == EAGAIN) return;
    if (bytes > 0 && !ends(fd, std::string_view(piece.data(), static_cast<std::size_t>(bytes))))
      return;
    if (bytes > 0 &&
        ::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) == std::ssize(kAnswer))
      ++answered_;
    ::close(fd);
  }

  // Whether the request is whole with this piece.
  bool ends(int fd, std::string_view piece) {
    std::uint8_t& matched = matched_[static_cast<std::size_t>(fd)];
    for (const char byte : piece) {
      matched = byte == kEndOfRequest[matched] ? static_cast<std::uint8_t>(matched + 1)
                : byte == '\r'                 ? std::uint8_t{1}
                                               : std::uint8_t{0};
      if (matched == kEndOfRequest.size()) return true;
    }
    return false;
  }

  void tell_counts() const {
    const int fd = ::accept4(counts_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::string text =
        "accepted " + std::to_string(accepted_) + "\nanswered " + std::to_string(answered_) + "\n";
    // Who asks and goes is no matter of ours.
    (void)::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    ::close(fd);
  }

  int epoll_;
  int listener_, counts_;
  std::uint64_t accepted_ = 0, answered_ = 0;
  std::vector<std::uint8_t> matched_;  // by descriptor: bytes of kEndOfRequest that came last
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_target PORT COUNTS_PORT\n");
    return 2;
  }
  allow_many_files();
  Target(port_of(argv[1]), port_of(argv[2])).run();
}
