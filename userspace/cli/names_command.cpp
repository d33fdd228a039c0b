// names (hidden): what guidewayd knows by name, for the completion of a shell. Quick, and silent
// where there is no daemon: the shell waits for it between two keys.
#include <algorithm>
#include <boost/json/object.hpp>
#include <memory>

#include "cli/daemon_command.h"
#include "cli/json_view.h"

namespace guideway::cli {
namespace {

constexpr std::chrono::milliseconds kKeystrokePatience{300};

struct NamesOptions {
  std::string kind;
  std::string socket = kDefaultSocket;
};

struct Source {
  const char* kind;
  const char* target;  // of the API
  const char* list;    // the key of the document that has the objects
  const char* inner;   // a key of these that has more objects; empty: they are meant themselves
  const char* name;    // the key of an object that has the name
};
constexpr Source kSources[] = {{"backends", "/v1/backends", "pools", "backends", "address"},
                               {"pools", "/v1/backends", "pools", "", "name"},
                               {"services", "/v1/services", "services", "", "name"},
                               {"interfaces", "/v1/status", "interfaces", "", "name"}};

std::vector<std::string> names_in(const json::object& document, const Source& source) {
  std::vector<std::string> out;
  const std::string_view inner = source.inner;
  for (const json::object* one : objects(document, source.list)) {
    if (inner.empty()) {
      out.push_back(text(*one, source.name));
    } else {
      for (const json::object* part : objects(*one, inner)) out.push_back(text(*part, source.name));
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::unexpected<Failure> silently(ExitCode code) { return std::unexpected(Failure{code, {}}); }

Outcome<> names(const NamesOptions& options) {
  const auto* source = std::find_if(std::begin(kSources), std::end(kSources),
                                    [&](const Source& one) { return options.kind == one.kind; });
  if (source == std::end(kSources)) return silently(ExitCode::wrong_use);
  const auto answer = ask(options.socket, {.target = source->target}, kKeystrokePatience);
  if (!answer) return silently(ExitCode::unreachable);
  const auto document =
      read_document(answer->body, source->list, json::kind::array, "asking for names");
  if (!document) return silently(ExitCode::failed);
  std::string out;
  for (const std::string& name : names_in(*document, *source)) out += name + "\n";
  return print(out);
}

}  // namespace

void add_names(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("names", "Prints what guidewayd knows by name");
  command->group("");
  const auto options = std::make_shared<NamesOptions>();
  command->add_option("KIND", options->kind, "backends, pools, services or interfaces")
      ->required()
      ->type_name("backends|pools|services|interfaces");
  add_socket_option(*command, options->socket);
  command->footer(std::string("Example:\n  guideway names pools") + kExitCodes);
  command->callback([&chosen, options] { chosen = [options] { return names(*options); }; });
}

}  // namespace guideway::cli
