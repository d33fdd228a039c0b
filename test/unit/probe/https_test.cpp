#include <sys/stat.h>

#include <fstream>

#include "support/catch.h"
#include "unit/probe/certificates.h"

namespace guideway::probe {
namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

HttpQuestion https() {
  HttpQuestion question;
  question.tls = true;
  return question;
}

// An authority whose file `ca.pem` is in a scratch folder, and a backend with its certificate.
class Authority {
 public:
  explicit Authority(const std::string& names = "DNS:backend.example,IP:127.0.0.1",
                     std::chrono::seconds valid_for = 1h,
                     const std::string& name = "test authority")
      : authority_(make_certificate(name, "")),
        backend(make_certificate("backend", names, &authority_, valid_for)) {
    write_ca_file();
  }
  void write_ca_file() const { authority_.write(ca_file()); }
  [[nodiscard]] std::string ca_file() const { return folder_ / "ca.pem"; }
  [[nodiscard]] HttpQuestion verified(std::string server_name) const {
    HttpQuestion question = https();
    question.verify = true;
    question.ca_file = ca_file();
    question.server_name = std::move(server_name);
    return question;
  }

 private:
  ScratchFolder folder_;
  Certificate authority_;

 public:
  TlsServer backend;
};

Answer ask_https(TlsServer& tls, const HttpQuestion& http) {
  const TcpServer server([&](const Connection& client) {
    tls.serve(client, kOk);
    std::ignore = client.read_to_end();
  });
  return ask_now(question(http, server.port()));
}

}  // namespace

TEST_CASE(
    "an HTTPS backend is asked under TLS, and any certificate will do unless it is verified") {
  TlsServer tls(make_certificate("who knows", "DNS:elsewhere.example"));
  HttpQuestion http = https();
  http.path = "/healthz";
  http.body = "ok";
  http.server_name = "backend.example";
  const Answer answer = ask_https(tls, http);
  CHECK(answer.passed);
  CHECK(answer.why == "status 200, body has \"ok\"");
  CHECK(tls.request.starts_with("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:"));
  CHECK(tls.server_name == "backend.example");
}

TEST_CASE("no server name is sent where there is none, or where it is an address") {
  TlsServer tls(make_certificate("any", "DNS:any.example"));
  HttpQuestion http = https();
  http.server_name = GENERATE("", "192.0.2.1", "2001:db8::1");
  CHECK(ask_https(tls, http).passed);
  CHECK(tls.server_name == "(none)");
}

TEST_CASE("a certificate for the name or the address, signed by the authority, is verified") {
  Authority authority;
  const Answer answer = ask_https(
      authority.backend,
      authority.verified(GENERATE("backend.example", "BACKEND.example", "127.0.0.1", "")));
  CHECK(answer.passed);
  CHECK(answer.why == "status 200");
}

TEST_CASE("a certificate for somebody else is a failure that says so") {
  Authority authority("DNS:backend.example,IP:192.0.2.1");
  CHECK(ask_https(authority.backend, authority.verified("other.example")).why ==
        "certificate: hostname mismatch");
  CHECK(ask_https(authority.backend, authority.verified("192.0.2.2")).why ==
        "certificate: IP address mismatch");
  // Of no name, the address that is asked is checked.
  CHECK(ask_https(authority.backend, authority.verified("")).why ==
        "certificate: IP address mismatch");
}

TEST_CASE("a certificate that nobody known has signed is a failure that says so") {
  const Authority trusted;
  Authority unknown("DNS:backend.example", 1h, "nobody we know");
  const Answer answer = ask_https(unknown.backend, trusted.verified("backend.example"));
  CHECK_FALSE(answer.passed);
  CHECK(answer.why == "certificate: unable to get local issuer certificate");

  HttpQuestion by_system = trusted.verified("backend.example");
  by_system.ca_file.clear();
  CHECK(ask_https(unknown.backend, by_system).why ==
        "certificate: unable to get local issuer certificate");

  TlsServer self_signed(make_certificate("self", "DNS:backend.example"));
  CHECK(ask_https(self_signed, trusted.verified("backend.example")).why ==
        "certificate: self-signed certificate");
}

TEST_CASE("a certificate that has expired is a failure that says so") {
  Authority authority("DNS:backend.example", -1h);
  CHECK(ask_https(authority.backend, authority.verified("backend.example")).why ==
        "certificate: certificate has expired");
}

