#include "doctor/files.h"

#include <cerrno>

#include "scratch_root.h"
#include "support/catch.h"

namespace guideway::doctor {

using Numbers = std::vector<std::uint32_t>;

TEST_CASE("a list of CPUs is read as the kernel writes it") {
  CHECK(parse_list("0-3,8\n") == Numbers{0, 1, 2, 3, 8});
  CHECK(parse_list("5") == Numbers{5});
  CHECK(parse_list("") == Numbers{});
  CHECK(parse_list("\n") == Numbers{});
}

TEST_CASE("what is no list of CPUs is not taken for one") {
  for (const char* text : {"x", "3-", "-3", "3-1", "1,,2", "1;2", "(null)", "0-99999999"})
    CHECK_FALSE(parse_list(text));
}

TEST_CASE("a file that is not there is unknown, and the reason names it") {
  const ScratchRoot root;
  const auto text = read_text(root.path() / "proc/nothing");
  REQUIRE_FALSE(text);
  CHECK(text.unknown().why == Why::not_there);
  CHECK(text.because() ==
        "reading " + (root.path() / "proc/nothing").string() + ": No such file or directory");
}

TEST_CASE("the end of a file's last line is no part of its text") {
  ScratchRoot root;
  root.write("one", "17");
  CHECK(read_text(root.path() / "one").is("17"));
  CHECK(read_number(root.path() / "one").is(17));
}

TEST_CASE("a file that has no number in it is unknown, and the reason says what is in it") {
  ScratchRoot root;
  root.write("one", "-1");
  const auto number = read_number(root.path() / "one");
  REQUIRE_FALSE(number);
  CHECK(number.because().ends_with(": \"-1\" is no number"));
}

TEST_CASE("the value of a field is trimmed, and a longer key is another field") {
  const std::string text = "MemTotal:   16 kB\nMem:\t3\n";
  CHECK(field_of(text, "Mem") == "3");
  CHECK(field_of(text, "MemTotal") == "16 kB");
  CHECK_FALSE(field_of(text, "MemFree"));
}

TEST_CASE("a fact that nobody has read says so") {
  const Fact<bool> fact;
  CHECK_FALSE(fact.known());
  CHECK(fact.unknown().why == Why::not_read);
  CHECK_FALSE(fact.is(false));
}

TEST_CASE("a failed call is told by its kind and in words") {
  CHECK(unknown_errno("trying", EPERM) ==
        Unknown{Why::no_privilege, "trying: Operation not permitted"});
  CHECK(unknown_errno("trying", EOPNOTSUPP).why == Why::not_supported);
  CHECK(unknown_errno("trying", ENODEV).why == Why::not_there);
  CHECK(unknown_errno("trying", EIO).why == Why::failed);
}

}  // namespace guideway::doctor
