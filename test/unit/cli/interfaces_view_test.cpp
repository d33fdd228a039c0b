#include "cli/interfaces_view.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sstream>

#include "cli/text_table.h"
#include "example_status.h"
#include "program.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

namespace json = boost::json;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

// Two queues with numbers everywhere.
observe::InterfaceStatus example_interface() {
  observe::InterfaceStatus interface = example_status().interfaces.front();
  observe::QueueStatus& first = interface.queues[0];
  first.worker.received = 1000;
  first.worker.batches = 400;
  first.worker.sleeps = 120;
  first.worker.turns = 520;
  first.worker.completed = 980;
  first.worker.transmit_wakeups = 401;
  first.worker.transmit_busy = 7;
  first.worker.flow_hits = 900;
  first.worker.flows_opening = 4;
  first.worker.flow_table_capacity = 64;
  first.rings = {{.name = "fill", .entries = 4032, .size = 4096},
                 {.name = "receive", .entries = 64, .size = 2048},
                 {.name = "transmit", .entries = 1, .size = 2048},
                 {.name = "completion", .entries = 9, .size = 4096}};
  interface.queues[1].socket = {{"rx_dropped", 5},
                                {"rx_ring_full", 6},
                                {"rx_fill_ring_empty_descs", 8},
                                {"tx_ring_empty_descs", 133},
                                {"tx_invalid_descs", 0},
                                {"of_another_version", 77}};
  return interface;
}

std::string shown(const std::vector<observe::InterfaceStatus>& interfaces) {
  observe::Status status;
  status.interfaces = interfaces;
  return interfaces_text(observe::interfaces_to_json(status)).value();
}

TEST_CASE("an interface is shown with each of its queues, line by line") {
  CHECK(shown({example_interface()}) ==
        R"(interface eth1: virtio_net, MTU 1500, XDP native by libxdp's dispatcher
  steering: pass_not_vip 22, redirected 1105
  workers: average is packets of a batch, 64 at most
  queue  mode       cpu  generation  turns  sleeps  batches  average
      0  zero-copy    2           7    520     120      400      2.5
      1  copy         3           6      0       0      100      1.0
  packets, and calls to make the kernel send
  queue  received  transmitted  completed  dropped  wakeups  busy  errors
      0      1000          990        980       10      401     7       3
      1       100           90          0       10        0     0       3
  flow tables
  queue  opening  established  closing  udp  room for    full
      0        4           11        0    1        64  25.0 %
      1        0           11        0    1   1048576   0.0 %
  rings: entries of size
  queue       fill  receive  transmit  completion
      0  4032/4096  64/2048    1/2048      9/4096
      1        -/-      -/-       -/-         -/-
  sockets
  queue  rx dropped  ring full  fill empty  tx empty  rx invalid  tx invalid
      0           0          0           0         0           0           0
      1           5          6           8       133           0           0
  rx_dropped: packets lost: no frame was free, or they were longer than a frame
  rx_ring_full: packets lost: the worker was too slow for its RX ring
  rx_fill_ring_empty_descs: times that the kernel found no free frame
  tx_ring_empty_descs: times that there was no more to send; no harm
  drops of queue 0: no_next_hop 8, tx_ring_full 2
  more of queue 0: flow_hits 900
  drops of queue 1: no_next_hop 8, tx_ring_full 2
  more of the socket of queue 1: of_another_version 77
)");
}

TEST_CASE("an interface with many queues and the largest numbers fits a terminal") {
  observe::InterfaceStatus interface = example_interface();
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  interface.queues.clear();
  for (std::uint32_t number = 0; number < 64; ++number) {
    observe::QueueStatus queue{.queue = number,
                               .mode = "zero-copy",
                               .cpu = 127,
                               .generation = 1'000'000'000,
                               .socket = {{"rx_dropped", kMost},
                                          {"rx_ring_full", kMost},
                                          {"rx_fill_ring_empty_descs", kMost},
                                          {"tx_ring_empty_descs", kMost},
                                          {"rx_invalid_descs", kMost},
                                          {"tx_invalid_descs", kMost}},
                               .worker = {}};
#define GUIDEWAY_TEST_MOST(name) queue.worker.name = kMost;
    GUIDEWAY_WORKER_COUNTERS(GUIDEWAY_TEST_MOST)
#undef GUIDEWAY_TEST_MOST
    queue.worker.drops.fill(kMost);
    for (const char* name : {"fill", "receive", "transmit", "completion"})
      queue.rings.push_back({.name = name, .entries = 65536, .size = 65536});
    interface.queues.push_back(std::move(queue));
  }
  std::istringstream text(shown({interface}));
  int lines = 0;
  for (std::string line; std::getline(text, line); ++lines) {
    INFO(line);
    CHECK(line.size() <= kTerminalColumns);
  }
  CHECK(lines > 5 * 64);
}

