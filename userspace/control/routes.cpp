#include "control/routes.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <limits>
#include <map>
#include <utility>

#include "control/complaint.h"
#include "control/neighbours.h"
#include "control/netlink.h"

namespace guideway::control {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
using netlink::Link;
using netlink::Route;

// What comes within this time of a notification is answered together with it. Longer: a change is
// late. Shorter: a routing daemon's burst is many rounds.
constexpr auto kSettle = 20ms;
// A round of questions takes at most one part in this many of the thread's time.
constexpr int kDutyCycle = 5;
// How often it is looked whether something is due.
constexpr auto kTick = 1s;
constexpr auto kAskRoutes = 60s;

// What is known of an address beyond its next hop.
struct Watched {
  Route route;
  bool asked = false;  // the kernel was, for `route`
  NextHop hop;
};

std::string text(const NextHop& hop) {
  std::string result(name(hop.state));
  if (hop.device != 0) result += ", device " + hop.device_name + ", via " + hop.via.text();
  if (hop.state == NextHop::State::resolved) result += ", MAC address " + hop.mac.text();
  return result;
}

}  // namespace

std::string_view name(NextHop::State state) {
  switch (state) {
    case NextHop::State::resolved: return "resolved";
    case NextHop::State::no_route: return "no route";
    case NextHop::State::device_down: return "device down";
    case NextHop::State::resolving: return "resolving";
    case NextHop::State::failed: return "neighbour does not answer";
    case NextHop::State::no_ethernet: return "device without MAC addresses";
  }
  return "?";
}

class Routes::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, Listener changed, netlink::Requests requests,
       netlink::Notifications notifications)
      : changed_(std::move(changed)),
        requests_(std::move(requests)),
        notifications_(std::move(notifications)),
        readable_(io, notifications_.fd()),
        settle_(io),
        tick_(io) {}
  // The descriptor is the socket's to close.
  ~Impl() { readable_.release(); }

  void start() {
    await_notification();
    await_tick();
  }
  // Handlers that are on their way find nobody, or are told to leave.
  void stop() {
    stopped_ = true;
    readable_.cancel();
    settle_.cancel();
    tick_.cancel();
  }

  Result<> watch(const std::vector<Ipv4Address>& addresses, Ipv4Address source);
  const NextHop* find(Ipv4Address address) const {
    const auto found = watched_.find(address);
    return found == watched_.end() ? nullptr : &found->second.hop;
  }

 private:
  // `then` with this object, if both are there when the handler runs.
  auto guarded(void (Impl::*then)()) {
    return [weak = weak_from_this(), then](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (self != nullptr && !self->stopped_ && !error) (self.get()->*then)();
    };
  }
  void await_notification() {
    readable_.async_wait(readable_.wait_read, guarded(&Impl::on_readable));
  }
  void await_tick() {
    tick_.expires_after(kTick);
    tick_.async_wait(guarded(&Impl::on_tick));
  }
  void schedule_refresh();
  void on_readable();
  void on_tick();
  void on_settled();

  void drain();
  void apply(const netlink::Event& event);
  Result<bool> refresh();
  Result<> ask_tables();
  Result<> ask_routes();
  void ask_neighbours();
  NextHop derive(Ipv4Address address, const Route& route);
  const Link* live_ethernet(const Route& route) const;

  Listener changed_;
  netlink::Requests requests_;
  netlink::Notifications notifications_;
  boost::asio::posix::stream_descriptor readable_;
  boost::asio::steady_timer settle_;
  boost::asio::steady_timer tick_;

  std::map<std::uint32_t, Link> links_;
  Neighbours neighbours_{requests_};
  std::map<Ipv4Address, Watched> watched_;
  Ipv4Address source_{};

  bool stopped_ = false;
  bool scheduled_ = false;
  bool tables_lost_ = true;  // links_ and neighbours_ are not current
  bool routes_stale_ = true;
  Clock::time_point routes_asked_at_{};
  Clock::time_point next_round_{};  // not before
  Complaint requests_complaint_{"next hops"};
  Complaint source_complaint_{"next hops"};
};

