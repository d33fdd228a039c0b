// The calls of GoBGP's API that Guideway makes, each with its subject in its error. Private to this
// folder.
//
// Owns: nothing. Threads: as Connection. Errors: as Connection::call().
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "attribute.pb.h"
#include "bgp/route.h"
#include "gobgp.pb.h"
#include "gobgp/connection.h"

namespace guideway::gobgp {

class Client {
 public:
  // REQUIRES: `connection` outlives this.
  explicit Client(Connection& connection) : connection_(connection) {}

  // asn 0: BGP does not run.
  [[nodiscard]] Result<apipb::Global> global();
  // REQUIRES: BGP does not run; GoBGP would forget all that it has.
  [[nodiscard]] Result<> start(const apipb::Global& global);
  [[nodiscard]] Result<> stop();

  [[nodiscard]] Result<std::vector<apipb::Peer>> peers();
  [[nodiscard]] Result<> add_peer(const apipb::Peer& peer);
  // Deletes it and adds it again, in one step; it is the only way that takes its TCP MD5 key off
  // the socket that listens.
  [[nodiscard]] Result<> replace_peer(const apipb::Peer& peer);
  [[nodiscard]] Result<> delete_peer(const std::string& address);
  // Undoes `gobgp neighbor .. disable` and `shutdown`.
  [[nodiscard]] Result<> enable_peer(const std::string& address);
  // Passes what was heard and what is told through the policy again.
  [[nodiscard]] Result<> reapply_policy();

  [[nodiscard]] Result<> add_path(const apipb::Path& path, const bgp::Prefix& prefix);
  // No error where there is no such path.
  [[nodiscard]] Result<> delete_path(const apipb::Path& path, const bgp::Prefix& prefix);

  struct Listing {
    apipb::Family family;
    std::vector<bgp::Prefix> prefixes{};  // these and no others; empty: all
    // Only identifier and source of each path, no attributes: a third of the time.
    bool brief = false;
  };
  using Visit = std::function<void(const apipb::Destination& destination)>;
  // Of the global table, after the import policy.
  [[nodiscard]] Result<> list_paths(const Listing& listing, const Visit& visit);

  // Of the global table, both directions.
  [[nodiscard]] Result<std::vector<apipb::PolicyAssignment>> policy_assignments();
  // These policies, and no others and no sets.
  [[nodiscard]] Result<> set_policies(const std::vector<apipb::Policy>& policies);
  [[nodiscard]] Result<> assign_policy(const apipb::PolicyAssignment& assignment);

  [[nodiscard]] std::string name() const { return connection_.name(); }

 private:
  Connection& connection_;
};

}  // namespace guideway::gobgp
