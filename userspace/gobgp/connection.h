// The channel to GoBGP's API, and calls over it that cannot last: all calls of one reconcile()
// together have one deadline, and another thread can end the one that goes on. Private to this
// folder.
//
// A channel that failed is not used again. gRPC would wait before it connects anew, up to two
// minutes; a new channel connects at once.
//
// Fork: gRPC's threads do not survive a fork(), and it has handlers for that which are off unless
// GRPC_ENABLE_FORK_SUPPORT is set. None are needed: the daemon makes processes by posix_spawn(3)
// only (probe/child.h), which runs no handlers, and closes all descriptors in the child.
//
// Owns: the channel. Threads: cancel() any; all else one at a time. gRPC has threads of its own,
// made by the first begin(), with the capabilities and the signal mask of the thread that calls it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "bgp/endpoint.h"
#include "core/result.h"
#include "gobgp.grpc.pb.h"

namespace guideway::gobgp {

class Connection {
 public:
  using Stub = apipb::GobgpApi::StubInterface;

  // All calls until the next begin() go to `api`, and take `patience` at most. Error: `api` is no
  // place. It does not connect yet.
  [[nodiscard]] Result<> begin(const std::string& api, std::chrono::milliseconds patience);

  // One call; `doing` names it and its subject: "AddPath 198.51.100.1/32". Error::number:
  //   0             GoBGP answered, and will not
  //   ECONNREFUSED  nobody listens there
  //   EACCES, ..    of connect(2)
  //   ECONNRESET    it was there, and went away
  //   ETIMEDOUT     no answer before the deadline
  //   ECANCELED     cancel()
  [[nodiscard]] Result<> call(
      const std::string& doing,
      const std::function<grpc::Status(Stub& stub, grpc::ClientContext& context)>& ask);

  // Ends the call that goes on, and has all fail until the next begin().
  void cancel();

  // Grows with each channel that was made.
  [[nodiscard]] std::uint64_t channel_number() const { return channel_number_; }
  // "GoBGP at unix:/run/guideway-bgp/api.sock".
  [[nodiscard]] std::string name() const { return "GoBGP at " + endpoint_.text; }

 private:
  void open();
  [[nodiscard]] Error error_of(const std::string& doing, const grpc::Status& status);
  [[nodiscard]] Error why_unavailable(const std::string& doing, const grpc::Status& status) const;
  [[nodiscard]] bool enter(grpc::ClientContext& context);
  [[nodiscard]] bool leave();  // true: cancelled meanwhile

  bgp::Endpoint endpoint_;
  std::chrono::milliseconds patience_{};
  std::chrono::steady_clock::time_point deadline_{};
  std::uint64_t channel_number_ = 0;
  std::unique_ptr<Stub> stub_;  // null: the next call makes a channel

  std::mutex guard_;  // of the two below
  grpc::ClientContext* current_ = nullptr;
  bool cancelled_ = false;
};

}  // namespace guideway::gobgp
