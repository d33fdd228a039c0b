#include "cli/daemon_command.h"

#include <iostream>
#include <utility>

#include "cli/answer_view.h"

namespace guideway::cli {

Outcome<> print(const std::string& text) {
  if (!(std::cout << text << std::flush)) return failed({"writing to standard output"});
  return {};
}

std::string checked_not_empty(const std::string& text) {
  return text.empty() ? "must not be empty" : "";
}

void add_daemon_options(CLI::App& command, DaemonOptions& options) {
  command.add_flag("--json", options.json, "Print the document as the daemon gives it");
  command.add_option("--socket", options.socket, "The daemon's socket (admin.socket)")
      ->type_name("PATH")
      ->capture_default_str();
}

Outcome<Answer> ask_daemon(const DaemonOptions& options, const Request& request,
                           std::chrono::milliseconds patience) {
  auto answer = ask(options.socket, request, patience);
  if (!answer) return unreachable(std::move(answer.error()));
  return std::move(*answer);
}

Outcome<std::string> ask_for_document(const DaemonOptions& options, const Request& request,
                                      const std::string& doing) {
  constexpr unsigned kOk = 200;
  auto answer = ask_daemon(options, request);
  if (!answer) return std::unexpected(std::move(answer.error()));
  if (answer->status != kOk) return failed(refusal(doing, *answer));
  return std::move(answer->body);
}

Outcome<> show(const DaemonOptions& options, const std::string& document, const View& view) {
  if (options.json) return print(document + "\n");
  auto text = view(document);
  if (!text) return failed(std::move(text.error()));
  return print(*text);
}

}  // namespace guideway::cli