Result<> Routes::Impl::watch(const std::vector<Ipv4Address>& addresses, Ipv4Address source) {
  std::map<Ipv4Address, Watched> watched;
  bool any_new = false;
  for (const Ipv4Address address : addresses)
    if (auto known = watched_.extract(address))
      watched.insert(std::move(known));
    else
      any_new |= watched.try_emplace(address).second;
  watched_ = std::move(watched);
  routes_stale_ |= source_ != source;
  source_ = source;
  if (!any_new && !routes_stale_ && !tables_lost_) {
    schedule_refresh();  // neighbours that only those needed that went are let go
    return {};
  }
  if (auto refreshed = refresh(); !refreshed) return std::unexpected(std::move(refreshed).error());
  return {};
}

void Routes::Impl::schedule_refresh() {
  if (std::exchange(scheduled_, true)) return;
  settle_.expires_at(std::max<Clock::time_point>(Clock::now() + kSettle, next_round_));
  settle_.async_wait(guarded(&Impl::on_settled));
}

void Routes::Impl::on_readable() {
  drain();
  await_notification();
}

void Routes::Impl::on_tick() {
  await_tick();
  drain();
  if (Clock::now() - routes_asked_at_ >= kAskRoutes) routes_stale_ = true;
  if (tables_lost_ || routes_stale_)
    schedule_refresh();
  else if (neighbours_.ask_due())
    schedule_refresh();
}

void Routes::Impl::on_settled() {
  scheduled_ = false;
  auto refreshed = refresh();
  requests_complaint_.set(refreshed ? "" : refreshed.error().text());
  // Last, as the listener may destroy us.
  if (refreshed && *refreshed) changed_();
}

// Reads all notifications that are there: to the end, as the kernel drops what comes after an
// overrun until its queue is empty.
void Routes::Impl::drain() {
  while (true) {
    switch (notifications_.read([this](const netlink::Event& event) { apply(event); })) {
      case netlink::Notifications::Read::some: continue;
      case netlink::Notifications::Read::lost:
        if (!tables_lost_)
          spdlog::warn("next hops: notifications were lost; asking the kernel for everything anew");
        tables_lost_ = true;
        schedule_refresh();
        continue;
      case netlink::Notifications::Read::nothing: return;
    }
  }
}

void Routes::Impl::apply(const netlink::Event& event) {
  if (const auto* link = std::get_if<Link>(&event)) {
    Link& known = links_[link->device];
    // Most of these say that a counter or a flag changed that is nothing to us.
    if (known == *link) return;
    known = *link;
    routes_stale_ = true;
  } else if (const auto* gone = std::get_if<netlink::LinkGone>(&event)) {
    links_.erase(gone->device);
    routes_stale_ = true;
  } else if (const auto* neighbour = std::get_if<netlink::Neighbour>(&event)) {
    if (!neighbours_.learn(*neighbour)) return;
  } else if (const auto* forgotten = std::get_if<netlink::NeighbourGone>(&event)) {
    if (!neighbours_.forget({forgotten->device, forgotten->address})) return;
  } else {
    routes_stale_ = true;
  }
  schedule_refresh();
}

// Brings everything up to date. Returns whether a next hop changed.
Result<bool> Routes::Impl::refresh() {
  const auto begin = Clock::now();
  drain();
  if (tables_lost_)
    if (auto asked = ask_tables(); !asked) return std::unexpected(std::move(asked).error());
  const bool any_unasked =
      std::ranges::any_of(watched_, [](const auto& entry) { return !entry.second.asked; });
  if (routes_stale_ || any_unasked)
    if (auto asked = ask_routes(); !asked) return std::unexpected(std::move(asked).error());
  ask_neighbours();
  bool any_changed = false;
  for (auto& [address, watched] : watched_) {
    NextHop hop = derive(address, watched.route);
    if (hop == watched.hop) continue;
    spdlog::debug("next hop of {}: {}", address.text(), text(hop));
    watched.hop = std::move(hop);
    any_changed = true;
  }
  const auto end = Clock::now();
  next_round_ = end + (kDutyCycle - 1) * (end - begin);
  return any_changed;
}

Result<> Routes::Impl::ask_tables() {
  auto links = requests_.links();
  if (!links) return std::unexpected(std::move(links).error());
  auto neighbours = requests_.neighbours();
  if (!neighbours) return std::unexpected(std::move(neighbours).error());
  links_.clear();
  for (Link& link : *links) links_[link.device] = std::move(link);
  neighbours_.reset(*neighbours);
  tables_lost_ = false;
  routes_stale_ = true;
  return {};
}

