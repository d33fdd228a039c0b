// doctor: what is amiss on this host with what Guideway needs, and what mends it. Works with and
// without a daemon, a right file and a privilege.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/daemon_command.h"
#include "cli/doctor_running.h"
#include "cli/doctor_view.h"
#include "cli/terminal.h"
#include "control/config.h"
#include "control/own_addresses.h"
#include "doctor/facts_json.h"
#include "doctor/judge.h"
#include "doctor/read_facts.h"

namespace guideway::cli {
namespace {

// A worker follows a new generation within a tenth of a second, so one that does not within this
// time is not on its way.
constexpr std::chrono::milliseconds kAdoption{1000}, kLook{50};

struct DoctorOptions : DaemonOptions {
  std::string file;           // empty: the daemon's, or kDefaultFile
  bool socket_named = false;  // else it is the one that the file names, if a file was named
  bool all = false;
  bool facts = false;
};

using Problems = std::vector<control::Problem>;
using Read = std::expected<control::Config, Problems>;

Read read_file(const std::string& file) {
  const auto own = control::own_addresses();
  return control::load_config(file, own ? *own : std::vector<control::OwnAddress>{});
}

bool behind(const doctor::Running& running) {
  return std::ranges::any_of(running.interfaces, [&](const doctor::RunningInterface& interface) {
    return std::ranges::any_of(interface.queues, [&](const doctor::RunningQueue& queue) {
      return queue.generation < running.generation;
    });
  });
}

Result<doctor::Running> ask_running(const std::string& socket) {
  constexpr unsigned kOk = 200;
  const auto answer = ask(socket, {.target = "/v1/status"});
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != kOk)
    return fail("guidewayd at " + socket + " answers " + std::to_string(answer->status));
  return read_running(answer->body);
}

// As it is when nothing is on its way any more.
Result<doctor::Running> running_at(const std::string& socket) {
  const auto deadline = std::chrono::steady_clock::now() + kAdoption;
  auto running = ask_running(socket);
  while (running && behind(*running) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kLook);
    running = ask_running(socket);
  }
  return running;
}

// As the daemon was told it, which may be from another working directory.
std::string file_of(const doctor::Running& running) {
  const std::filesystem::path path(running.config_file);
  std::error_code unreadable;
  const auto folder =
      std::filesystem::read_symlink("/proc/" + std::to_string(running.pid) + "/cwd", unreadable);
  return path.is_absolute() || unreadable ? path : folder / path;
}

bool same_file(const std::string& one, const std::string& other) {
  std::error_code missing;
  return one == other || std::filesystem::equivalent(one, other, missing);
}

// What is to be judged, read once.
struct Seen {
  std::string file;
  std::optional<Read> config;
  std::string socket;  // that was asked at
  Result<doctor::Running> running = fail("not asked");
};

Seen look(const DoctorOptions& options) {
  Seen out{.file = {}, .config = {}, .socket = options.socket};
  // Of the file, where none was named.
  const auto other_socket = [&] {
    return !options.socket_named && *out.config && (*out.config)->model.admin.socket != out.socket;
  };
  if (!options.file.empty()) {
    out.file = options.file;
    out.config = read_file(out.file);
    if (other_socket()) out.socket = (*out.config)->model.admin.socket;
  }
  out.running = running_at(out.socket);
  if (out.running) out.running->config_file = file_of(*out.running);
  if (!out.config) {
    out.file = out.running ? out.running->config_file : kDefaultFile;
    out.config = read_file(out.file);
    if (!out.running && other_socket()) {
      out.socket = (*out.config)->model.admin.socket;
      out.running = running_at(out.socket);
      if (out.running) out.running->config_file = file_of(*out.running);
    }
  }
  // So that another name of the same file is the same.
  if (out.running && same_file(out.file, out.running->config_file))
    out.running->config_file = out.file;
  return out;
}

Outcome<> ended(doctor::Severity worst) {
  if (worst == doctor::Severity::error) return failed({});
  if (worst == doctor::Severity::warning) return std::unexpected(Failure{ExitCode::warnings, {}});
  return {};
}

Outcome<> doctor(const DoctorOptions& options) {
  const Seen seen = look(options);
  const control::Model* model = *seen.config ? &(*seen.config)->model : nullptr;
  const doctor::Facts facts = doctor::read_facts(model);
  if (options.facts) return print(boost::json::serialize(doctor::to_json(facts)) + "\n");
  const doctor::Findings findings =
      doctor::judge({.facts = facts,
                     .file = seen.file,
                     .model = model,
                     .errors = *seen.config ? Problems{} : seen.config->error(),
                     .warnings = *seen.config ? (*seen.config)->warnings : Problems{},
                     .running = seen.running ? &*seen.running : nullptr,
                     .unreached = seen.running ? Error{} : seen.running.error(),
                     .version = GUIDEWAY_VERSION,
                     .socket = seen.socket == kDefaultSocket ? "" : seen.socket});
  auto printed = print(options.json ? findings_json(findings, options.all)
                                    : findings_text(findings, options.all, output_palette()));
  return printed ? ended(doctor::worst(findings)) : printed;
}

}  // namespace

void add_doctor(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand(
      "doctor", "Says what is amiss on this host with what Guideway needs, and what mends it");
  const auto options = std::make_shared<DoctorOptions>();
  command
      ->add_option("FILE", options->file,
                   "The configuration file; default: that of the running daemon, or else "
                   "/etc/guideway/guideway.yaml")
      ->type_name("PATH");
  command->add_flag("--json", options->json, "Print the findings as one document, in JSON");
  command->add_flag("--all", options->all, "Show also what was looked at and is right");
  command->add_flag("--facts", options->facts,
                    "Print what the host is like, without judgement, in JSON");
  add_socket_option(*command, options->socket);
  command->footer(
      "Looks at the file, the kernel, the interfaces and their queues, the CPUs, the way to the "
      "backends, and, where one runs, at the daemon. Changes nothing. Without root it says what it "
      "could not look at.\n\n"
      "Example:\n  guideway doctor\n  guideway doctor /etc/guideway/guideway.yaml --json\n\n"
      "Exit codes: 0 nothing worse than a note, 1 errors, 2 wrong use, 4 warnings and no errors.");
  command->callback([command, &chosen, options] {
    options->socket_named = command->get_option("--socket")->count() > 0;
    chosen = [options] { return doctor(*options); };
  });
}

}  // namespace guideway::cli
