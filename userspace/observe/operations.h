// What the API may ask the daemon to do, and what it hears of it. Filled by app/, called by the
// API on the control thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "observe/explain.h"
#include "observe/flows.h"
#include "observe/status.h"

namespace guideway::observe {

struct ReloadOutcome {
  bool succeeded = false;
  std::uint64_t generation = 0;         // that is in force now
  std::vector<std::string> problems{};  // why not; a line each
  std::vector<std::string> changes{};   // what is different now, in words; a line each
  std::vector<std::string> warnings{};  // such as what keeps its old value until a restart
};

struct DrainOutcome {
  enum class Kind { done, no_such_backend, no_such_pool } kind = Kind::done;
  std::vector<std::string> pools{};  // whose backend it is
  bool changed = false;              // false: it was so before
};

struct RoleOutcome {
  enum class Kind { done, no_such_role, no_bgp } kind = Kind::done;
  bool changed = false;  // false: it was so before
};

struct Operations {
  std::function<Status()> status;
  // Reads the file again and acts on it. Reloads wait for each other.
  std::function<boost::asio::awaitable<ReloadOutcome>()> reload;
  // `pool` empty: in all pools that have the backend.
  std::function<DrainOutcome(const std::string& backend, const std::string& pool, bool drain)>
      set_drain;
  // `role` is a word of bgp.role. Stays until a reload whose file has another role than before.
  std::function<RoleOutcome(const std::string& role)> set_role;
  // `level` is a word of log.level. False: it is none.
  std::function<bool(const std::string& level)> set_log_level;
  std::function<std::string()> log_level;
  // The next page. Fails where a worker does not answer.
  std::function<boost::asio::awaitable<Result<FlowsPage>>(FlowsWanted)> flows;
  // Fails with ENODEV where the interface of the question is not in service, otherwise where there
  // is nobody who could answer.
  std::function<boost::asio::awaitable<Result<PacketAnswer>>(PacketQuestion)> explain;
  std::function<bool()> ready;  // forwards, and wants to go on
  // Filled by metrics_api() itself, out of `status`.
  std::function<std::shared_ptr<const std::string>()> metrics_text;
};

}  // namespace guideway::observe
