// The files under configs/, and the page about them: right, and with every key that there is.
#include <array>
#include <fstream>
#include <set>
#include <sstream>

#include "config_support.h"

namespace guideway::control {
namespace {

using namespace testing;

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  REQUIRE_FALSE(text.str().empty());
  return text.str();
}

Config example(const std::string& name) {
  auto config = load_config(GUIDEWAY_CONFIGS "/" + name);
  if (!config)
    for (const std::string& text : texts(config.error())) FAIL_CHECK(text);
  REQUIRE(config);
  return std::move(*config);
}

// A mapping of the file with a key that nothing has, so that its problem lists those that it has.
struct Probe {
  const char* section;
  const char* text;
};
constexpr auto kMappings = std::to_array<Probe>({
    {"_", "zzzzzzzzzzzz: 1"},
    {"node", "node: {fleet_seed: s, zzzzzzzzzzzz: 1}"},
    {"interfaces", "interfaces: [{name: eth0, zzzzzzzzzzzz: 1}]"},
    {"encapsulation", "encapsulation: {source: 10.0.0.10, zzzzzzzzzzzz: 1}"},
    {"pools", "pools: [{name: web, backends: [10.0.1.11], zzzzzzzzzzzz: 1}]"},
    {"pools", "pools: [{name: web, backends: [{address: 10.0.1.11, zzzzzzzzzzzz: 1}]}]"},
    {"pools",
     "pools: [{name: web, backends: [10.0.1.11], checks: [{type: tcp, port: 1, zzzzzzzzzzzz: "
     "1}]}]"},
    {"services", "services: [{vip: 198.51.100.1, ports: [tcp/80], pool: web, zzzzzzzzzzzz: 1}]"},
    {"flow_table", "flow_table: {zzzzzzzzzzzz: 1}"},
    {"flow_table", "flow_table: {timeouts: {zzzzzzzzzzzz: 1}}"},
    {"log", "log: {zzzzzzzzzzzz: 1}"},
    {"admin", "admin: {zzzzzzzzzzzz: 1}"},
    {"metrics", "metrics: {zzzzzzzzzzzz: 1}"},
    {"bgp", "bgp: {mode: external, zzzzzzzzzzzz: 1}"},
    {"bgp", "bgp: {local_asn: 64512, peers: [{address: 10.0.0.1, asn: 64500, zzzzzzzzzzzz: 1}]}"},
    {"bgp", "bgp: {mode: external, passive: {zzzzzzzzzzzz: 1}}"},
    {"bgp", "bgp: {mode: external, damping: {zzzzzzzzzzzz: 1}}"},
    {"shutdown", "shutdown: {zzzzzzzzzzzz: 1}"},
});

// The keys that the reader knows, as it lists them itself.
std::set<std::string> keys_of(const Probe& mapping) {
  static constexpr std::string_view kList = "the keys here are ";
  const std::string problem = error_with(mapping.section, mapping.text);
  const auto at = problem.find(kList);
  REQUIRE(at != std::string::npos);
  std::istringstream words(problem.substr(at + kList.size()));
  std::set<std::string> keys;
  for (std::string word; words >> word;)
    if (word != "and") keys.insert(word.ends_with(',') ? word.substr(0, word.size() - 1) : word);
  return keys;
}

// Whether `key` stands at the start of a line, of a list's item or within braces.
bool has_key(const std::string& yaml, const std::string& key) {
  for (auto at = yaml.find(key + ":"); at != std::string::npos; at = yaml.find(key + ":", at + 1))
    if (at == 0 || std::string_view("\n {").find(yaml[at - 1]) != std::string_view::npos)
      return true;
  return false;
}

TEST_CASE("The example configurations load without a problem or a warning") {
  for (const char* name : {"minimal.yaml", "production.yaml", "lab.yaml"}) {
    INFO(name);
    CHECK(texts(example(name).warnings).empty());
  }
}

TEST_CASE("Every key that the reader knows is in production.yaml and in the documentation") {
  const std::string production = contents(GUIDEWAY_CONFIGS "/production.yaml");
  const std::string page = contents(GUIDEWAY_DOCS "/configuration.md");
  std::size_t count = 0;
  for (const Probe& mapping : kMappings) {
    for (const std::string& key : keys_of(mapping)) {
      INFO(mapping.text << ": " << key);
      CHECK(has_key(production, key));
      const bool documented = page.find("`" + key + "`") != std::string::npos ||
                              page.find("." + key + "`") != std::string::npos;
      CHECK(documented);
      ++count;
    }
  }
  CHECK(count > 90);
}

TEST_CASE("The examples check their backends: minimal by tcp, the lab by http every second") {
  const Config minimal = example("minimal.yaml");
  REQUIRE(minimal.model.pools[0].checks.size() == 1);
  CHECK(std::holds_alternative<probe::TcpQuestion>(minimal.model.pools[0].checks[0].question.kind));
  const Config lab = example("lab.yaml");
  REQUIRE(lab.model.pools[0].checks.size() == 1);
  const CheckConfig& http = lab.model.pools[0].checks[0];
  CHECK(std::holds_alternative<probe::HttpQuestion>(http.question.kind));
  CHECK(http.question.port == 80);
  CHECK(http.interval == std::chrono::seconds(1));
  CHECK(http.question.timeout == std::chrono::milliseconds(500));
}

}  // namespace
}  // namespace guideway::control
