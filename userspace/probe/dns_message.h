// The two DNS messages (RFC 1035, section 4) that a health check knows: its query, and an answer to
// it, of which it wants the response code only. Private to this folder. Pure: bytes in, bytes out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "probe/probe.h"

namespace guideway::probe {

// A query with a new random id, recursion desired. Errors: a name that is not one.
[[nodiscard]] Result<std::string> dns_query(const DnsQuestion& question);

// The response code of `message`, if it answers `query`: same id, same question. A refusal may come
// without the question, as some servers send it. nullopt: it is something else. `message` may be
// any bytes.
[[nodiscard]] std::optional<std::uint16_t> dns_rcode(std::string_view message,
                                                     std::string_view query);

}  // namespace guideway::probe
