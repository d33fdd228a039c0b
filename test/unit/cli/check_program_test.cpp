// guideway check, which needs no daemon.
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "cli/json_view.h"
#include "program.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

constexpr const char* kRight = R"(node:
  fleet_seed: test
interfaces:
  - name: eth1
encapsulation:
  source: 10.255.255.1
pools:
  - name: web
    backends:
      - address: 10.255.255.2
services:
  - vip: 198.51.100.1
    ports: [tcp/80]
    pool: web
)";

std::string write(const std::string& path, std::string text, const std::string& what = "",
                  const std::string& by = "") {
  if (const std::size_t at = text.find(what); !what.empty() && at != std::string::npos)
    text.replace(at, what.size(), by);
  std::ofstream(path) << text;
  return path;
}

TEST_CASE("guideway check of a right file is exit code 0") {
  const ScratchFolder folder;
  const std::string file = write(folder / "right.yaml", kRight);
  const Ended text = run({"check", file});
  CHECK(text.code == 0);
  CHECK(text.out == file + ": right\n");
  CHECK(text.err.empty());
  const Ended json = run({"check", "--json", file});
  CHECK(json.code == 0);
  CHECK(json.out == R"({"file":")" + file + R"(","right":true,"errors":[],"warnings":[]})" + "\n");
  CHECK(json.err.empty());
}

TEST_CASE("guideway check without a file looks at the usual one") {
  const Ended ended = run({"check", "--json"});
  CHECK(ended.code < 2);
  CHECK_THAT(ended.out, StartsWith(R"({"file":"/etc/guideway/guideway.yaml",)"));
}

TEST_CASE("guideway check of a wrong file is exit code 1 with all problems and their places") {
  const ScratchFolder folder;
  const std::string file =
      write(folder / "wrong.yaml", kRight, "    pool: web\n", "    pool: blu\n");
  const Ended text = run({"check", file});
  CHECK(text.code == 1);
  CHECK(text.out.empty());
  CHECK_THAT(text.err, StartsWith(file + ":14:11: services[0].pool: ") &&
                           Contains("\nguideway: " + file + ": 1 problem(s)\n"));
}

TEST_CASE("guideway check --json has each problem with file, line, column, key and what") {
  const ScratchFolder folder;
  const std::string file =
      write(folder / "wrong.yaml", kRight, "    pool: web\n", "    pool: blu\n");
  const Ended ended = run({"check", file, "--json"});
  CHECK(ended.code == 1);
  CHECK(ended.err == "guideway: " + file + ": 1 problem(s)\n");
  const auto document = read_document(ended.out, "errors", json::kind::array, "reading");
  REQUIRE(document);
  CHECK_FALSE(flag(*document, "right"));
  CHECK(text(*document, "file") == file);
  const auto errors = objects(*document, "errors");
  REQUIRE(errors.size() == 1);
  CHECK(text(*errors[0], "file") == file);
  CHECK(number(*errors[0], "line") == 14);
  CHECK(number(*errors[0], "column") == 11);
  CHECK(text(*errors[0], "key") == "services[0].pool");
  CHECK_THAT(text(*errors[0], "what"), Contains("blu"));
}

TEST_CASE("guideway check shows warnings of a right file") {
  const ScratchFolder folder;
  const std::string file =
      write(folder / "unused.yaml", kRight, "services:\n",
            "  - name: unused\n    backends:\n      - address: 10.255.255.3\nservices:\n");
  const Ended text = run({"check", file});
  CHECK(text.code == 0);
  CHECK(text.out == file + ": right\n");
  CHECK_THAT(text.err, StartsWith(file + ":") && Contains("unused") && Contains(" (warning)\n"));
  const Ended json = run({"check", "--json", file});
  CHECK(json.code == 0);
  CHECK(json.err.empty());
  const auto document = read_document(json.out, "warnings", json::kind::array, "reading");
  REQUIRE(document);
  CHECK(flag(*document, "right"));
  CHECK(objects(*document, "warnings").size() == 1);
}

TEST_CASE("guideway check of a file that is not there, or no YAML, is exit code 1") {
  const ScratchFolder folder;
  const Ended missing = run({"check", folder / "missing.yaml"});
  CHECK(missing.code == 1);
  CHECK_THAT(missing.err, StartsWith((folder / "missing.yaml") + ": cannot be opened: No such"));
  const Ended broken = run({"check", write(folder / "broken.yaml", "a: [")});
  CHECK(broken.code == 1);
  CHECK_THAT(broken.err, StartsWith((folder / "broken.yaml") + ":"));
}

}  // namespace
}  // namespace guideway::cli
