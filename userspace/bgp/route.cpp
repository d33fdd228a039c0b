#include "bgp/route.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace guideway::bgp {
namespace {

// Beside kCommunityNames.
constexpr std::uint32_t kNamedCommunities[] = {0xffffff01, 0xffffff02, 0xffffff03,
                                               0xffffff04, 0xffff0000, 0xffff029a};
static_assert(std::size(kNamedCommunities) == std::size(kCommunityNames));

constexpr std::uint8_t kIpv4Bits = 32, kIpv6Bits = 128;

std::uint8_t family_bits(const IpAddress& address) {
  return address.is_v4() ? kIpv4Bits : kIpv6Bits;
}

// Decimal digits alone, no sign, no leading zero, as the RFCs print them.
template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value = 0;
  const char* const end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (error != std::errc{} || next != end || leading_zero) return std::nullopt;
  return value;
}

// The numbers between the colons of `text`; nullopt unless there are Count.
template <class Number, std::size_t Count>
std::optional<std::array<Number, Count>> numbers_of(std::string_view text) {
  std::array<Number, Count> numbers{};
  for (std::size_t i = 0; i < Count; ++i) {
    const bool last = i + 1 == Count;
    const std::size_t colon = last ? text.size() : text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto number = number_of<Number>(text.substr(0, colon));
    if (!number) return std::nullopt;
    numbers[i] = *number;
    if (!last) text.remove_prefix(colon + 1);
  }
  return numbers;
}

std::optional<IpAddress> address_of(std::string_view text) {
  // Boost reads up to a zero byte, and takes an interface's name behind '%'.
  if (text.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos)
    return std::nullopt;
  boost::system::error_code error;
  const IpAddress address = boost::asio::ip::make_address(std::string(text), error);
  return error ? std::nullopt : std::optional(address);
}

// `bytes` with all bits behind the first `bits` zero.
template <class Bytes>
Bytes masked(Bytes bytes, std::size_t bits) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t kept = std::clamp<std::size_t>(bits, i * 8, i * 8 + 8) - i * 8;
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00U >> kept));
  }
  return bytes;
}

IpAddress network_of(const IpAddress& address, std::size_t bits) {
  if (address.is_v4()) return boost::asio::ip::address_v4(masked(address.to_v4().to_bytes(), bits));
  return boost::asio::ip::address_v6(masked(address.to_v6().to_bytes(), bits));
}

}  // namespace

Prefix Prefix::of(const IpAddress& address) { return {address, family_bits(address)}; }

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = address_of(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return of(*address);
  const auto bits = number_of<std::uint8_t>(text.substr(slash + 1));
  if (!bits || *bits > family_bits(*address) || network_of(*address, *bits) != *address)
    return std::nullopt;
  return Prefix{*address, *bits};
}

std::string Prefix::text() const { return address.to_string() + "/" + std::to_string(bits); }

bool Prefix::contains(const IpAddress& one) const {
  return one.is_v4() == address.is_v4() && network_of(one, bits) == address;
}

std::strong_ordering operator<=>(const Prefix& a, const Prefix& b) {
  if (a.address < b.address) return std::strong_ordering::less;
  if (b.address < a.address) return std::strong_ordering::greater;
  return a.bits <=> b.bits;
}

std::optional<Community> Community::parse(std::string_view text) {
  const auto* const named = std::ranges::find(kCommunityNames, text);
  if (named != std::end(kCommunityNames))
    return Community{kNamedCommunities[named - std::begin(kCommunityNames)]};
  const auto halves = numbers_of<std::uint16_t, 2>(text);
  if (!halves) return std::nullopt;
  return Community{std::uint32_t{(*halves)[0]} << 16 | (*halves)[1]};
}

std::string Community::text() const {
  const auto* const named = std::ranges::find(kNamedCommunities, value);
  if (named != std::end(kNamedCommunities))
    return std::string(kCommunityNames[named - std::begin(kNamedCommunities)]);
  return std::to_string(value >> 16) + ":" + std::to_string(value & 0xffff);
}

std::optional<LargeCommunity> LargeCommunity::parse(std::string_view text) {
  const auto parts = numbers_of<std::uint32_t, 3>(text);
  if (!parts) return std::nullopt;
  return LargeCommunity{(*parts)[0], (*parts)[1], (*parts)[2]};
}

std::string LargeCommunity::text() const {
  return std::to_string(global) + ":" + std::to_string(local_1) + ":" + std::to_string(local_2);
}

std::string Attributes::text() const {
  std::string result;
  const auto add = [&](const std::string& part) { result += (result.empty() ? "" : ", ") + part; };
  if (med) add("med " + std::to_string(*med));
  if (local_preference) add("local preference " + std::to_string(*local_preference));
  if (prepend > 0) add("prepend " + std::to_string(prepend));
  if (next_hop) add("next hop " + next_hop->to_string());
  std::string all;
  for (const Community& one : communities) all += " " + one.text();
  for (const LargeCommunity& one : large_communities) all += " " + one.text();
  if (!all.empty()) add("communities" + all);
  return result;
}

}  // namespace guideway::bgp
