#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config_support.h"

namespace guideway::control {
namespace {

using namespace testing;

Ipv4Address address(std::string_view text) { return Ipv4Address::parse(text).value(); }

// A directory of this process, gone when the test is.
class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(std::filesystem::temp_directory_path() / "guideway-config-XXXXXX") {
    std::string name = path_.string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST_CASE("A file with required keys only gets the defaults of the documentation") {
  const Config config = right(
      "node: {fleet_seed: test}\n"
      "interfaces: [{name: eth0}]\n"
      "encapsulation: {source: 10.0.0.10}\n"
      "pools: [{name: web, backends: [10.0.1.11]}]\n"
      "services: [{vip: 198.51.100.1, ports: [tcp/80, udp/443], pool: web}]\n");
  const Model& model = config.model;
  CHECK(config.warnings.empty());

  char host[256] = {};
  REQUIRE(::gethostname(host, sizeof(host) - 1) == 0);
  CHECK(model.node.name == host);
  CHECK(model.node.fleet_seed == "test");

  REQUIRE(model.interfaces.size() == 1);
  const Interface& interface = model.interfaces[0];
  CHECK(interface.name == "eth0");
  CHECK(interface.mode == Mode::automatic);
  CHECK(interface.queues.empty());
  CHECK(interface.cpus.empty());
  CHECK(interface.frame_bytes == FrameBytes::automatic);
  CHECK(interface.frames == 4096);
  CHECK(interface.ring == 2048);
  CHECK_FALSE(interface.busy_poll);

  CHECK(model.encapsulation.source == address("10.0.0.10"));
  REQUIRE(model.pools.size() == 1);
  CHECK(model.pools[0].table_size == 65537);
  REQUIRE(model.pools[0].backends.size() == 1);
  CHECK(model.pools[0].backends[0].address == address("10.0.1.11"));
  CHECK(model.pools[0].backends[0].weight == 1);
  CHECK_FALSE(model.pools[0].backends[0].drain);
  CHECK(model.pools[0].checks.empty());
  CHECK(model.pools[0].on_empty == OnEmpty::drop);
  CHECK(model.pools[0].min_healthy == 1);
  CHECK(model.pools[0].slow_start == std::chrono::seconds(0));

  REQUIRE(model.services.size() == 1);
  CHECK(model.services[0].name == "198.51.100.1 tcp/80, udp/443");
  CHECK(model.services[0].pool == 0);
  CHECK(model.services[0].endpoints ==
        std::vector<Endpoint>{{address("198.51.100.1"), 80, Protocol::tcp},
                              {address("198.51.100.1"), 443, Protocol::udp}});

  CHECK(model.flow_table.entries == 1048576);
  CHECK(model.flow_table.opening == std::chrono::seconds(10));
  CHECK(model.flow_table.established == std::chrono::minutes(15));
  CHECK(model.flow_table.closing == std::chrono::seconds(30));
  CHECK(model.flow_table.udp == std::chrono::minutes(2));
  CHECK(model.log.level == LogLevel::info);
  CHECK(model.admin.socket == "/run/guideway/guidewayd.sock");
  CHECK(model.metrics == Metrics{});
  CHECK(model.shutdown.drain == std::chrono::seconds(0));
}

TEST_CASE("Every key of a file arrives in the model") {
  const Config config = right(R"(
node: {name: lb1.example, fleet_seed: "two words"}
interfaces:
  - {name: eth0, mode: zero-copy, queues: all, cpus: [2, 3], frame_size: 4096, frames: 8192,
     ring: 1024, busy_poll: true}
  - {name: eth1, mode: copy, frame_size: 2048, busy_poll: false}
  - {name: eth2, mode: generic, frame_size: auto}
  - {name: eth3, mode: auto, queues: [3, 1]}
encapsulation: {type: gre, source: 10.0.0.10}
pools:
  - {name: api, table_size: 251, backends: [{address: 10.0.1.13, weight: 0}, 10.0.1.14]}
  - {name: web, backends: [{address: 10.0.1.11, weight: 65535}, {address: 10.0.1.12}]}
services:
  - {name: www, vip: 198.51.100.1, ports: [tcp/80, tcp/443, udp/443, tcp/65535, tcp/1], pool: web}
  - {vip: 198.51.100.2, ports: [tcp/1, tcp/2, tcp/3, tcp/4, tcp/5, udp/6], pool: api}
flow_table:
  entries: 4096
  timeouts: {opening: 1s, established: 9h, closing: 2m, udp: 540m}
log: {level: debug}
admin: {socket: /tmp/guideway.sock}
)");
  const Model& model = config.model;
  CHECK(model.node.name == "lb1.example");
  CHECK(model.node.fleet_seed == "two words");
  REQUIRE(model.interfaces.size() == 4);
  CHECK(model.interfaces[0].mode == Mode::zero_copy);
  CHECK(model.interfaces[0].queues.empty());
  CHECK(model.interfaces[0].cpus == std::vector<std::uint32_t>{2, 3});
  CHECK(model.interfaces[0].frame_bytes == FrameBytes::large);
  CHECK(model.interfaces[0].frames == 8192);
  CHECK(model.interfaces[0].ring == 1024);
  CHECK(model.interfaces[0].busy_poll);
  CHECK(model.interfaces[1].mode == Mode::copy);
  CHECK(model.interfaces[1].frame_bytes == FrameBytes::small);
  CHECK(model.interfaces[2].mode == Mode::generic);
  CHECK(model.interfaces[2].frame_bytes == FrameBytes::automatic);
  CHECK(model.interfaces[3].mode == Mode::automatic);
  CHECK(model.interfaces[3].queues == std::vector<std::uint32_t>{3, 1});

  REQUIRE(model.pools.size() == 2);
  CHECK(model.pools[0].table_size == 251);
  CHECK(model.pools[0].backends[0].weight == 0);
  CHECK(model.pools[0].backends[1].weight == 1);
  CHECK(model.pools[1].backends[0].weight == 65535);
  REQUIRE(model.services.size() == 2);
  CHECK(model.services[0].name == "www");
  CHECK(model.services[0].vip == address("198.51.100.1"));
  CHECK(model.services[0].endpoints.size() == 5);
  CHECK(model.services[0].pool == 1);
  CHECK(model.services[1].name == "198.51.100.2 tcp/1, tcp/2, tcp/3, tcp/4 and 2 more");
  CHECK(model.services[1].pool == 0);

  CHECK(model.flow_table.entries == 4096);
  CHECK(model.flow_table.opening == std::chrono::seconds(1));
  CHECK(model.flow_table.established == std::chrono::hours(9));
  CHECK(model.flow_table.closing == std::chrono::minutes(2));
  CHECK(model.flow_table.udp == std::chrono::hours(9));
  CHECK(model.log.level == LogLevel::debug);
  CHECK(model.admin.socket == "/tmp/guideway.sock");
}

TEST_CASE("Without a ring of its own an interface with few frames gets half of them") {
  const Config config = right(file_with("interfaces", "interfaces: [{name: eth0, frames: 512}]"));
  CHECK(config.model.interfaces[0].ring == 256);
}

TEST_CASE("Numbers and words may be quoted") {
  const Config config =
      right(file_with("interfaces",
                      "interfaces: [{name: 'eth0', mode: \"copy\", frames: '1024', "
                      "queues: \"all\", busy_poll: 'true'}]"));
  CHECK(config.model.interfaces[0].frames == 1024);
  CHECK(config.model.interfaces[0].busy_poll);
}

TEST_CASE("An alias stands for the value at its anchor") {
  const Config config = right(file_with("pools",
                                        "pools:\n"
                                        "  - {name: web, backends: &hosts [10.0.1.11, 10.0.1.12]}\n"
                                        "  - {name: api, backends: *hosts}\n"));
  CHECK(config.model.pools[1].backends.size() == 2);
}

TEST_CASE("A byte order mark and Windows line ends are no errors") {
  CHECK(errors("\xef\xbb\xbf" + file_with("", "# text\r\n")).empty());
  CHECK(
      errors_with("node", "node:\r\n  fleet_seed: ''\r\n") ==
      Lines{"f:2:15: node.fleet_seed: must be a text that is the same on all load balancers of the "
            "fleet, not \"\""});
}

TEST_CASE("All problems of a file are told at once, in the order of the file") {
  CHECK(
      errors("services:\n"
             "  - {vip: 127.0.0.1, ports: [tcp/0], pool: wbe}\n"
             "pools:\n"
             "  - name: web\n"
             "    table_size: 100\n"
             "    backends:\n"
             "      - {address: 10.0.1.11, wieght: 2}\n"
             "      - {address: 10.0.1.11, weight: -1}\n"
             "interfaces: [{name: eth0, name: eth1}]\n"
             "log: {level: loud}\n"
             "node: []\n") ==
      Lines{
          "f:1:1: encapsulation: missing; must be a mapping with the key source",
          "f:2:11: services[0].vip: must be an IPv4 address such as 198.51.100.1, not "
          "\"127.0.0.1\"; "
          "that is a loopback address",
          "f:2:30: services[0].ports[0]: must be PROTOCOL/PORT such as tcp/80 or udp/53, not "
          "\"tcp/0\"; a port is a whole number from 1 to 65535",
          "f:2:44: services[0].pool: there is no pool \"wbe\"; did you mean \"web\"?",
          "f:5:17: pools[0].table_size: must be a prime; the nearest to 100 are 97 and 101",
          "f:7:30: pools[0].backends[0].wieght: unknown key; did you mean \"weight\"?",
          "f:8:19: pools[0].backends[1].address: backend 10.0.1.11 is already at line 7; a pool "
          "has "
          "an address once",
          "f:8:38: pools[0].backends[1].weight: must be a whole number from 0 to 65535, not \"-1\"",
          "f:9:27: interfaces[0].name: the key is already at line 9; a mapping has a key once",
          "f:10:14: log.level: must be trace, debug, info, warning or error, not \"loud\"",
          "f:11:7: node: must be a mapping with the keys name and fleet_seed, not a list"});
}

TEST_CASE("A file is called by its path in its problems") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("bad.yaml", file_with("log", "log: {level: 3}"));
  const auto config = load_config(path);
  REQUIRE_FALSE(config);
  CHECK(texts(config.error()) ==
        Lines{path + ":1:14: log.level: must be trace, debug, info, warning or error, not \"3\""});
}

TEST_CASE("A file that cannot be read is one problem") {
  const TemporaryDirectory directory;
  const auto only_error = [](const std::string& path) {
    const auto config = load_config(path);
    return config ? Lines{} : texts(config.error());
  };
  const std::string missing = directory.path() / "none.yaml";
  CHECK(only_error(missing) == Lines{missing + ": cannot be opened: No such file or directory"});
  const std::string folder = directory.path();
  CHECK(only_error(folder) == Lines{folder + ": cannot be read: Is a directory"});
  const std::string large = directory.write("large.yaml", std::string((16U << 20) + 1, '#'));
  CHECK(only_error(large) == Lines{large + ": is larger than 16 MiB"});
  CHECK(only_error("/dev/zero") == Lines{"/dev/zero: is larger than 16 MiB"});
  const std::string huge = directory.write("huge.yaml", "node: {}\n");
  std::filesystem::resize_file(huge, std::uintmax_t{100} << 20);
  CHECK(only_error(huge) == Lines{huge + ": is larger than 16 MiB"});
  const std::string binary = directory.write("binary.yaml", std::string("\x7f"
                                                                        "ELF\x02\x01\0",
                                                                        7));
  CHECK(only_error(binary) == Lines{binary + ":1:1: byte 0x7f is a control character; the file "
                                             "must be text"});
  const std::string empty = directory.write("empty.yaml", "");
  CHECK(only_error(empty) ==
        Lines{empty + ": is empty; must hold node, interfaces, encapsulation, pools and services"});
}

TEST_CASE("A file of 16 MiB is not too large") {
  std::string file = file_with("", "");
  file += std::string((16U << 20) - file.size(), '#');
  CHECK(errors(file).empty());
}

TEST_CASE("The hash seed is XXH3 over 128 bits of the fleet seed's bytes") {
  Model model;
  CHECK(model.hash_seed().first == 0x6001c324468d497fULL);
  CHECK(model.hash_seed().second == 0x99aa06d3014798d8ULL);
  model.node.fleet_seed = "one";
  const gw_hash_seed one = model.hash_seed();
  model.node.fleet_seed = "two";
  const gw_hash_seed two = model.hash_seed();
  CHECK(one.first != two.first);
  CHECK(one.second != two.second);
}

}  // namespace
}  // namespace guideway::control
