#include "observe/explain.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "net/packet.h"
#include "net/packet_text.h"
#include "net/wire.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/example_answer.h"

namespace guideway::observe {
namespace {

namespace json = boost::json;
using Catch::Matchers::Contains;

constexpr const char* kFlow = "flow=tcp%20203.0.113.7:40000%20198.51.100.1:80";

Packet packet_of(std::string_view query) {
  const auto question = packet_question(query);
  INFO((question ? "" : question.error().text()));
  REQUIRE(question.has_value());
  Packet packet;
  REQUIRE(parse_frame(question->frame, packet) == DropReason::none);
  return packet;
}

std::string error_of(std::string_view query) {
  const auto question = packet_question(query);
  REQUIRE_FALSE(question.has_value());
  return question.error().text();
}

json::object document(const PacketAnswer& answer) {
  return json::parse(to_json(answer)).as_object();
}

TEST_CASE("a flow is asked of as its smallest packet, with ACK") {
  const Packet packet = packet_of(kFlow);
  CHECK(flow_text(packet.flow) == "tcp 203.0.113.7:40000 198.51.100.1:80");
  CHECK(packet.tcp_flags == kTcpAck);
  CHECK(packet.ip_bytes == 40);
  CHECK(packet_question(kFlow)->interface.empty());
  CHECK(packet_of("flow=udp+10.0.0.1:53+198.51.100.1:53").ip_bytes == 28);
}

TEST_CASE("flags, size and interface of a flow are as asked") {
  const std::string query = std::string(kFlow) + "&flags=syn%7Cack&size=1500&interface=eth%31";
  const Packet packet = packet_of(query);
  CHECK(packet.tcp_flags == (kTcpSyn | kTcpAck));
  CHECK(packet.ip_bytes == 1500);
  CHECK(packet_question(query)->interface == "eth1");
}

TEST_CASE("a packet is asked of as its bytes are") {
  CHECK(packet_question("packet=02ab").value().frame == test::from_hex("02ab"));
  CHECK(packet_question("packet=02:AB").value().frame == test::from_hex("02ab"));
}

TEST_CASE("a question that cannot be understood says what would be right") {
  CHECK_THAT(error_of(""), Contains("flow=FLOW") && Contains("packet=HEX"));
  CHECK_THAT(error_of("interface=eth1"), Contains("flow=FLOW"));
  CHECK_THAT(error_of(std::string(kFlow) + "&packet=02"), Contains("flow=FLOW"));
  CHECK_THAT(error_of("flwo=x"), Contains("no parameter flwo") && Contains("flow=FLOW"));
  CHECK_THAT(error_of("%ff\xff=1"), Contains("no parameter %ff?"));
  CHECK_THAT(error_of("flow"), Contains("no value"));
  CHECK_THAT(error_of("flow=%4"), Contains("two hexadecimal digits"));
  CHECK_THAT(error_of(std::string(kFlow) + "&" + kFlow), Contains("twice"));
  CHECK_THAT(error_of("flow=icmp+1.1.1.1:1+2.2.2.2:2"), Contains("tcp or udp"));
  CHECK_THAT(error_of(std::string(kFlow) + "&flags=sin"), Contains("fin, syn"));
  CHECK_THAT(error_of(std::string(kFlow) + "&size=39"), Contains("40 (its headers)"));
  CHECK_THAT(error_of("flow=udp+1.1.1.1:1+2.2.2.2:2&flags=syn"), Contains("only a flow of tcp"));
  CHECK_THAT(error_of("packet=02&size=1500"), Contains("a packet has its own"));
  CHECK_THAT(error_of("packet=123"), Contains("two for each byte"));
  CHECK_THAT(error_of(std::string(kFlow) + "&interface="), Contains("must have the name"));
}

TEST_CASE("the document has the packet's way in its order") {
  const json::object all = document(example_answer());
  std::vector<std::string> keys;
  for (const auto& [key, value] : all) keys.emplace_back(key);
  CHECK(keys == std::vector<std::string>{"frame_bytes", "packet", "steering", "generation",
                                         "interface", "queue", "service", "hash", "table",
                                         "entries", "choice", "backend", "size", "if_down",
                                         "verdict"});
  CHECK(all.at("packet") == json::value{{"flow", "tcp 203.0.113.7:40000 198.51.100.1:80"},
                                        {"tcp_flags", "ack"},
                                        {"ip_bytes", 40}});
  CHECK(all.at("steering") == json::array{{{"interface", "eth1"},
                                           {"attached", true},
                                           {"verdict", "redirected"},
                                           {"queues", 2},
                                           {"unserved_queues", 0}}});
  CHECK(all.at("service") == json::value{{"name", "web"},
                                         {"vip", "198.51.100.1"},
                                         {"protocol", "tcp"},
                                         {"port", 80},
                                         {"pool", "blue"}});
  CHECK(all.at("hash") == "00123456789abcde");
  CHECK(all.at("table") == json::value{{"size", 65537}, {"slot", 18}, {"backend", "10.0.0.2"}});
  CHECK(all.at("entries") == json::array{{{"interface", "eth1"},
                                          {"queue", 1},
                                          {"state", "established"},
                                          {"backend", "10.0.0.1"},
                                          {"idle_seconds", 3},
                                          {"expires_in_seconds", 897},
                                          {"keeps", true}}});
  CHECK(all.at("size") == json::value{{"ip_bytes", 40},
                                      {"outer_ip_bytes", 64},
                                      {"egress_mtu", 1600},
                                      {"largest_ip_bytes", 1576},
                                      {"fits", true}});
  CHECK(all.at("if_down") == json::value{{"backend", "10.0.0.2"}});
  CHECK(all.at("verdict") == "forwarded");
}

TEST_CASE("the backend is the one of GET /v1/backends, with its pool") {
  Status status;
  status.pools = {{.name = "blue", .on_empty = "drop", .backends = {explained_backend()}}};
  json::object expected =
      json::parse(pools_to_json(status)).at("pools").at(0).at("backends").at(0).as_object();
  expected["pool"] = "blue";
  CHECK(document(example_answer()).at("backend") == json::value(expected));
}

TEST_CASE("what a packet does not reach is missing, and why it is not sent is told") {
  PacketAnswer answer;
  answer.frame_bytes = 60;
  answer.steering = {{.interface = "eth1", .attached = true, .verdict = "no_service"}};
  answer.generation = 7;
  answer.interface = "eth1";
  answer.verdict = PacketAnswer::Verdict::dropped;
  answer.reason = &reason_text(GW_VERDICT_no_service);
  const json::object all = document(answer);
  for (const char* key : {"packet", "queue", "service", "hash", "table", "entries", "choice",
                          "backend", "size", "if_down", "hanging"}) {
    INFO(key);
    CHECK_FALSE(all.contains(key));
  }
  CHECK(all.at("verdict") == "dropped");
  CHECK(all.at("reason") == "no_service");
  CHECK_THAT(std::string(all.at("meaning").as_string()), Contains("no service there"));
  CHECK_THAT(std::string(all.at("remedy").as_string()), Contains("guideway services"));
}

TEST_CASE("a size whose egress MTU is not known has no verdict") {
  PacketAnswer answer = example_answer();
  answer.size = {.ip_bytes = 40, .outer_ip_bytes = 64};
  CHECK(document(answer).at("size") == json::value{{"ip_bytes", 40}, {"outer_ip_bytes", 64}});
  answer.size = {
      .ip_bytes = 1500, .outer_ip_bytes = 1524, .egress_mtu = 1500, .largest_ip_bytes = 1476};
  CHECK(document(answer).at("size").at("fits") == false);
}

TEST_CASE("workers that hang are named, and nobody who would get the flow is an empty name") {
  PacketAnswer answer = example_answer();
  answer.hanging = {"eth1 queue 0"};
  answer.if_down = "";
  CHECK(document(answer).at("hanging") == json::array{"eth1 queue 0"});
  CHECK(document(answer).at("if_down") == json::value{{"backend", ""}});
}

TEST_CASE("each drop reason and each verdict of the steering program is explained by name") {
  for (std::size_t i = 1; i < kDropReasons; ++i) {
    const ReasonText& text = reason_text(static_cast<DropReason>(i));
    CHECK(text.name == kDropReasonNames[i]);
    CHECK(text.meaning.size() > 10);
    CHECK_FALSE(text.meaning.ends_with('.'));
  }
  for (int i = 0; i < GW_VERDICTS; ++i) {
    if (i == GW_VERDICT_redirected) continue;
    CHECK_FALSE(reason_text(static_cast<gw_verdict>(i)).meaning.empty());
  }
  CHECK(reason_text(GW_VERDICT_no_socket).name == "no_socket");
  CHECK(passes(GW_VERDICT_pass_not_vip));
  CHECK_FALSE(passes(GW_VERDICT_icmp_dropped));
  CHECK(not_attached_text().name == "not_attached");
}

}  // namespace
}  // namespace guideway::observe