TEST_CASE("an interface that has lost its program says how it gets it back") {
  observe::InterfaceStatus interface = example_interface();
  interface.attachment = "lost";
  CHECK_THAT(shown({interface}), Contains("XDP lost") && Contains("guideway reload attaches it\n"));
  CHECK_THAT(shown({example_interface()}), !Contains("guideway reload"));
}

TEST_CASE("a worker that hangs is named, and for how long it does") {
  observe::InterfaceStatus interface = example_interface();
  interface.queues[1].stalled = std::chrono::seconds(62);
  CHECK_THAT(shown({interface}),
             Contains("\n  the worker of queue 1 has stood still for 1m 02s: it hangs\n"));
  CHECK_THAT(shown({example_interface()}), !Contains("hangs"));
}

TEST_CASE("a daemon that does not tell of its rings has no table of them") {
  observe::InterfaceStatus interface = example_interface();
  interface.queues.resize(1);
  observe::Status status;
  status.interfaces = {interface};
  json::value document = json::parse(observe::interfaces_to_json(status));
  document.at("interfaces").at(0).at("queues").at(0).as_object().erase("rings");
  const auto text = interfaces_text(json::serialize(document));
  REQUIRE(text);
  CHECK_THAT(*text, !Contains("rings") && Contains("\n  sockets\n"));
}

TEST_CASE("no interface, and one without queues, are shown as such") {
  CHECK(shown({}) == "interfaces: none in service\n");
  observe::InterfaceStatus interface = example_interface();
  interface.queues.clear();
  CHECK_THAT(shown({interface}), Contains("\n  no queues\n"));
}

TEST_CASE("what is no document of interfaces is refused") {
  for (const char* document : {"", "{}", R"({"interfaces": 3})"}) {
    CHECK_FALSE(interfaces_text(document));
    CHECK_FALSE(only_interface(document, "eth1"));
  }
}

TEST_CASE("a count is exact as far as seven characters reach") {
  CHECK(count_text(0) == "0");
  CHECK(count_text(9'999'999) == "9999999");
  CHECK(count_text(10'000'000) == "10.0M");
  CHECK(count_text(999'949'999) == "999.9M");
  CHECK(count_text(999'950'000) == "1.0G");
  CHECK(count_text(~std::uint64_t{0}) == "18.4E");
}

TEST_CASE("guideway interfaces shows all interfaces, or the one that is named") {
  observe::Status status = example_status();
  const std::string first = observe::interfaces_to_json(status);
  status.interfaces.push_back(example_interface());
  status.interfaces.back().name = "eth2";
  const std::string document = observe::interfaces_to_json(status);
  const ScriptedDaemon::Script script{{"GET /v1/interfaces", http_answer(200, document)}};
  const Ended all = run_against(script, {"interfaces"});
  CHECK(all.code == 0);
  CHECK_THAT(all.out, StartsWith("interface eth1: ") && Contains("\n\ninterface eth2: "));
  CHECK(all.err.empty());
  CHECK(run_against(script, {"interfaces", "--json"}).out == document + "\n");
  const Ended one = run_against(script, {"interfaces", "eth2"});
  CHECK(one.code == 0);
  CHECK_THAT(one.out, StartsWith("interface eth2: ") && !Contains("eth1"));
  CHECK(run_against(script, {"interfaces", "eth1", "--json"}).out == first + "\n");
}

TEST_CASE("guideway interfaces of one that there is not is exit code 1 and names those there are") {
  const ScriptedDaemon::Script script{
      {"GET /v1/interfaces", http_answer(200, observe::interfaces_to_json(example_status()))}};
  const Ended ended = run_against(script, {"interfaces", "eth9"});
  CHECK(ended.code == 1);
  CHECK(ended.out.empty());
  CHECK(ended.err == "guideway: no interface in service is called \"eth9\" (there are: eth1)\n");
}

}  // namespace
}  // namespace guideway::cli
