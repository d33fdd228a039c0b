#include "gobgp/connection.h"

#include <grpc/support/time.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "gobgp/target.h"

namespace guideway::gobgp {
namespace {

constexpr char kIsItRunning[] = "is gobgpd running? systemctl status guideway-gobgp";
constexpr std::chrono::milliseconds kConnectPatience{200};

grpc::ChannelArguments channel_arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  // This one is how long an attempt may last: the deadline of the call ends it, and nothing before.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20'000);
  // Else a new channel gets the old one's connection, and the old one's wait.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // http_proxy in the environment is not meant for this.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  return arguments;
}

// A span, not a date: so a clock that is set neither ends a call nor lengthens it.
gpr_timespec time_until(std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return gpr_time_from_millis(std::max<std::int64_t>(left.count(), 0), GPR_TIMESPAN);
}

std::string seconds(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count()) + " s";
}

}  // namespace

Result<> Connection::begin(const std::string& api, std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(guard_);
    cancelled_ = false;
  }
  if (api != endpoint_.text) {
    stub_.reset();
    auto endpoint = bgp::parse_endpoint(api);
    if (!endpoint) return std::unexpected(std::move(endpoint.error()).within("the API of GoBGP"));
    endpoint_ = *std::move(endpoint);
  }
  patience_ = patience;
  deadline_ = std::chrono::steady_clock::now() + patience;
  return {};
}

void Connection::open() {
  stub_ = apipb::GobgpApi::NewStub(grpc::CreateCustomChannel(
      target(endpoint_), grpc::InsecureChannelCredentials(), channel_arguments()));
  ++channel_number_;
}

Result<> Connection::call(const std::string& doing,
                          const std::function<grpc::Status(Stub&, grpc::ClientContext&)>& ask) {
  if (!stub_) open();
  grpc::ClientContext context;
  context.set_deadline(time_until(deadline_));
  const bool entered = enter(context);
  const grpc::Status status = entered ? ask(*stub_, context) : grpc::Status::CANCELLED;
  if (leave()) return std::unexpected(Error{name() + ": " + doing + ": given up", {}, ECANCELED});
  if (status.ok()) return {};
  return std::unexpected(error_of(doing, status));
}

bool Connection::enter(grpc::ClientContext& context) {
  const std::lock_guard lock(guard_);
  if (!cancelled_) current_ = &context;
  return !cancelled_;
}

bool Connection::leave() {
  const std::lock_guard lock(guard_);
  current_ = nullptr;
  return cancelled_;
}

void Connection::cancel() {
  const std::lock_guard lock(guard_);
  cancelled_ = true;
  if (current_ != nullptr) current_->TryCancel();
}

Error Connection::error_of(const std::string& doing, const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      stub_.reset();
      return {name() + ": no answer to " + doing + " within " + seconds(patience_),
              "gobgpd hangs, or has too much to do: systemctl status guideway-gobgp", ETIMEDOUT};
    case grpc::StatusCode::UNAVAILABLE: stub_.reset(); return why_unavailable(doing, status);
    case grpc::StatusCode::UNIMPLEMENTED:
      return {name() + ": does not know " + doing, "it has to be GoBGP 3, such as Debian's gobgpd"};
    default: return {name() + ": refuses " + doing + ": " + status.error_message()};
  }
}

// gRPC tells that nobody answers, but not dependably why.
Error Connection::why_unavailable(const std::string& doing, const grpc::Status& status) const {
  const auto connected = bgp::try_to_connect(endpoint_, kConnectPatience);
  if (connected)
    return {name() + ": lost while it was asked for " + doing + ": " + status.error_message(),
            kIsItRunning, ECONNRESET};
  const int number = connected.error().number;
  const std::string cause = std::strerror(number);
  if (number == ENOENT || number == ECONNREFUSED)
    return {name() + ": nobody answers: " + cause, kIsItRunning, ECONNREFUSED};
  if (number == EACCES)
    return {name() + ": " + cause,
            "the user of guidewayd needs write access to the socket and may pass its folder",
            number};
  return {name() + ": cannot be reached: " + cause, "is bgp.api right?", number};
}

}  // namespace guideway::gobgp
