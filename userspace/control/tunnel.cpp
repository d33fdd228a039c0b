#include "control/tunnel.h"

#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "control/complaint.h"
#include "control/tunnel_route.h"
#include "core/unique_fd.h"
#include "net/encapsulation.h"
#include "net/wire.h"

namespace guideway::control {
namespace {

// Packets between two looks at what else the thread has to do.
constexpr int kReadAtOnce = 64;
constexpr std::size_t kMaxPacketBytes = 2048;

sockaddr_in socket_address(Ipv4Address address) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = address.wire().wire();
  return result;
}

const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// The kernel greets a new device in IPv6: nobody's packets, to be forgotten.
bool is_ipv4(std::span<const std::byte> packet) {
  return !packet.empty() && std::to_integer<unsigned>(packet[0]) >> 4 == 4;
}

// Whose packet it is, as its sender knows it: protocol and source port.
std::optional<std::pair<Protocol, std::uint16_t>> sender_of(std::span<const std::byte> packet) {
  Ipv4Header ip;
  if (packet.size() < sizeof ip) return std::nullopt;
  std::memcpy(&ip, packet.data(), sizeof ip);
  const auto protocol = static_cast<Protocol>(ip.protocol);
  const std::size_t header = ip.header_bytes();
  if (packet.size() < header + sizeof(Be16)) return std::nullopt;
  if (protocol != Protocol::tcp && protocol != Protocol::udp) return std::nullopt;
  Be16 port;
  std::memcpy(&port, packet.data() + header, sizeof port);
  return std::pair(protocol, port.host());
}

}  // namespace

class Tunnel::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, TunnelRoute route, UniqueFd raw, Ipv4Address source)
      : route_(std::move(route)),
        raw_(std::move(raw)),
        source_(source),
        readable_(io, route_.fd()) {}
  ~Impl() { readable_.release(); }  // the descriptor is the route's to close

  void start() {
    readable_.async_wait(readable_.wait_read,
                         [weak = weak_from_this()](const boost::system::error_code& error) {
                           const auto self = weak.lock();
                           if (self == nullptr || error) return;
                           self->forward_all();
                           // A device that is gone is readable for ever.
                           if (!self->gone_) self->start();
                         });
  }
  void stop() { readable_.cancel(); }
  void set_source(Ipv4Address source) { source_ = source; }
  Result<> enter(int socket, Protocol protocol, Ipv4Address backend);
  [[nodiscard]] Counts counts() const { return counts_; }
  bool look_after();

 private:
  struct Way {
    Ipv4Address source, backend;
  };
  std::vector<Way>& ways(Protocol protocol) { return protocol == Protocol::tcp ? tcp_ : udp_; }
  void forward_all();
  bool forward(std::span<std::byte> room, std::size_t packet_bytes);

  TunnelRoute route_;
  UniqueFd raw_;
  Ipv4Address source_;
  boost::asio::posix::stream_descriptor readable_;
  // By source port. A way stays behind its socket, for what the kernel sends late.
  std::vector<Way> tcp_{65536}, udp_{65536};
  std::array<std::byte, sizeof(OuterHeader) + kMaxPacketBytes> buffer_{};
  Counts counts_;
  Complaint complaint_{"tunnel for probes"};
  bool gone_ = false;  // somebody has deleted the device
};

Result<> Tunnel::Impl::enter(int socket, Protocol protocol, Ipv4Address backend) {
  const std::string doing = "entering the tunnel to " + backend.text();
  if (gone_)
    return fail(doing + ": the device " + route_.name() + " is gone",
                "it is made anew within a second");
  const std::uint32_t mark = route_.mark();
  if (::setsockopt(socket, SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0)
    return fail_errno(doing + ": marking the socket", errno);
  sockaddr_in own = socket_address(source_);
  if (::bind(socket, generic(own), sizeof own) != 0)
    return fail_errno(doing + ": binding to " + source_.text(), errno,
                      "encapsulation.source must be an address of this host");
  socklen_t bytes = sizeof own;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &bytes) != 0)
    return fail_errno(doing + ": asking for the port", errno);
  ways(protocol)[Be16::from_wire(own.sin_port).host()] = {source_, backend};
  return {};
}

bool Tunnel::Impl::look_after() {
  if (gone_) return false;
  const auto restored = route_.restore();
  complaint_.set(restored ? "" : restored.error().text());
  if (restored && *restored)
    spdlog::warn(
        "tunnel for probes: somebody had taken the policy rule or the route of {} away; they are "
        "back, but probes of the last second may have been answered by other backends",
        route_.name());
  return true;
}

void Tunnel::Impl::forward_all() {
  const auto room = std::span(buffer_);
  for (int i = 0; i < kReadAtOnce; ++i) {
    const auto inner = room.subspan(sizeof(OuterHeader));
    const ssize_t bytes = ::read(route_.fd(), inner.data(), inner.size());
    if (bytes < 0) {
      gone_ = errno != EAGAIN && errno != EINTR;
      return;
    }
    if (!is_ipv4(inner.first(static_cast<std::size_t>(bytes)))) continue;
    ++(forward(room, static_cast<std::size_t>(bytes)) ? counts_.sent : counts_.refused);
  }
}

// Sends the packet of `packet_bytes` that lies behind the room for the outer headers.
bool Tunnel::Impl::forward(std::span<std::byte> room, std::size_t packet_bytes) {
  const auto packet = room.subspan(sizeof(OuterHeader), packet_bytes);
  const auto sender = sender_of(packet);
  if (!sender) return false;
  const Way& way = ways(sender->first)[sender->second];
  if (way.backend == Ipv4Address()) return false;
  Ipv4Header inner;
  std::memcpy(&inner, packet.data(), sizeof inner);
  // The kernel writes the link's header, as it routes what goes to a backend: by the main table.
  const OuterTemplate outer = make_outer_template({}, {}, way.source, way.backend);
  const std::byte* ip = encapsulate(outer, packet.data(), static_cast<std::uint16_t>(packet_bytes),
                                    inner.type_of_service) +
                        sizeof(EthernetHeader);
  const std::size_t bytes = kOuterIpBytes + packet_bytes;
  const sockaddr_in to = socket_address(way.backend);
  return ::sendto(raw_.get(), ip, bytes, MSG_DONTWAIT, generic(to), sizeof to) ==
         static_cast<ssize_t>(bytes);
}

Result<std::unique_ptr<Tunnel>> Tunnel::open(boost::asio::io_context& io, Ipv4Address source) {
  auto route = TunnelRoute::open();
  if (!route) return std::unexpected(std::move(route).error());
  // IPPROTO_RAW: packets are handed over with their IP header (raw(7)).
  UniqueFd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!raw.valid())
    return fail_errno("opening a raw socket for probes through the tunnel", errno,
                      "run as root, or with CAP_NET_RAW");
  auto impl = std::make_shared<Impl>(io, std::move(*route), std::move(raw), source);
  impl->start();
  return std::unique_ptr<Tunnel>(new Tunnel(std::move(impl)));
}

Tunnel::Tunnel(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tunnel::~Tunnel() { impl_->stop(); }

void Tunnel::set_source(Ipv4Address source) { impl_->set_source(source); }
Result<> Tunnel::enter(int socket, Protocol protocol, Ipv4Address backend) {
  return impl_->enter(socket, protocol, backend);
}
bool Tunnel::look_after() { return impl_->look_after(); }
Tunnel::Counts Tunnel::counts() const { return impl_->counts(); }

}  // namespace guideway::control