TEST_CASE("a ca_file that cannot be used is a failure that names it") {
  Authority authority;
  HttpQuestion http = authority.verified("backend.example");
  SECTION("missing") {
    http.ca_file += ".missing";
    const Answer answer = ask_https(authority.backend, http);
    CHECK_FALSE(answer.asked);
    CHECK(answer.why ==
          "not asked: reading ca_file " + http.ca_file + ": No such file or directory");
  }
  SECTION("not PEM") {
    std::ofstream(http.ca_file) << "not a certificate";
    const Answer answer = ask_https(authority.backend, http);
    CHECK_FALSE(answer.passed);
    CHECK_FALSE(answer.asked);
    CHECK(answer.why.starts_with("not asked: reading ca_file " + http.ca_file + ": "));
    // Mended, it is read again.
    authority.write_ca_file();
    CHECK(ask_https(authority.backend, http).passed);
  }
  SECTION("a pipe that nobody writes to, which to open would be to wait for ever") {
    http.ca_file += ".pipe";
    REQUIRE(::mkfifo(http.ca_file.c_str(), 0600) == 0);
    CHECK(ask_https(authority.backend, http).why ==
          "not asked: reading ca_file " + http.ca_file + ": it is not a file");
  }
}

TEST_CASE("a ca_file that has been replaced is read again") {
  const Authority trusted;
  Authority renewed;
  const HttpQuestion http = trusted.verified("backend.example");
  REQUIRE_FALSE(ask_https(renewed.backend, http).passed);
  std::filesystem::rename(renewed.ca_file(), trusted.ca_file());
  CHECK(ask_https(renewed.backend, http).passed);
}

TEST_CASE("each HTTPS question is a full handshake") {
  Authority authority;
  const HttpQuestion http = authority.verified("backend.example");
  for (int i = 0; i < 3; ++i) REQUIRE(ask_https(authority.backend, http).passed);
  CHECK_FALSE(authority.backend.resumed);
}

TEST_CASE("a backend that does not speak TLS is a failure") {
  const TcpServer server([](const Connection& client) {
    client.say("HTTP/1.1 400 Bad Request\r\n\r\n");
    std::ignore = client.read_to_end();
  });
  const Answer answer = ask_now(question(https(), server.port()));
  CHECK_FALSE(answer.passed);
  CHECK(answer.why == "wrong version number, during the TLS handshake");
}

TEST_CASE("a backend that closes during the TLS handshake is a failure") {
  const TcpServer server([](const Connection& client) {
    char hello = 0;
    ::recv(client.get(), &hello, 1, 0);
    ::shutdown(client.get(), SHUT_WR);
    std::ignore = client.read_to_end();
  });
  const Answer answer = ask_now(question(https(), server.port()));
  CHECK_FALSE(answer.passed);
  CHECK(answer.why == "connection closed, during the TLS handshake");
}

TEST_CASE("the one deadline covers the TLS handshake and what follows it") {
  SECTION("silence instead of a handshake") {
    const TcpServer server([](const Connection& client) { std::ignore = client.read_to_end(); });
    CHECK(ask_now(question(https(), server.port(), kShort)).why ==
          "no answer within 100 ms, during the TLS handshake");
  }
  SECTION("silence behind it") {
    TlsServer tls(make_certificate("any", "DNS:any.example"));
    const TcpServer server([&](const Connection& client) {
      tls.serve(client, "HTTP/1.1 200 OK\r\n");
      std::ignore = client.read_to_end();
    });
    CHECK(ask_now(question(https(), server.port(), 1s)).why ==
          "no answer within 1000 ms, while waiting for the answer");
  }
}

TEST_CASE("a body under TLS may end with the connection, with a goodbye or without") {
  const bool goodbye = GENERATE(true, false);
  TlsServer tls(make_certificate("any", "DNS:any.example"));
  const TcpServer server([&](const Connection& client) {
    tls.serve(client, "HTTP/1.0 200 OK\r\n\r\nall is well", goodbye);
    ::shutdown(client.get(), SHUT_WR);
    std::ignore = client.read_to_end();
  });
  HttpQuestion http = https();
  http.body = "bad";
  CHECK(ask_now(question(http, server.port())).why == "body has no \"bad\"");
  http.body = "well";
  CHECK(ask_now(question(http, server.port())).passed);
}

TEST_CASE("many HTTPS questions leave no descriptor behind") {
  Authority authority;
  const HttpQuestion http = authority.verified("backend.example");
  TcpServer server([&](const Connection& client) {
    authority.backend.serve(client, kOk);
    std::ignore = client.read_to_end();
  });
  const Question asked = question(http, server.port());
  REQUIRE(ask_now(asked).passed);
  REQUIRE(within_patience([&] { return server.served() == 1; }));
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 50; ++i) REQUIRE(ask_now(asked).passed);
  CHECK(within_patience([&] { return server.served() == 51; }));
  CHECK(open_descriptors() == before);
}

}  // namespace guideway::probe
