#include "cli/daemon_command.h"

#include <cerrno>
#include <cstring>
#include <iostream>
#include <utility>

#include "cli/answer_view.h"
#include "cli/json_view.h"
#include "cli/terminal.h"

namespace guideway::cli {
namespace {

constexpr unsigned kOk = 200, kNotFound = 404;

// What GET /v1/status says; "unknown" where it does not.
std::string version_of_daemon(const DaemonOptions& options) {
  const auto answer = ask(options.socket, {.target = "/v1/status"});
  if (!answer || answer->status != kOk) return "unknown";
  const auto document = read_document(answer->body, "node", json::kind::object, "asking");
  return document ? text(object(*document, "node"), "version") : "unknown";
}

bool knows_no_such_path(const Answer& answer) {
  if (answer.status != kNotFound) return false;
  const auto document = read_document(answer.body, "error", json::kind::string, "asking");
  return document && text(*document, "error").starts_with("no such path");
}

Failure of_another_version(const DaemonOptions& options, const std::string& doing) {
  return {ExitCode::failed,
          {doing + ": guidewayd at " + options.socket + " cannot do that: it is version " +
               version_of_daemon(options) + ", this guideway is version " GUIDEWAY_VERSION,
           "start guidewayd anew where it is older than what is installed: systemctl restart "
           "guideway"}};
}

}  // namespace

Outcome<> print(const std::string& text) {
  errno = 0;
  if (std::cout << text << std::flush) return {};
  return failed({"writing to standard output" +
                 (errno == 0 ? std::string() : std::string(": ") + std::strerror(errno))});
}

std::string checked_not_empty(const std::string& text) {
  return text.empty() ? "must not be empty" : "";
}

void add_socket_option(CLI::App& command, std::string& socket) {
  command
      .add_option("--socket", socket,
                  "The daemon's socket, which its configuration names in admin.socket")
      ->type_name("PATH")
      ->envname("GUIDEWAY_SOCKET")
      ->capture_default_str();
}

void add_daemon_options(CLI::App& command, DaemonOptions& options) {
  command.add_flag("--json", options.json, "Print the document as the daemon gives it, in JSON");
  add_socket_option(command, options.socket);
}

Outcome<Answer> ask_daemon(const DaemonOptions& options, const Request& request,
                           std::chrono::milliseconds patience) {
  auto answer = ask(options.socket, request, patience);
  if (!answer) return unreachable(std::move(answer.error()));
  return std::move(*answer);
}

Outcome<std::string> ask_for_document(const DaemonOptions& options, const Request& request,
                                      const std::string& doing) {
  auto answer = ask_daemon(options, request);
  if (!answer) return std::unexpected(std::move(answer.error()));
  if (knows_no_such_path(*answer)) return std::unexpected(of_another_version(options, doing));
  if (answer->status != kOk) return failed(refusal(doing, *answer));
  return std::move(answer->body);
}

Outcome<> show(const DaemonOptions& options, const std::string& document, const View& view) {
  if (options.json) return print(document + "\n");
  auto text = view(document);
  if (!text) return failed(std::move(text.error()));
  return print(*text);
}

Outcome<> show(const DaemonOptions& options, const std::string& document, const PaintedView& view) {
  const Palette palette = output_palette();
  return show(options, document,
              View([&](std::string_view shown) { return view(shown, palette); }));
}

}  // namespace guideway::cli
