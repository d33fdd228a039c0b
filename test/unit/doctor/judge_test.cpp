// The judgement as a whole, and what it says of the file and of what cannot be looked at.
#include "doctor/judge.h"

#include "doctor/report.h"
#include "judge_rows.h"

namespace guideway::doctor {
namespace {

using Catch::Matchers::Contains;

std::set<std::string> subjects(const Findings& findings) {
  std::set<std::string> out;
  for (const Finding& one : findings) out.insert(one.subject);
  return out;
}

TEST_CASE("of a host where nothing is amiss every finding is ok, but that no daemon runs") {
  const Findings findings = World().findings();
  const Findings found = amiss(findings);
  REQUIRE(found.size() == 1);
  CHECK(found.front().check == "running");
  CHECK(found.front().severity == Severity::note);
  CHECK(found.front().text == "guidewayd is not running");
  CHECK(found.front().mend == Mend::by_hand("systemctl start guideway"));
  CHECK(subjects(findings) == std::set<std::string>{"file /etc/gw.yaml", "guidewayd", "host",
                                                    "interface eth0", "way to the backends"});
  CHECK(findings.size() > 25);
}

TEST_CASE("of a daemon that runs well every finding is ok") {
  const Findings findings = with_daemon().findings();
  CHECK(amiss(findings).empty());
  CHECK(worst(findings) == Severity::ok);
  CHECK(subjects(findings).contains("traffic since the start of guidewayd"));
  CHECK(subjects(findings).contains("pools"));
}

TEST_CASE("a wrong file is told with all its problems, and the host is judged all the same") {
  World world;
  world.right = false;
  world.errors = {{world.file, 14, 11, "services[0].pool", "there is no pool \"blu\""},
                  {world.file, 0, 0, "", "is empty"}};
  world.facts.host.kernel.bpf_jit = 0U;
  const Findings findings = world.findings();
  REQUIRE(findings.size() > 3);
  CHECK(findings[0].severity == Severity::error);
  CHECK(findings[0].subject == "file /etc/gw.yaml");
  CHECK(findings[0].text == "14:11: services[0].pool: there is no pool \"blu\"");
  CHECK(findings[1].text == "is empty");
  CHECK(amiss(findings, "bpf_jit").size() == 1);
  CHECK_FALSE(subjects(findings).contains("interface eth0"));
}

TEST_CASE("warnings of a right file are warnings") {
  World world;
  world.warnings = {{world.file, 3, 1, "pools[1]", "no service has it"}};
  const Findings found = amiss(world.findings(), "file");
  REQUIRE(found.size() == 1);
  CHECK(found.front().severity == Severity::warning);
  CHECK(found.front().text == "3:1: pools[1]: no service has it");
}

TEST_CASE("what only root is told is one note, however much it is") {
  World world;
  const Unknown refused{Why::no_privilege, "asking: Operation not permitted"};
  world.eth0().xdp = refused;
  world.eth0().xdp_program = refused;
  world.facts.host.kernel.xskmap = refused;
  const Findings found = amiss(world.findings(), "privilege");
  REQUIRE(found.size() == 1);
  CHECK(found.front().severity == Severity::note);
  CHECK_THAT(found.front().text, Contains("whether eth0 has an XDP program") &&
                                     Contains("maps of AF_XDP sockets") &&
                                     Contains("what XDP the driver of eth0 has"));
  CHECK(found.front().mend == Mend::by_command("sudo guideway doctor /etc/gw.yaml"));
}

TEST_CASE("what failed to be read is a note with the reason") {
  World world;
  world.eth0().offloads = Unknown{Why::failed, "asking eth0: Device busy"};
  const Findings found = amiss(world.findings(), "offloads");
  REQUIRE(found.size() == 1);
  CHECK(found.front().severity == Severity::note);
  CHECK_THAT(found.front().text, Contains("asking eth0: Device busy"));
}

TEST_CASE("what a device does not have is no finding") {
  World world;
  for (const Why why : {Why::not_supported, Why::not_there, Why::not_read}) {
    const Unknown none{why, "Operation not supported"};
    world.eth0().channels = none;
    world.eth0().indirection = none;
    world.eth0().hash_tcp4 = world.eth0().hash_udp4 = none;
    world.eth0().rings = none;
    world.eth0().interrupts = none;
    world.eth0().numa_node = none;
    CHECK(amiss(world.findings()).size() == 1);  // no daemon
  }
}

TEST_CASE("facts of which nothing is known make no finding but that no daemon runs") {
  World world;
  world.facts = Facts{};
  world.facts.host.kernel.major = 6;
  world.facts.host.kernel.minor = 1;
  world.facts.interfaces.resize(1);
  world.eth0().name = "eth0";
  world.eth0().exists = true;
  world.eth0().receive_queues = world.eth0().transmit_queues = 1;
  world.facts.backends = {{.address = address("10.0.1.11"), .route = {}, .neighbour = {}}};
  CHECK(amiss(world.findings()).size() == 1);
}

TEST_CASE("lists and sizes are told as a person would write them") {
  CHECK(listed({}) == "");
  CHECK(listed({"a"}) == "a");
  CHECK(listed({"a", "b"}) == "a and b");
  CHECK(listed({"a", "b", "c"}) == "a, b and c");
  CHECK(listed({"a", "b", "c", "d"}, 2) == "a, b and 2 more");
  CHECK(ranges({}) == "");
  CHECK(ranges({4}) == "4");
  CHECK(ranges({0, 1, 2, 5, 7, 8}) == "0-2,5,7-8");
  CHECK(size_text(1) == "1 KiB");
  CHECK(size_text(64 << 10) == "64 KiB");
  CHECK(size_text(16 << 20) == "16 MiB");
  CHECK(size_text(std::uint64_t{7} << 29) == "3.5 GiB");
}

}  // namespace
}  // namespace guideway::doctor
