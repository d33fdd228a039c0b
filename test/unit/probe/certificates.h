// Keys and certificates made for one run of a test, and the server's side of TLS with them.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "unit/probe/probe_fixture.h"

namespace guideway::probe {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;

struct Certificate {
  Key key;
  X509Ptr x509;

  void write(const std::string& path) const {
    const std::unique_ptr<FILE, Freed<fclose>> file(std::fopen(path.c_str(), "w"));
    if (!file || PEM_write_X509(file.get(), x509.get()) != 1)
      throw std::runtime_error("writing " + path);
  }
};

inline void add_extension(X509* x509, int nid, const std::string& value) {
  const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  if (!extension || X509_add_ext(x509, extension.get(), -1) != 1)
    throw std::runtime_error("extension " + value);
}

// An authority if `names` is empty, else a server's, such as "DNS:a.example,IP:127.0.0.1". Signed
// by `issuer`, or by itself.
inline Certificate make_certificate(const std::string& common_name, const std::string& names,
                                    const Certificate* issuer = nullptr,
                                    std::chrono::seconds valid_for = 1h) {
  Certificate made{Key(EVP_EC_gen("P-256")), X509Ptr(X509_new())};
  X509* x509 = made.x509.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(x509), -7200);
  X509_gmtime_adj(X509_getm_notAfter(x509), valid_for.count());
  X509_set_pubkey(x509, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  const Certificate& signer = issuer == nullptr ? made : *issuer;
  X509_set_issuer_name(x509, X509_get_subject_name(signer.x509.get()));
  add_extension(x509, NID_basic_constraints, names.empty() ? "critical,CA:TRUE" : "CA:FALSE");
  if (!names.empty()) add_extension(x509, NID_subject_alt_name, names);
  if (X509_sign(x509, signer.key.get(), EVP_sha256()) == 0) throw std::runtime_error("X509_sign");
  return made;
}

// What a TLS server does with a connection. Its functions are called by one thread at a time.
class TlsServer {
 public:
  explicit TlsServer(const Certificate& certificate) : context_(SSL_CTX_new(TLS_server_method())) {
    if (SSL_CTX_use_certificate(context_.get(), certificate.x509.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context_.get(), certificate.key.get()) != 1)
      throw std::runtime_error("SSL_CTX_use_certificate");
  }

  // Shakes hands, reads the request, says `answer` and waits for the client to go.
  // `goodbye`: says with close_notify that it was all, and closes.
  void serve(const Connection& client, const std::string& answer, bool goodbye = false) {
    // As real servers do; else each answer waits 40 ms for the acknowledgement of session tickets.
    const int on = 1;
    ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::unique_ptr<SSL, Freed<SSL_free>> tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), client.get());
    if (SSL_accept(tls.get()) != 1) return;
    const char* name = SSL_get_servername(tls.get(), TLSEXT_NAMETYPE_host_name);
    server_name = name == nullptr ? "(none)" : name;
    resumed = resumed || SSL_session_reused(tls.get()) == 1;
    char byte = 0;
    request.clear();
    while (!request.ends_with("\r\n\r\n") && SSL_read(tls.get(), &byte, 1) == 1) request += byte;
    SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
    if (goodbye) SSL_shutdown(tls.get());
  }

  // Of the last connection. To be read when the server that calls serve() has gone.
  std::string server_name, request;
  bool resumed = false;

 private:
  std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
};

}  // namespace guideway::probe
