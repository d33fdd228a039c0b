// What guideway doctor prints of findings.
#include "cli/doctor_view.h"

#include "cli/json_view.h"
#include "support/catch.h"

namespace guideway::cli {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using doctor::Finding;
using doctor::Findings;
using doctor::Mend;
using doctor::Severity;

const Finding kRight{Severity::ok, "up", "interface eth0", "it is up", {}};
const Finding kNote{Severity::note, "btf", "host", "no BTF", {}};
const Finding kWarning{Severity::warning, "mtu", "interface eth0", "its MTU is too small",
                       Mend::by_command("ip link set dev eth0 mtu 1524", "MTUBytes=1524")};
const Finding kError{Severity::error, "route", "way to the backends", "no route",
                     Mend::by_hand("another network")};

TEST_CASE("findings are shown by subject, the worst first, with what mends them") {
  CHECK(findings_text({kNote, kRight, kWarning, kError}, false) ==
        "way to the backends\n"
        "  error    no route\n"
        "           mend: another network\n"
        "\n"
        "interface eth0\n"
        "  warning  its MTU is too small\n"
        "               ip link set dev eth0 mtu 1524\n"
        "           last: MTUBytes=1524\n"
        "\n"
        "host\n"
        "  note     no BTF\n"
        "\n"
        "1 error, 1 warning, 1 note, 1 right (--all shows them)\n");
}

TEST_CASE("what is right is shown when all is wanted, behind what is not") {
  CHECK(findings_text({kRight, kWarning}, true) ==
        "interface eth0\n"
        "  warning  its MTU is too small\n"
        "               ip link set dev eth0 mtu 1524\n"
        "           last: MTUBytes=1524\n"
        "  ok       it is up\n"
        "\n"
        "0 errors, 1 warning, 0 notes, 1 right\n");
}

TEST_CASE("where all is right the summary says so") {
  CHECK(findings_text({kRight}, false) ==
        "0 errors, 0 warnings, 0 notes, 1 right (--all shows them)\n");
  CHECK(findings_text({}, true) == "0 errors, 0 warnings, 0 notes, 0 right\n");
}

TEST_CASE("sentences are wrapped at 80 columns, and a command stays on its line") {
  Finding wide = kWarning;
  wide.text.clear();
  for (int i = 0; i < 40; ++i) wide.text += (i == 0 ? "" : " ") + std::string("word");
  wide.mend = Mend::by_command("echo " + std::string(120, 'x'));
  const std::string text = findings_text({wide}, false);
  CHECK_THAT(text, Contains("\n               echo " + std::string(120, 'x') + "\n"));
  std::size_t words = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    const std::string line = text.substr(start, end - start);
    if (line.find("echo") == std::string::npos) CHECK(line.size() <= 80);
    for (std::size_t at = 0; (at = line.find("word", at)) != std::string::npos; ++at) ++words;
    start = end + 1;
  }
  CHECK(words == 40);
}

TEST_CASE("colours repeat what the words say, and nothing else moves the cursor") {
  Finding hostile = kError;
  hostile.text = "a name with \x1b[2J in it";
  hostile.mend.text = "echo \x1b]0;x";
  const std::string plain = findings_text({hostile}, false);
  CHECK(plain.find('\x1b') == std::string::npos);
  const std::string coloured = findings_text({kError, kWarning}, false, Palette(true));
  CHECK_THAT(coloured, Contains("\x1b[31merror\x1b[0m") && Contains("\x1b[33mwarning\x1b[0m") &&
                           Contains("\x1b[1minterface eth0\x1b[0m"));
}

TEST_CASE("the document has each finding and the worst severity") {
  const std::string text = findings_json({kRight, kWarning}, false);
  CHECK(text == R"({"findings":[{"severity":"warning","check":"mtu","subject":"interface eth0",)"
                R"("text":"its MTU is too small","mend":"ip link set dev eth0 mtu 1524",)"
                R"("command":true,"lasting":"MTUBytes=1524"}],"worst":"warning"})"
                "\n");
  CHECK_THAT(findings_json({kRight, kWarning}, true),
             Contains(R"("severity":"ok","check":"up")") && EndsWith("\"worst\":\"warning\"}\n"));
  CHECK(findings_json({}, true) == "{\"findings\":[],\"worst\":\"ok\"}\n");
  CHECK_THAT(findings_json({kNote, kError}, false), EndsWith("\"worst\":\"error\"}\n"));
}

}  // namespace
}  // namespace guideway::cli
