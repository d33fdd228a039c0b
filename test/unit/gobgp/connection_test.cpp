// What becomes of a call when GoBGP does not answer, or is not there.
#include "gobgp/connection.h"

#include <sys/stat.h>

#include <future>

#include "unit/gobgp/gobgpd.h"

namespace guideway::gobgp {
namespace {

// Root may do everything: for a while, somebody else.
class Nobody {
 public:
  Nobody() {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) throw std::runtime_error("seteuid");
  }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;
  ~Nobody() {
    if (::getuid() == 0 && ::seteuid(0) != 0) std::abort();
  }
};

Error error_of(Result<bgp::Report> result) {
  REQUIRE_FALSE(result);
  return std::move(result).error();
}

}  // namespace

TEST_CASE("where nobody answers the error says so and what to look at") {
  Gobgpd gobgpd;
  const bgp::Wanted wanted = wanted_of(gobgpd);
  gobgpd.kill();
  const auto speaker = make_speaker();
  std::string why = "Connection refused";
  SECTION("a socket that a dead gobgpd has left") {}
  SECTION("no socket") {
    ::unlink(gobgpd.path().c_str());
    why = "No such file or directory";
  }
  const Error error = error_of(speaker->reconcile(wanted));
  CHECK(error.number == ECONNREFUSED);
  CHECK(error.text() == "GoBGP at " + gobgpd.api() + ": nobody answers: " + why +
                            " (is gobgpd running? systemctl status guideway-gobgp)");
}

TEST_CASE("a TCP port where nobody listens is an error as a socket is") {
  bgp::Wanted wanted;
  wanted.config.api = "127.0.0.1:1";
  const Error error = error_of(make_speaker()->reconcile(wanted));
  CHECK(error.number == ECONNREFUSED);
  CHECK(error.what == "GoBGP at 127.0.0.1:1: nobody answers: Connection refused");
}

TEST_CASE("a socket that may not be used is an error that says who has to let whom") {
  const Gobgpd gobgpd;
  ::chmod(gobgpd.path().c_str(), 0);
  const auto speaker = make_speaker();
  const Nobody nobody;
  const Error error = error_of(speaker->reconcile(wanted_of(gobgpd)));
  CHECK(error.number == EACCES);
  CHECK(error.text() ==
        "GoBGP at " + gobgpd.api() +
            ": Permission denied (the user of guidewayd needs write access to the socket and may "
            "pass its folder)");
}

TEST_CASE("a place of the API that is none is an error before anything is asked") {
  bgp::Wanted wanted;
  wanted.config.api = "somewhere";
  CHECK(error_of(make_speaker()->reconcile(wanted)).text() ==
        "the API of GoBGP: 'somewhere' is no place of an API (unix:/run/guideway-bgp/api.sock, or "
        "127.0.0.1:50051)");
}

TEST_CASE("another place of the API is gone to at once") {
  const Gobgpd first, second;
  bgp::Wanted wanted = wanted_of(first);
  const auto speaker = make_speaker();
  CHECK(reconcile(*speaker, wanted).started);
  wanted.config.api = second.api();
  CHECK(reconcile(*speaker, wanted).started);
  CHECK(Meddler(second).local_paths().size() == 2);
}

TEST_CASE("a gobgpd that hangs is an error in time and is no trouble when it goes on") {
  const Gobgpd gobgpd;
  const bgp::Wanted wanted = wanted_of(gobgpd);
  const auto speaker = make_speaker();
  SECTION("from the start") {}
  SECTION("in the middle of it") { (void)reconcile(*speaker, wanted); }
  gobgpd.hang();
  const Error error = error_of(speaker->reconcile(wanted));
  CHECK(error.number == ETIMEDOUT);
  CHECK(error.text() ==
        "GoBGP at " + gobgpd.api() +
            ": no answer to GetBgp within 5 s (gobgpd hangs, or has too much to do: "
            "systemctl status guideway-gobgp)");
  gobgpd.go_on();
  (void)reconcile(*speaker, wanted);
  check_in_step(*speaker, wanted);
}

TEST_CASE("a call that goes on is ended by another thread and the next one is unharmed") {
  const Gobgpd gobgpd;
  const bgp::Wanted wanted = wanted_of(gobgpd);
  const auto speaker = make_speaker();
  (void)reconcile(*speaker, wanted);
  gobgpd.hang();
  auto call = std::async(std::launch::async, [&] { return speaker->reconcile(wanted); });
  // Which may be before the call has begun: that ends nothing.
  wait_until("the call is given up", [&] {
    speaker->cancel();
    return call.wait_for(0s) == std::future_status::ready;
  });
  const Error error = error_of(call.get());
  CHECK(error.number == ECANCELED);
  CHECK(error.what == "GoBGP at " + gobgpd.api() + ": GetBgp: given up");
  gobgpd.go_on();
  (void)reconcile(*speaker, wanted);
  check_in_step(*speaker, wanted);
}

TEST_CASE("a cancel while nothing goes on does nothing") {
  const Gobgpd gobgpd;
  const auto speaker = make_speaker();
  speaker->cancel();
  CHECK(reconcile(*speaker, wanted_of(gobgpd)).started);
}

}  // namespace guideway::gobgp
