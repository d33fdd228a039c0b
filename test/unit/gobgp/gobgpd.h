// A gobgpd of the test's own, bare, with its API on a Unix socket in a scratch folder; somebody
// else who talks to it; and what Guideway wants of it.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bgp/endpoint.h"
#include "bgp/speaker.h"
#include "gobgp/client.h"
#include "gobgp/connection.h"
#include "gobgp/paths.h"
#include "gobgp/speaker.h"
#include "support/catch.h"
#include "support/scratch_folder.h"

namespace guideway::gobgp {

using namespace std::chrono_literals;

// When a test gives up.
inline constexpr std::chrono::seconds kTestPatience{20};
inline constexpr std::uint32_t kOwnAsn = 64512, kRouterAsn = 64500;

inline void wait_until(const std::string& what, const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + kTestPatience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("never: " + what);
    ::poll(nullptr, 0, 5);
  }
}

class Gobgpd {
 public:
  static constexpr char kProgram[] = "/usr/bin/gobgpd";

  Gobgpd() {
    if (::access(kProgram, X_OK) != 0) {
      std::puts("skipped: no gobgpd (scripts/deps installs it)");
      std::exit(77);  // what ctest takes as skipped
    }
    start();
  }
  Gobgpd(const Gobgpd&) = delete;
  Gobgpd& operator=(const Gobgpd&) = delete;
  ~Gobgpd() { kill(); }

  // Returns when its API answers.
  void start() {
    ::unlink(path().c_str());
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) execute();
    wait_until("gobgpd accepts", [&] {
      return bgp::try_to_connect({api(), path()}, 100ms).has_value();
    });
  }
  void kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  // It keeps its connections, and says nothing.
  void hang() const {
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
  }
  void go_on() const { ::kill(pid_, SIGCONT); }

  [[nodiscard]] std::string path() const { return folder_ / "an api.sock"; }
  [[nodiscard]] std::string api() const { return "unix:" + path(); }

 private:
  [[noreturn]] void execute() const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string log = folder_ / "gobgpd.log", hosts = "unix://" + path();
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(file, 1);
    ::dup2(file, 2);
    ::execl(kProgram, kProgram, "--api-hosts", hosts.c_str(), "--pprof-disable", "--log-plain",
            static_cast<char*>(nullptr));
    ::_exit(127);
  }

  ScratchFolder folder_;
  pid_t pid_ = 0;
};

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return *std::move(result);
}
inline void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().text());
}

// Somebody else who uses the same API.
class Meddler {
 public:
  explicit Meddler(const Gobgpd& gobgpd) : api_(gobgpd.api()) {}

  Client& client() {
    must(connection_.begin(api_, kTestPatience));
    return client_;
  }
  std::vector<LocalPath> local_paths(const apipb::Family& family = family_v4()) {
    std::vector<LocalPath> result;
    must(client().list_paths({.family = family}, [&](const apipb::Destination& destination) {
      for (const apipb::Path& path : destination.paths())
        if (auto local = to_local_path(destination, path, kOwnAsn)) result.push_back(*local);
    }));
    std::ranges::sort(result, {},
                      [](const auto& path) { return std::pair(path.prefix, path.identifier); });
    return result;
  }
  void add(const bgp::Route& route, std::uint32_t identifier, std::uint32_t source_asn = 0) {
    apipb::Path path = to_path(route, kOwnAsn);
    path.set_identifier(identifier);
    path.set_source_asn(source_asn);
    must(client().add_path(path, route.prefix));
  }
  void remove(const bgp::Prefix& prefix) {
    must(client().delete_path(withdrawal_of({.prefix = prefix, .identifier = kPathIdentifier}),
                              prefix));
  }
  void start(std::uint32_t asn, const std::string& router_id) {
    apipb::Global global;
    global.set_asn(asn);
    global.set_router_id(router_id);
    global.set_listen_port(-1);
    must(client().start(global));
  }
  void disable(const std::string& address) {
    apipb::DisablePeerRequest request;
    request.set_address(address);
    must(connection_.begin(api_, kTestPatience));
    must(connection_.call("DisablePeer", [&](Connection::Stub& stub, grpc::ClientContext& context) {
      google::protobuf::Empty ignored;
      return stub.DisablePeer(&context, request, &ignored);
    }));
  }
  std::vector<std::string> peers() {
    std::vector<std::string> result;
    for (const apipb::Peer& peer : value_of(client().peers()))
      result.push_back(peer.state().neighbor_address());
    std::ranges::sort(result);
    return result;
  }
  apipb::Peer peer(const std::string& address) {
    for (apipb::Peer& peer : value_of(client().peers()))
      if (peer.state().neighbor_address() == address) return std::move(peer);
    throw std::runtime_error("no peer " + address);
  }

 private:
  std::string api_;
  Connection connection_;
  Client client_{connection_};
};

inline bgp::Prefix prefix(const std::string& text) { return bgp::Prefix::parse(text).value(); }
inline bgp::Route route(const std::string& to, std::optional<std::uint32_t> med = {}) {
  bgp::Route result{prefix(to), {}};
  result.attributes.med = med;
  return result;
}
inline bgp::Peer peer(const std::string& address, std::uint32_t asn = kRouterAsn) {
  bgp::Peer result;
  result.address = boost::asio::ip::make_address(address);
  result.asn = asn;
  result.port = 1;  // where nobody listens
  return result;
}

// Two routes, one peer, and no port that would need a privilege.
inline bgp::Wanted wanted_of(const Gobgpd& gobgpd) {
  bgp::Wanted wanted;
  wanted.config.api = gobgpd.api();
  wanted.config.asn = kOwnAsn;
  wanted.config.router_id = "10.0.0.10";
  wanted.config.listen_port = 0;
  wanted.config.graceful_restart = 10s;
  wanted.config.peers = {peer("127.0.0.2")};
  wanted.routes = {route("198.51.100.1/32", 50), route("198.51.100.2/32")};
  for (const bgp::Route& one : wanted.routes) wanted.own.insert(one.prefix);
  return wanted;
}

inline bgp::Report reconcile(bgp::Speaker& speaker, const bgp::Wanted& wanted) {
  return value_of(speaker.reconcile(wanted));
}

// As wanted: a second call does nothing.
inline void check_in_step(bgp::Speaker& speaker, const bgp::Wanted& wanted) {
  const bgp::Report report = reconcile(speaker, wanted);
  CHECK(report.done == std::vector<std::string>{});
  CHECK(report.held == wanted.routes);
}

}  // namespace guideway::gobgp
