#include "app/withdrawal.h"

#include <net/if.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "app/announcing.h"
#include "gobgp/speaker.h"
#include "xdp/interface_lock.h"
#include "xdp/steering.h"

namespace guideway::app {
namespace {

// Fails if another guidewayd answers, or may be there.
Result<> nobody_at(const std::string& socket) {
  boost::asio::io_context io;
  boost::asio::local::stream_protocol::socket client(io);
  boost::system::error_code error;
  client.connect(socket, error);
  if (!error)
    return fail("another guidewayd is running: it answers at " + socket,
                "guideway role drain has it withdraw them, and go on forwarding");
  if (error == boost::system::errc::permission_denied)
    return fail("another guidewayd may be running: " + socket + ": " + error.message(),
                "as root, or as the user of guidewayd");
  return {};
}

// One with another admin socket: it has the lock of the interfaces that it serves.
Result<> nobody_serves(const std::vector<std::string>& interfaces) {
  for (const std::string& interface : interfaces) {
    const unsigned index = ::if_nametoindex(interface.c_str());
    if (index != 0 && xdp::InterfaceLock::is_held(xdp::Steering::kProgram, index))
      return fail("another guidewayd is running: it serves " + interface,
                  "its role drain has it withdraw them, and go on forwarding");
  }
  return {};
}

std::vector<std::string> names_of(const std::vector<control::Interface>& interfaces) {
  std::vector<std::string> names;
  for (const control::Interface& interface : interfaces) names.push_back(interface.name);
  return names;
}

std::vector<std::string> all_interfaces() {
  const std::unique_ptr<struct if_nameindex, decltype(&::if_freenameindex)> all(
      ::if_nameindex(), &::if_freenameindex);
  std::vector<std::string> names;
  for (const auto* one = all.get(); one != nullptr && one->if_index != 0; ++one)
    names.emplace_back(one->if_name);
  return names;
}

}  // namespace

// The parts that say what is announced: a model can be large.
Withdrawal::Withdrawal(const control::Model& model) {
  if (!model.bgp) return;
  model_.bgp = model.bgp;
  model_.admin = model.admin;
  model_.services = model.services;
  model_.interfaces = model.interfaces;
}

Withdrawal::Withdrawal() : guessing_(true) {
  control::BgpConfig config;
  config.speaker.mode = bgp::Mode::external;  // what is not marked stays
  config.speaker.api = control::kUsualBgpApi;
  model_.bgp = std::move(config);
}

Result<std::string> Withdrawal::withdraw() const {
  if (!model_.bgp) return std::string();
  const std::string doing = "withdrawing routes";
  auto alone = nobody_at(model_.admin.socket);
  if (alone) alone = nobody_serves(guessing_ ? all_interfaces() : names_of(model_.interfaces));
  if (!alone) return std::unexpected(std::move(alone).error().within(doing));
  const auto speaker = gobgp::make_speaker();
  auto report = withdraw_all(*speaker, model_);
  if (guessing_ && (!report || report->deleted == 0)) return std::string();
  // A speaker that is not there announces nothing.
  if (!report && report.error().number == ECONNREFUSED)
    return "no routes to withdraw: nobody answers at " + model_.bgp->speaker.api;
  if (!report) return std::unexpected(std::move(report).error().within(doing));
  return "withdrew " + std::to_string(report->deleted) + " route(s) from " + report->name + " at " +
         model_.bgp->speaker.api;
}

}  // namespace guideway::app
