#include "control/bgp_values.h"

#include <sys/un.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "bgp/endpoint.h"
#include "control/first_lines.h"
#include "control/words.h"

namespace guideway::control {
namespace {

using bgp::IpAddress;
using bgp::Prefix;

constexpr std::string_view kUnix = "unix:";
constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kMaxCommunities = 64;
// The shortest that registries have given to one organization.
constexpr unsigned kShortest = 8;

// An address alone; what an interface's name or a length is behind is none.
std::optional<IpAddress> address_of(std::string_view text) {
  if (text.find('/') != std::string_view::npos) return std::nullopt;
  const auto prefix = Prefix::parse(text);
  return prefix ? std::optional(prefix->address) : std::nullopt;
}

// Why a session cannot be with `address`, to stand behind the rule; empty if it can.
std::string why_no_peer(const IpAddress& address) {
  if (address.is_loopback()) return "; that is a loopback address";
  if (address.is_multicast()) return "; that is a multicast address";
  if (address.is_unspecified()) return "; that is no address of a host";
  if (address.is_v4()) {
    const Ipv4Address ipv4(Be32(address.to_v4().to_uint()));
    return ipv4.is_unicast() ? "" : "; that is no address of a host";
  }
  const auto ipv6 = address.to_v6();
  if (ipv6.is_link_local())
    return "; that is of one link only, and which one is not said: give the session global or "
           "unique local addresses";
  if (ipv6.is_v4_mapped())
    return "; write " +
           boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, ipv6).to_string();
  return {};
}

// "1.10", as RFC 5396 has it, as one number.
std::optional<std::uint64_t> asdot(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto high = decimal(text.substr(0, dot)), low = decimal(text.substr(dot + 1));
  if (!high || !low || *high > 65535 || *low > 65535) return std::nullopt;
  return *high << 16 | *low;
}

// The number behind "AS64512", as many write it.
std::optional<std::uint64_t> behind_as(std::string_view text) {
  return text.starts_with("AS") || text.starts_with("as") ? decimal(text.substr(2)) : std::nullopt;
}

// Why no AS has this number; empty if one can.
std::string_view why_no_asn(std::uint64_t number) {
  if (number == 0) return "; 0 is nobody's (RFC 7607)";
  if (number == 23456) return "; 23456 stands for numbers above 65535 (AS_TRANS, RFC 6793)";
  if (number == 65535 || number == std::numeric_limits<std::uint32_t>::max())
    return "; the last ones are nobody's (RFC 7300)";
  return {};
}

// With one slash at its beginning: gRPC takes what is behind two for the name of a host.
bool is_socket_path(std::string_view path) {
  return path.starts_with('/') && !path.starts_with("//") && !path.ends_with('/') &&
         path.size() <= kMaxSocketPath && std::ranges::none_of(path, [](char c) {
           return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
         });
}

struct HostPort {
  std::string_view host, port;
  std::optional<IpAddress> address;
};

HostPort host_port_of(std::string_view text) {
  const std::size_t colon = std::min(text.rfind(':'), text.size());
  HostPort found{text.substr(0, colon), text.substr(std::min(colon + 1, text.size())), {}};
  const bool brackets = found.host.starts_with('[') && found.host.ends_with(']');
  if (brackets) found.host = found.host.substr(1, found.host.size() - 2);
  found.address = address_of(found.host);
  return found;
}

// What is probably wrong with a `text` that is no place of an API, to stand behind the rule.
std::string why_no_api(std::string_view text) {
  if (text.starts_with(kUnix)) {
    // As gobgp and gobgpd have it.
    const std::size_t slashes = std::min(text.find_first_not_of('/', kUnix.size()), text.size());
    const std::string path = "/" + std::string(text.substr(slashes));
    if (slashes > kUnix.size() + 1 && is_socket_path(path))
      return "; did you mean " + quoted(std::string(kUnix) + path) + "?";
    return "; a path is absolute and shorter than 108 bytes";
  }
  if (is_socket_path(text)) return "; did you mean " + quoted("unix:" + std::string(text)) + "?";
  if (const auto whole = address_of(text))
    return whole->is_v6() ? "; an IPv6 address is written in brackets, with a port behind them"
                          : "; a port is missing";
  const HostPort found = host_port_of(text);
  if (found.address && found.address->is_v6() && !text.starts_with('['))
    return "; an IPv6 address is written in brackets, with a port behind them";
  if (found.address) return "; a port is a whole number from 1 to 65535";
  if (decimal(found.port)) return "; write the address of the host, not its name";
  return {};
}

// What is probably wrong with a `text` that is no community, to stand behind the rule.
std::string why_no_community(std::string_view text) {
  if (const auto near = nearest(text, bgp::kCommunityNames))
    return "; did you mean " + quoted(*near) + "?";
  const auto colons = std::ranges::count(text, ':');
  if (colons == 1) return "; both parts of a standard community are from 0 to 65535";
  if (colons == 2) return "; the three parts of a large community are from 0 to 4294967295";
  return {};
}

void read_community(const Cursor& at, FirstLines<std::string>& lines, bgp::Attributes& attributes) {
  static constexpr std::string_view kRule = "a community such as 64512:100, 64512:1:2 or no-export";
  const auto text = at.text(kRule);
  if (!text) return;
  const auto standard = bgp::Community::parse(*text);
  const auto large = bgp::LargeCommunity::parse(*text);
  if (!standard && !large) return at.mismatch(kRule, why_no_community(*text));
  // 65535:65281 and no-export are one.
  const std::string name = standard ? standard->text() : large->text();
  if (const auto line = lines.earlier(name, at.place()))
    return at.error("community " + name + " is already " + at_line(*line) + "; it is listed once");
  if (standard) attributes.communities.push_back(*standard);
  if (large) attributes.large_communities.push_back(*large);
}

}  // namespace

