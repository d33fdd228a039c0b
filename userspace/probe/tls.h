// The client's side of TLS for HTTPS questions: contexts that are shared between them, and what a
// certificate is checked against. Private to this folder.
//
// Threads: any; each has contexts of its own.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <string>

#include "core/result.h"
#include "net/address.h"
#include "probe/probe.h"

namespace guideway::probe {

// One for each (verify, ca_file); a file that has been replaced is read again. No sessions are
// kept: each question is a full handshake. Errors: a ca_file that cannot be read.
[[nodiscard]] Result<std::shared_ptr<boost::asio::ssl::context>> tls_context(
    const HttpQuestion& question);

// Sets the name to send (RFC 6066, section 3: never an address) and the name or address that the
// certificate must have: `server_name`, or `asked` where there is none.
[[nodiscard]] Result<> prepare_tls(SSL* tls, const HttpQuestion& question, Ipv4Address asked);

// "certificate: unable to get local issuer certificate"; empty: it was not the certificate that
// ended the handshake.
[[nodiscard]] std::string certificate_problem(const SSL* tls, const HttpQuestion& question);

}  // namespace guideway::probe
