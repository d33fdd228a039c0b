#include "probe/dns_message.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdlib.h>

#include <algorithm>
#include <array>

#include "core/big_endian.h"
#include "probe/attempt.h"

namespace guideway::probe {
namespace {

// Section 4.1.1.
struct Header {
  Be16 id;
  std::uint8_t flags = 0;       // QR(1) OPCODE(4) AA(1) TC(1) RD(1)
  std::uint8_t more_flags = 0;  // RA(1) Z(3) RCODE(4)
  Be16 questions, answers, authorities, additionals;
};
static_assert(sizeof(Header) == NS_HFIXEDSZ && alignof(Header) == 1);
constexpr std::uint8_t kResponse = 0x80, kOpcode = 0x78, kRecursionDesired = 0x01;
constexpr std::uint8_t kRcode = 0x0f;

// Section 4.1.2: the name, then these.
struct TypeAndClass {
  Be16 type, cls;
};
static_assert(sizeof(TypeAndClass) == NS_QFIXEDSZ);

template <class T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

char lower(char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte; }

// Names are the same in any case (section 2.3.3); types and classes are numbers.
bool same_question(std::string_view a, std::string_view b) {
  if (a.size() != b.size() || a.size() < sizeof(TypeAndClass)) return false;
  const std::size_t name_bytes = a.size() - sizeof(TypeAndClass);
  return a.substr(name_bytes) == b.substr(name_bytes) &&
         std::ranges::equal(a.substr(0, name_bytes), b.substr(0, name_bytes), {}, lower, lower);
}

}  // namespace

Result<std::string> dns_query(const DnsQuestion& question) {
  std::array<unsigned char, NS_MAXCDNAME> name;
  const int name_bytes =
      ::ns_name_compress(question.name.c_str(), name.data(), name.size(), nullptr, nullptr);
  if (name_bytes < 0) {
    return fail(quoted(question.name) + " is not a domain name",
                "labels of 1 to 63 bytes, 255 bytes in all");
  }
  Header header;
  header.id = Be16(static_cast<std::uint16_t>(::arc4random()));
  header.flags = kRecursionDesired;
  header.questions = Be16(1);
  std::string query;
  append(query, header);
  query.append(reinterpret_cast<const char*>(name.data()), static_cast<std::size_t>(name_bytes));
  append(query, TypeAndClass{Be16(question.type), Be16(ns_c_in)});
  return query;
}

std::optional<std::uint16_t> dns_rcode(std::string_view message, std::string_view query) {
  Header got, asked;
  if (message.size() < sizeof got || query.size() < sizeof asked) return std::nullopt;
  std::memcpy(&got, message.data(), sizeof got);
  std::memcpy(&asked, query.data(), sizeof asked);
  if (got.id != asked.id || (got.flags & kResponse) == 0 || (got.flags & kOpcode) != 0)
    return std::nullopt;
  const std::uint16_t rcode = got.more_flags & kRcode;
  if (got.questions.host() == 0 && rcode != ns_r_noerror) return rcode;
  const std::string_view question = query.substr(sizeof asked);
  if (got.questions.host() != 1 ||
      !same_question(message.substr(sizeof got, question.size()), question))
    return std::nullopt;
  return rcode;
}

std::string rcode_name(std::uint16_t rcode) {
  static constexpr std::array<std::string_view, 11> kNames{
      "NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
      "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};
  return rcode < kNames.size() ? std::string(kNames[rcode]) : std::to_string(rcode);
}

std::string type_name(std::uint16_t type) {
  switch (type) {
    case ns_t_a: return "A";
    case ns_t_ns: return "NS";
    case ns_t_cname: return "CNAME";
    case ns_t_soa: return "SOA";
    case ns_t_ptr: return "PTR";
    case ns_t_mx: return "MX";
    case ns_t_txt: return "TXT";
    case ns_t_aaaa: return "AAAA";
    case ns_t_srv: return "SRV";
    default: return "TYPE" + std::to_string(type);
  }
}

}  // namespace guideway::probe