IpAddress to_ip_address(Ipv4Address address) { return boost::asio::ip::address_v4(address.host()); }

std::optional<IpAddress> read_peer_address(const Cursor& at) {
  const auto text = at.text(kPeerAddressRule);
  if (!text) return std::nullopt;
  const auto address = address_of(*text);
  std::string why;
  if (address)
    why = why_no_peer(*address);
  else if (text->find('/') != std::string::npos)
    why = "; it is one address, without a prefix length";
  else if (text->find('%') != std::string::npos)
    why = "; addresses of one link only are not supported";
  if (address && why.empty()) return address;
  at.mismatch(kPeerAddressRule, why);
  return std::nullopt;
}

std::optional<std::uint32_t> read_asn(const Cursor& at) {
  const auto text = at.text(kAsnRule);
  if (!text) return std::nullopt;
  const auto number = decimal(*text);
  std::string why;
  if (number)
    why = why_no_asn(*number);
  else if (const auto plain = asdot(*text).or_else([&] { return behind_as(*text); });
           plain && why_no_asn(*plain).empty())
    why = "; write it as a number, " + std::to_string(*plain);
  if (number && why.empty() && *number <= std::numeric_limits<std::uint32_t>::max())
    return static_cast<std::uint32_t>(*number);
  at.mismatch(kAsnRule, why);
  return std::nullopt;
}

std::optional<std::string> read_speaker_api(const Cursor& at) {
  static constexpr std::string_view kRule =
      "unix:PATH or ADDRESS:PORT such as unix:/run/guideway-bgp/api.sock or 127.0.0.1:50051";
  auto text = at.text(kRule);
  if (!text) return std::nullopt;
  const std::string_view all = *text;
  if (all.starts_with(kUnix) && is_socket_path(all.substr(kUnix.size()))) return text;
  const auto endpoint = bgp::parse_endpoint(*text);
  const auto address = host_port_of(all).address;
  const bool good = endpoint && endpoint->path.empty() && address;
  const bool here = address && address->is_loopback();
  const std::string why = good && !here ? why_no_peer(*address) : "";
  if (!good || !why.empty()) {
    at.mismatch(kRule, good ? why : why_no_api(all));
    return std::nullopt;
  }
  if (!here)
    at.problems().warn(at.place(),
                       "the API of gobgpd has no password and no encryption: whoever reaches " +
                           *text + " can announce any prefix; use a Unix socket");
  return text;
}

std::optional<Prefix> read_bgp_prefix(const Cursor& at) {
  static constexpr std::string_view kRule =
      "a prefix such as 198.51.100.0/24, with no bit set behind its length";
  const auto text = at.text(kRule);
  if (!text) return std::nullopt;
  const auto prefix = Prefix::parse(*text);
  if (!prefix) {
    at.mismatch(kRule);
    return std::nullopt;
  }
  if (prefix->address.is_v6()) {
    at.error("must be a prefix of IPv4, as VIPs are, not " + quoted(*text));
    return std::nullopt;
  }
  if (prefix->bits >= kShortest) return prefix;
  at.error("must be a prefix of " + std::to_string(kShortest) + " bits or more, not " +
           quoted(*text) +
           "; a shorter one would draw the traffic of others to this load balancer");
  return std::nullopt;
}

void read_communities(const Cursor& at, bgp::Attributes& attributes) {
  static constexpr std::string_view kRule =
      "a list of communities such as [\"64512:100\", no-export]";
  const auto items = at.list(kRule);
  if (!items) return;
  if (items->size() > kMaxCommunities)
    return at.error("a route has at most " + std::to_string(kMaxCommunities) +
                    " communities, not " + std::to_string(items->size()));
  FirstLines<std::string> lines;
  for (const Cursor& item : *items) read_community(item, lines, attributes);
  std::ranges::sort(attributes.communities);
  std::ranges::sort(attributes.large_communities);
}

}  // namespace guideway::control
