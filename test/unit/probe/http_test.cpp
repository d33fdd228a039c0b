#include "support/catch.h"
#include "unit/probe/probe_fixture.h"

namespace guideway::probe {
namespace {

// Reads the request, says this, and closes when the client has.
TcpServer::Script saying(std::string answer) {
  return [answer = std::move(answer)](const Connection& client) {
    std::ignore = client.read_request();
    client.say(answer);
    std::ignore = client.read_to_end();
  };
}
// ... and closes at once, so that what it says ends there.
TcpServer::Script saying_and_closing(std::string answer) {
  return [answer = std::move(answer)](const Connection& client) {
    std::ignore = client.read_request();
    client.say(answer);
  };
}

std::string with_length(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

HttpQuestion for_body(std::string body) {
  HttpQuestion http;
  http.body = std::move(body);
  return http;
}

Answer ask_http(const TcpServer::Script& script, const HttpQuestion& http = {},
                std::chrono::milliseconds timeout = kLong) {
  const TcpServer server(script);
  return ask_now(question(http, server.port(), timeout));
}

}  // namespace

TEST_CASE("an HTTP request names method, path and host, and wants the connection closed") {
  std::string request;
  HttpQuestion http;
  http.path = "/healthz?full";
  SECTION("the host of the question") {
    http.host = "www.example.com";
    http.method = "OPTIONS";
    std::ignore =
        ask_http([&](const Connection& client) { request = client.read_request(); }, http);
    CHECK(request ==
          "OPTIONS /healthz?full HTTP/1.1\r\nHost: www.example.com\r\n"
          "User-Agent: guideway-health-check\r\nAccept: */*\r\nConnection: close\r\n\r\n");
  }
  SECTION("the address that is asked, and a port that is not the usual one") {
    std::uint16_t port = 0;
    {
      const TcpServer server([&](const Connection& client) { request = client.read_request(); });
      port = server.port();
      std::ignore = ask_now(question(http, port));
    }
    CHECK(request.find("\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n") !=
          std::string::npos);
  }
}

TEST_CASE("an expected status passes, and the client ends with a reset") {
  std::string end;
  Answer answer;
  {
    TcpServer server([&](const Connection& client) {
      std::ignore = client.read_request();
      client.say("HTTP/1.1 204 No Content\r\n\r\n");
      end = client.read_to_end();
    });
    answer = ask_now(question(HttpQuestion{}, server.port()));
    CHECK(within_patience([&] { return server.served() == 1; }));
  }
  CHECK(answer.passed);
  CHECK(answer.why == "status 204");
  CHECK(end == "reset");
}

TEST_CASE("another status fails with what was expected") {
  HttpQuestion http;
  SECTION("the usual") {
    const Answer answer = ask_http(saying("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"));
    CHECK_FALSE(answer.passed);
    CHECK(answer.why == "status 503, not 200-299");
  }
  SECTION("several") {
    http.expected = {{200, 204}, {401, 401}};
    CHECK(ask_http(saying("HTTP/1.1 401 No\r\n\r\n"), http).passed);
    CHECK(ask_http(saying("HTTP/1.1 205 No\r\n\r\n"), http).why == "status 205, not 200-204, 401");
  }
}

TEST_CASE("interim answers are not the answer") {
  const Answer answer =
      ask_http(saying("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                      "HTTP/1.1 200 OK\r\n\r\n"));
  CHECK(answer.why == "status 200");
}

TEST_CASE("without a body to look for, the header alone decides") {
  SECTION("of a gigabyte") {
    const Answer answer = ask_http([](const Connection& client) {
      std::ignore = client.read_request();
      client.say("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
      const std::string piece(1 << 20, 'x');
      for (int i = 0; i < 1024 && client.say(piece); ++i) {
      }
    });
    CHECK(answer.why == "status 200");
  }
  SECTION("of a body that does not come") {
    CHECK(ask_http(saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")).why == "status 200");
  }
  SECTION("of an answer to HEAD") {
    HttpQuestion http;
    http.method = "HEAD";
    CHECK(ask_http(saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), http).passed);
  }
}

TEST_CASE("a body is found however it is framed") {
  const auto framed =
      GENERATE(std::string("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nall is ok now"),
               std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "8\r\nall is o\r\n5\r\nk now\r\n0\r\n\r\n"),
               std::string("HTTP/1.0 200 OK\r\n\r\nall is ok now"));
  const Answer answer = ask_http(saying_and_closing(framed), for_body("is ok"));
  CHECK(answer.passed);
  CHECK(answer.why == "status 200, body has \"is ok\"");
  const Answer missing = ask_http(saying_and_closing(framed), for_body("is well"));
  CHECK_FALSE(missing.passed);
  CHECK(missing.why == "body has no \"is well\"");
}

TEST_CASE("a body is found across the pieces that it is read in") {
  std::string body(4096 - 2, 'x');
  body += "needle";
  body.append(5000, 'y');
  CHECK(ask_http(saying(with_length(body)), for_body("needle")).passed);
}

TEST_CASE("a body counts by its first 64 KiB") {
  SECTION("at their end") {
    const std::string body = std::string(kMaxBodyBytes - 2, 'x') + "ok" + std::string(99, 'y');
    CHECK(ask_http(saying(with_length(body)), for_body("ok")).passed);
  }
  SECTION("behind them") {
    const std::string body = std::string(kMaxBodyBytes - 1, 'x') + "ok" + std::string(99, 'y');
    const Answer answer = ask_http(saying(with_length(body)), for_body("ok"));
    CHECK_FALSE(answer.passed);
    CHECK(answer.why == "body has no \"ok\" in its first 64 KiB");
  }
  SECTION("of one without end") {
    const Answer answer = ask_http(
        [](const Connection& client) {
          std::ignore = client.read_request();
          client.say("HTTP/1.1 200 OK\r\n\r\n");
          while (client.say(std::string(4096, 'x'))) {
          }
        },
        for_body("ok"));
    CHECK(answer.why == "body has no \"ok\" in its first 64 KiB");
  }
}

TEST_CASE("a body that has been found need not end") {
  CHECK(ask_http(saying("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nok"), for_body("ok")).passed);
}

TEST_CASE("a status that is not expected fails whatever the body") {
  const Answer answer =
      ask_http(saying("HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nok"), for_body("ok"));
  CHECK(answer.why == "status 500, not 200-299");
}

TEST_CASE("a backend that never answers fails at the deadline and says where it was") {
  SECTION("no byte") {
    CHECK(ask_http(saying(""), {}, kShort).why ==
          "no answer within 100 ms, while waiting for the answer");
  }
  SECTION("half a header") {
    CHECK(ask_http(saying("HTTP/1.1 200 OK\r\nServ"), {}, kShort).why ==
          "no answer within 100 ms, while waiting for the answer");
  }
  SECTION("half a body") {
    CHECK(
        ask_http(saying("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal"), for_body("ok"), kShort)
            .why == "no answer within 100 ms, while reading the body");
  }
  SECTION("a byte now and then") {
    const Answer answer = ask_http(
        [](const Connection& client) {
          std::ignore = client.read_request();
          client.say("HTTP/1.1 200 OK\r\nX: ");
          while (client.pause(20ms) && client.say("x")) {
          }
        },
        {}, kShort);
    CHECK(answer.why == "no answer within 100 ms, while waiting for the answer");
  }
  SECTION("interim answers for ever") {
    const Answer answer = ask_http(
        [](const Connection& client) {
          std::ignore = client.read_request();
          while (client.say("HTTP/1.1 102 Processing\r\n\r\n")) {
          }
        },
        {}, kShort);
    CHECK(answer.why == "too many interim answers, status 102");
  }
}

TEST_CASE("a header has 8 KiB at most") {
  SECTION("in one line without end") {
    const Answer answer = ask_http([](const Connection& client) {
      std::ignore = client.read_request();
      client.say("HTTP/1.1 200 OK\r\nX: ");
      while (client.say(std::string(1024, 'x'))) {
      }
    });
    CHECK(answer.why == "the answer's header is over 8 KiB");
  }
  SECTION("in lines without end") {
    const Answer answer = ask_http([](const Connection& client) {
      std::ignore = client.read_request();
      client.say("HTTP/1.1 200 OK\r\n");
      while (client.say("Name: value\r\n")) {
      }
    });
    CHECK(answer.why == "the answer's header is over 8 KiB");
  }
  SECTION("and may have nearly as much") {
    CHECK(ask_http(saying("HTTP/1.1 200 OK\r\nX: " + std::string(8000, 'x') + "\r\n\r\n")).passed);
  }
}

TEST_CASE("a backend that breaks off is a failure that says how") {
  SECTION("without a word") {
    CHECK(ask_http(saying_and_closing("")).why == "connection closed without an answer");
  }
  SECTION("in the header") {
    CHECK(ask_http(saying_and_closing("HTTP/1.1 200 OK\r\nSer")).why ==
          "connection closed in the middle of the answer");
  }
  SECTION("in the body") {
    CHECK(ask_http(saying_and_closing("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal"),
                   for_body("ok"))
              .why == "connection closed in the middle of the answer");
  }
  SECTION("with a reset") {
    const Answer answer = ask_http([](const Connection& client) {
      std::ignore = client.read_request();
      client.reset();
    });
    CHECK(answer.why == "connection reset by peer, while waiting for the answer");
  }
}

TEST_CASE("what is not HTTP is a failure that says so") {
  const Answer answer = ask_http(saying("SSH-2.0-OpenSSH_9.2\x1b[2J\r\n\r\n"));
  CHECK_FALSE(answer.passed);
  CHECK(answer.why.starts_with("the answer is not HTTP: "));
  CHECK(answer.why.find('\x1b') == std::string::npos);
}

TEST_CASE("any bytes for an answer are judged in time") {
  std::uint32_t state = 20'161'003;  // a fixed seed
  const auto next = [&] { return static_cast<char>((state = state * 1664525 + 1013904223) >> 24); };
  const std::string start =
      GENERATE(std::string(), std::string("HTTP/1.1 200 OK\r\n"),
               std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
  for (int round = 0; round < 50; ++round) {
    std::string noise = start;
    for (int i = 0; i < 300; ++i) noise += next();
    const Answer answer = ask_http(saying_and_closing(noise), for_body("a needle in the noise"));
    CHECK_FALSE(answer.passed);
    CHECK(answer.why.size() < 200);
  }
}

TEST_CASE("many HTTP questions leave no descriptor behind") {
  const TcpServer server(saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  const Question asked = question(for_body("ok"), server.port());
  REQUIRE(ask_now(asked).passed);
  REQUIRE(within_patience([&] { return server.served() == 1; }));
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 300; ++i) REQUIRE(ask_now(asked).passed);
  CHECK(within_patience([&] { return server.served() == 301; }));
  CHECK(open_descriptors() == before);
}

}  // namespace guideway::probe