Result<> Routes::Impl::ask_routes() {
  Ipv4Address source = source_;
  if (source != Ipv4Address()) {
    const auto own = requests_.route(source, {});
    if (!own) return std::unexpected(own.error());
    const bool is_ours = own->kind == Route::Kind::local;
    source_complaint_.set(is_ours ? ""
                                  : "source address " + source.text() + " is not on this host");
    if (!is_ours) source = {};
  }
  for (auto& [address, watched] : watched_) {
    if (watched.asked && !routes_stale_) continue;
    auto route = requests_.route(address, source);
    if (!route) return std::unexpected(std::move(route).error());
    watched.asked = true;
    if (*route == watched.route) continue;
    if (route->kind == Route::Kind::unsupported)
      spdlog::warn("next hops: the route to {} has an IPv6 gateway, which is not supported",
                   address.text());
    watched.route = *route;
  }
  if (std::exchange(routes_stale_, false)) routes_asked_at_ = Clock::now();
  return {};
}

// The device of `route`, if packets can be sent out of it.
const Link* Routes::Impl::live_ethernet(const Route& route) const {
  if (route.kind != Route::Kind::unicast) return nullptr;
  const auto link = links_.find(route.device);
  if (link == links_.end() || !link->second.ethernet || !link->second.running) return nullptr;
  return &link->second;
}

void Routes::Impl::ask_neighbours() {
  std::vector<Neighbours::Key> keys;
  for (const auto& [address, watched] : watched_)
    if (live_ethernet(watched.route) != nullptr)
      keys.emplace_back(watched.route.device, watched.route.gateway.value_or(address));
  std::ranges::sort(keys);
  const auto duplicates = std::ranges::unique(keys);
  keys.erase(duplicates.begin(), duplicates.end());
  neighbours_.need(keys);
  (void)neighbours_.ask_due();  // answers that came at once are looked at next
}

NextHop Routes::Impl::derive(Ipv4Address address, const Route& route) {
  NextHop hop;
  if (route.kind != Route::Kind::unicast) return hop;
  hop.device = route.device;
  hop.via = route.gateway.value_or(address);
  hop.state = NextHop::State::device_down;
  const auto link = links_.find(route.device);
  if (link == links_.end()) return hop;
  const std::uint32_t mtu =
      route.mtu == 0 ? link->second.mtu : std::min(route.mtu, link->second.mtu);
  hop.mtu = static_cast<std::uint16_t>(
      std::min<std::uint32_t>(mtu, std::numeric_limits<std::uint16_t>::max()));
  hop.device_name = link->second.name;
  hop.device_mac = link->second.mac;
  if (!link->second.ethernet) hop.state = NextHop::State::no_ethernet;
  if (live_ethernet(route) == nullptr) return hop;
  const auto [state, mac] = neighbours_.find({hop.device, hop.via});
  hop.mac = mac;
  if (state == Neighbours::State::usable) hop.state = NextHop::State::resolved;
  if (state == Neighbours::State::resolving) hop.state = NextHop::State::resolving;
  if (state == Neighbours::State::failed) hop.state = NextHop::State::failed;
  return hop;
}

Result<std::unique_ptr<Routes>> Routes::open(boost::asio::io_context& io, Listener changed,
                                             std::size_t notification_buffer_bytes) {
  // Notifications first: what changes after the first question is heard of.
  auto notifications = netlink::Notifications::open(notification_buffer_bytes);
  if (!notifications) return std::unexpected(std::move(notifications).error());
  auto requests = netlink::Requests::open();
  if (!requests) return std::unexpected(std::move(requests).error());
  auto impl = std::make_shared<Impl>(io, std::move(changed), std::move(*requests),
                                     std::move(*notifications));
  impl->start();
  return std::unique_ptr<Routes>(new Routes(std::move(impl)));
}

Routes::Routes(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Routes::~Routes() { impl_->stop(); }

Result<> Routes::watch(const std::vector<Ipv4Address>& addresses, Ipv4Address source) {
  return impl_->watch(addresses, source);
}

const NextHop* Routes::find(Ipv4Address address) const { return impl_->find(address); }

}  // namespace guideway::control
