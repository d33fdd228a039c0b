#include "doctor/judge.h"

#include <algorithm>
#include <numeric>

#include "doctor/judge_parts.h"

namespace guideway::doctor {
namespace {

const RunningInterface* running_of(const Case& seen, const InterfaceFacts& facts) {
  if (seen.running == nullptr) return nullptr;
  const auto found = std::ranges::find_if(seen.running->interfaces, [&](const auto& one) {
    return one.name == facts.name || one.name == facts.kernel_name;
  });
  return found == seen.running->interfaces.end() ? nullptr : &*found;
}

std::vector<std::uint32_t> served_queues(const control::Interface& config,
                                         const InterfaceFacts& facts) {
  std::vector<std::uint32_t> queues = config.queues;
  if (queues.empty()) {
    queues.resize(facts.receive_queues);
    std::iota(queues.begin(), queues.end(), 0U);
  }
  return queues;
}

// As app/data_plane.cpp gives CPUs to workers; `given` counts over all interfaces.
std::vector<Place> planned_places(const Case& seen, const control::Interface& config,
                                  const std::vector<std::uint32_t>& queues, std::size_t& given) {
  std::vector<Place> places;
  const auto& allowed = seen.facts.host.cpu.allowed;
  if (config.cpus.empty() && (!allowed.known() || allowed->empty())) return places;
  for (std::size_t i = 0; i < queues.size(); ++i)
    places.push_back({queues[i], config.cpus.empty() ? (*allowed)[given++ % allowed->size()]
                                                     : config.cpus[i % config.cpus.size()]});
  return places;
}

std::vector<Place> running_places(const RunningInterface& running) {
  std::vector<Place> places;
  for (const RunningQueue& queue : running.queues) places.push_back({queue.queue, queue.cpu});
  return places;
}

void judge_interface(const InterfaceCase& seen, Desk& desk) {
  Report report = desk.report("interface " + seen.config.name);
  judge_link(seen, report);
  if (!seen.facts.exists) return;
  judge_queues(seen, report);
  judge_way(seen, report);
  judge_offloads(seen, report);
  judge_program(seen, report);
  judge_cpus(seen, report);
}

void judge_interfaces(const Case& seen, Desk& desk) {
  std::size_t given = 0;
  for (const control::Interface& config : seen.model->interfaces) {
    const auto facts = std::ranges::find(seen.facts.interfaces, config.name, &InterfaceFacts::name);
    if (facts == seen.facts.interfaces.end()) continue;
    const RunningInterface* running = running_of(seen, *facts);
    std::vector<std::uint32_t> queues = served_queues(config, *facts);
    std::vector<Place> places = planned_places(seen, config, queues, given);
    // The interface may have got other queues since a daemon took those that there were.
    if (running != nullptr && !running->queues.empty()) {
      places = running_places(*running);
      queues.clear();
      for (const Place& place : places) queues.push_back(place.queue);
    }
    std::ranges::sort(queues);
    judge_interface({.all = seen,
                     .facts = *facts,
                     .config = config,
                     .running = running,
                     .places = std::move(places),
                     .queues = std::move(queues),
                     .name = facts->kernel_name.empty() ? config.name : facts->kernel_name},
                    desk);
  }
}

void say_unseen(const Case& seen, const Unseen& unseen, Desk& desk) {
  if (unseen.without_privilege.empty()) return;
  desk.report("host").say(
      Severity::note, "privilege",
      "not looked at, as the kernel tells it to root only: " +
          listed({unseen.without_privilege.begin(), unseen.without_privilege.end()}, 20),
      as_root(seen));
}

}  // namespace

std::string guideway(const Case& seen, const std::string& words) {
  return "guideway " + words + (seen.socket.empty() ? "" : " --socket " + shell_word(seen.socket));
}

Mend as_root(const Case& seen) {
  // Of a file that is not right, root may find another.
  const std::string file = seen.model == nullptr ? "" : " " + shell_word(seen.file);
  return Mend::by_command("sudo " + guideway(seen, "doctor" + file));
}

bool checks_through_tunnel(const control::Model& model) {
  return std::ranges::any_of(model.pools, [](const control::PoolConfig& pool) {
    return std::ranges::any_of(pool.checks, [](const control::CheckConfig& check) {
      return check.question.vip.has_value();
    });
  });
}

Findings judge(const Case& seen) {
  Findings findings;
  Unseen unseen;
  Desk desk(findings, unseen);
  judge_file(seen, desk);
  judge_daemon(seen, desk);
  if (seen.running != nullptr) {
    judge_traffic(seen, desk);
    judge_pools(seen, desk);
  }
  judge_bgp(seen, desk);
  judge_kernel(seen, desk);
  judge_memory(seen, desk);
  if (seen.model != nullptr) {
    judge_interfaces(seen, desk);
    judge_backends(seen, desk);
  }
  say_unseen(seen, unseen, desk);
  return findings;
}

}  // namespace guideway::doctor
