#include "probe/tls.h"

#include <openssl/err.h>
#include <openssl/tls1.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cerrno>
#include <map>
#include <utility>

#include "probe/attempt.h"

namespace guideway::probe {
namespace {

using Context = asio::ssl::context;

// More certificate files than a configuration is likely to name; what reloads leave behind goes.
constexpr std::size_t kMaxContexts = 64;

// Which file it was, so that a replaced one is noticed.
struct FileVersion {
  dev_t device = 0;
  ino_t inode = 0;
  off_t bytes = 0;
  std::int64_t modified_s = 0, modified_ns = 0;
  friend bool operator==(const FileVersion&, const FileVersion&) = default;
};

// Errors too: a file that is wrong is read once, not for each question.
struct Cached {
  FileVersion version;
  Result<std::shared_ptr<Context>> context;
};

Result<FileVersion> version_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return fail_errno("reading ca_file " + path, errno);
  // Opening another kind of file might wait for somebody for ever.
  if (!S_ISREG(status.st_mode)) return fail("reading ca_file " + path + ": it is not a file");
  return FileVersion{status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec};
}

Result<std::shared_ptr<Context>> make_context(bool verify, const std::string& ca_file) {
  auto context = std::make_shared<Context>(Context::tls_client);
  SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  // A server chooses the prime of a Diffie-Hellman exchange in a finite field, and so how long this
  // thread computes; and it may ask for handshakes without end.
  SSL_CTX_set_cipher_list(context->native_handle(), "DEFAULT:!kDHE");
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION);
  error_code error;
  context->set_verify_mode(verify ? asio::ssl::verify_peer : asio::ssl::verify_none, error);
  if (!error && verify && ca_file.empty()) context->set_default_verify_paths(error);
  if (!error && verify && !ca_file.empty()) context->load_verify_file(ca_file, error);
  if (error) {
    const std::string what = ca_file.empty() ? "the system's certificates" : "ca_file " + ca_file;
    return fail("reading " + what + ": " + words(error), "a PEM file of certificates is needed");
  }
  return context;
}

}  // namespace

Result<std::shared_ptr<Context>> tls_context(const HttpQuestion& question) {
  thread_local std::map<std::pair<bool, std::string>, Cached> contexts;
  const std::string ca_file = question.verify ? question.ca_file : std::string();
  FileVersion version;
  if (!ca_file.empty()) {
    auto found = version_of(ca_file);
    if (!found) return std::unexpected(std::move(found.error()));
    version = *found;
  }
  const std::pair key(question.verify, ca_file);
  const auto cached = contexts.find(key);
  if (cached != contexts.end() && cached->second.version == version) return cached->second.context;
  auto context = make_context(question.verify, ca_file);
  if (contexts.size() >= kMaxContexts) contexts.clear();
  contexts.insert_or_assign(key, Cached{version, context});
  return context;
}

Result<> prepare_tls(SSL* tls, const HttpQuestion& question, Ipv4Address asked) {
  const std::string& name = question.server_name;
  X509_VERIFY_PARAM* expected = SSL_get0_param(tls);
  const std::string address = name.empty() ? asked.text() : name;
  // Fails for what is no address, and changes nothing then.
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, address.c_str()) == 1) return {};
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // What SSL_set_tlsext_host_name() is a macro for. OpenSSL copies the name.
  const long sent = SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                             const_cast<char*>(name.c_str()));
  if (sent != 1 || SSL_set1_host(tls, name.c_str()) != 1) {
    ERR_clear_error();
    return fail("server_name " + quoted(name) + " cannot be sent",
                "a host name of at most 255 bytes, or an address");
  }
  return {};
}

std::string certificate_problem(const SSL* tls, const HttpQuestion& question) {
  if (!question.verify) return {};
  const long result = SSL_get_verify_result(tls);
  if (result == X509_V_OK) return {};
  return std::string("certificate: ") + X509_verify_cert_error_string(result);
}

}  // namespace guideway::probe
