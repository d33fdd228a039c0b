// explain: what would become of a packet, and why.
#include <iostream>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/daemon_command.h"
#include "cli/explain_view.h"
#include "net/packet_text.h"
#include "net/wire.h"

namespace guideway::cli {
namespace {

struct ExplainOptions : DaemonOptions {
  std::vector<std::string> flow;
  std::string flags, size, packet, interface;
};

// Characters of standard input that are looked at: two digits a byte, and as much in between.
constexpr std::size_t kMaxInput = 8 * kMaxPacketTextBytes;

std::unexpected<Failure> wrong_use(Error error) {
  return std::unexpected(Failure{ExitCode::wrong_use, std::move(error)});
}

std::string parameter(const std::string& name, const std::string& value) {
  return "&" + name + "=" + percent_encoded(value);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

Outcome<std::string> packet_text(const std::string& option) {
  if (option != "-") return option;
  std::string text(kMaxInput + 1, ' ');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (text.size() > kMaxInput)
    return wrong_use({"standard input has more than " + std::to_string(kMaxInput) +
                      " characters, and a packet may have " + std::to_string(kMaxPacketTextBytes) +
                      " bytes"});
  return text;
}

// What is wrong is said before the daemon is asked, by the functions that it reads it with.
Outcome<std::string> question_of_flow(const ExplainOptions& options) {
  const std::string text = joined(options.flow);
  const auto flow = parse_flow(text);
  if (!flow) return wrong_use(flow.error());
  std::string query = parameter("flow", flow_text(*flow));
  if (!options.flags.empty()) {
    if (flow->protocol != kProtocolTcp) return wrong_use({"--flags: only a flow of tcp has flags"});
    const auto flags = parse_tcp_flags(options.flags);
    if (!flags) return wrong_use(flags.error());
    query += parameter("flags", tcp_flags_text(*flags));
  }
  if (!options.size.empty()) {
    if (const auto size = parse_ip_bytes(options.size, flow->protocol); !size)
      return wrong_use(size.error());
    query += parameter("size", options.size);
  }
  return query;
}

Outcome<std::string> question_of_packet(const ExplainOptions& options) {
  auto text = packet_text(options.packet);
  if (!text) return text;
  if (const auto packet = parse_packet(*text); !packet) return wrong_use(packet.error());
  std::erase_if(*text, [](char letter) {
    return std::string_view(" \t\r\n:").find(letter) != std::string_view::npos;
  });
  return parameter("packet", *text);
}

Outcome<std::string> target_of(const ExplainOptions& options) {
  if (options.flow.empty() == options.packet.empty()) {
    return wrong_use(
        {"name a flow or --from-packet, one of the two: guideway explain tcp "
         "203.0.113.7:40000 198.51.100.1:80"});
  }
  if (!options.packet.empty() && (!options.flags.empty() || !options.size.empty()))
    return wrong_use({"--flags and --size are for a flow; a packet has its own"});
  auto query = options.packet.empty() ? question_of_flow(options) : question_of_packet(options);
  if (!query) return query;
  if (!options.interface.empty()) *query += parameter("interface", options.interface);
  return "/v1/explain?" + query->substr(1);
}

Outcome<> explain(const ExplainOptions& options) {
  const auto target = target_of(options);
  if (!target) return std::unexpected(target.error());
  const auto document =
      ask_for_document(options, {.target = *target}, "explaining what becomes of the packet");
  if (!document) return std::unexpected(document.error());
  return show(options, *document, explain_text);
}

}  // namespace

void add_explain(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("explain", "Tells what would become of a packet, and why");
  const auto options = std::make_shared<ExplainOptions>();
  command
      ->add_option("FLOW", options->flow,
                   "Protocol, client and VIP of a flow: tcp 203.0.113.7:40000 198.51.100.1:80")
      ->expected(1, 3)
      ->type_name("WORD");
  command
      ->add_option("--flags", options->flags,
                   "TCP flags of the packet: names with commas in between, such as syn,ack. "
                   "Default: ack")
      ->type_name("FLAGS")
      ->check(checked_not_empty);
  command
      ->add_option("--size", options->size,
                   "Bytes of the IP packet. Default: the headers alone; what is the most that fits "
                   "is said in any case")
      ->type_name("BYTES")
      ->check(checked_not_empty);
  command
      ->add_option(
          "--from-packet", options->packet,
          "Instead of a flow: an Ethernet frame or an IPv4 packet, in hexadecimal; -: from "
          "standard input")
      ->type_name("HEX")
      ->check(checked_not_empty);
  command
      ->add_option("--interface", options->interface,
                   "That it comes in by. Default: each that takes it is asked")
      ->type_name("NAME")
      ->check(checked_not_empty);
  add_daemon_options(*command, *options);
  command->footer(
      std::string("Examples:\n  guideway explain tcp 203.0.113.7:40000 198.51.100.1:80\n  guideway "
                  "explain udp 203.0.113.7:5353 198.51.100.1:53 --size 1500\n  guideway explain "
                  "--from-packet 45000028...\n\nNothing is sent, remembered or counted by it. A "
                  "packet that would be dropped is no failure: exit code 0.") +
      kExitCodes);
  command->callback([&chosen, options] { chosen = [options] { return explain(*options); }; });
}

}  // namespace guideway::cli
