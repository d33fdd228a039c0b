#include "gobgp/speaker.h"

#include <cerrno>
#include <utility>

#include "gobgp/client.h"
#include "gobgp/connection.h"
#include "gobgp/external.h"
#include "gobgp/managed.h"
#include "gobgp/sessions.h"

namespace guideway::gobgp {
namespace {

// Who answers next may be another.
bool is_gone(int number) { return number != 0 && number != ETIMEDOUT && number != ECANCELED; }

class GoBgp final : public bgp::Speaker {
 public:
  Result<bgp::Report> reconcile(const bgp::Wanted& wanted) override {
    auto result = try_to_reconcile(wanted);
    if (!result && is_gone(result.error().number)) managed_.forget();
    return result;
  }
  void cancel() override { connection_.cancel(); }

 private:
  Result<bgp::Report> try_to_reconcile(const bgp::Wanted& wanted) {
    if (auto begun = connection_.begin(wanted.config.api, kPatience); !begun)
      return std::unexpected(std::move(begun.error()));
    bgp::Report report;
    report.name = "GoBGP";
    auto global = client_.global();
    if (!global) return std::unexpected(std::move(global.error()));
    const bool managed = wanted.config.mode == bgp::Mode::managed;
    auto done = managed ? managed_.reconcile(client_, *std::move(global), wanted, report)
                        : external_.reconcile(client_, *global, wanted, report);
    if (!done) return std::unexpected(std::move(done.error()));
    const auto peers = client_.peers();
    if (!peers) return std::unexpected(peers.error());
    report.sessions = sessions_.look(*peers, std::chrono::system_clock::now());
    if (managed) return report;
    auto removed =
        external_.remove_old_routes(client_, wanted, connection_.channel_number(), report);
    if (!removed) return std::unexpected(std::move(removed.error()));
    return report;
  }

  Connection connection_;
  Client client_{connection_};
  Managed managed_;
  External external_;
  Sessions sessions_;
};

}  // namespace

std::unique_ptr<bgp::Speaker> make_speaker() { return std::make_unique<GoBgp>(); }

}  // namespace guideway::gobgp
