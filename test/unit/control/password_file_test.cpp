// Passwords of peers: a file of their own, and nothing of it in any message.
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "config_bgp_support.h"
#include "control/changes.h"

namespace guideway::control {
namespace {

using namespace testing;
namespace fs = std::filesystem;

// A file of this process, gone when the test is.
class PasswordFile {
 public:
  explicit PasswordFile(std::string_view contents, mode_t mode = 0600) {
    std::string name = (fs::temp_directory_path() / "guideway-password-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    REQUIRE(file >= 0);
    ::close(file);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << contents;
    REQUIRE(::chmod(path_.c_str(), mode) == 0);
  }
  PasswordFile(const PasswordFile&) = delete;
  PasswordFile& operator=(const PasswordFile&) = delete;
  ~PasswordFile() { fs::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A right section with a peer whose password is in the file; the path is at column 58 of line 3.
std::string with_file(const std::string& path) {
  return with_peer("password_file: '" + path + "'");
}

std::string password_of(std::string_view contents) {
  const PasswordFile file(contents);
  const BgpConfig bgp = bgp_of(with_file(file.path()));
  return bgp.speaker.peers.at(0).password;
}

TEST_CASE("A password is the first line of its file, whatever its end and what is behind it") {
  CHECK(password_of("secret\n") == "secret");
  CHECK(password_of("secret") == "secret");
  CHECK(password_of("secret\r\n") == "secret");
  CHECK(password_of("two words \nand more\n") == "two words ");
  CHECK(password_of("\xc3\xa9t\xc3\xa9\n") == "\xc3\xa9t\xc3\xa9");
  const std::string longest(80, 'x');
  CHECK(password_of(longest) == longest);
  CHECK(password_of(longest + "\n") == longest);
  CHECK(password_of(longest + "\r\n") == longest);
  CHECK(password_of("p\n" + std::string(100'000, 'x')) == "p");
}

TEST_CASE("A password that routers and kernels cannot have is an error that does not show it") {
  const auto check = [](std::string_view contents, const std::string& why) {
    const PasswordFile file(contents);
    CHECK(errors(with_file(file.path())) ==
          Lines{"f:3:58: bgp.peers[0].password_file: a password has 1 to 80 bytes of text; the "
                "first line of \"" +
                file.path() + "\" " + why});
  };
  check("", "is empty");
  check("\n", "is empty");
  check("\r\n", "is empty");
  check("\nsecret\n", "is empty");
  check(std::string(81, 'x'), "is longer");
  check(std::string(81, 'x') + "\r\n", "is longer");
  check(std::string(5000, 'x'), "is longer");
  check("se\tcret\n", "has a byte that is no text");
  check(std::string_view("se\0cret\n", 8), "has a byte that is no text");
  check("secr\xe9t\n", "has a byte that is no text");
}

TEST_CASE("A file that is not there, or is none, is an error with its path and the reason") {
  const auto wrong = [](const std::string& path, const std::string& why) {
    return Lines{
        "f:3:58: bgp.peers[0].password_file: must be the absolute path of a file whose "
        "first line is the password; \"" +
        path + "\" " + why};
  };
  const PasswordFile file("secret\n");
  const std::string missing = file.path() + "-not";
  CHECK(errors(with_file(missing)) ==
        wrong(missing, "cannot be opened: No such file or directory"));
  const std::string below = file.path() + "/x";
  CHECK(errors(with_file(below)) == wrong(below, "cannot be opened: Not a directory"));
  CHECK(errors(with_file("/tmp")) == wrong("/tmp", "is no regular file"));
  CHECK(errors(with_file("/dev/null")) == wrong("/dev/null", "is no regular file"));
}

TEST_CASE("A password in the place of its file is an error that does not show it") {
  for (const std::string text : {"bgp-password", "hunter2", " /etc/bgp"})
    CHECK(errors(with_file(text)) ==
          Lines{"f:3:58: bgp.peers[0].password_file: must be the absolute path of a file whose "
                "first line is the password; what stands here is none, and is not shown, as it may "
                "be the password"});
}

TEST_CASE("A pipe in the place of a password file is an error, and is not waited for") {
  const PasswordFile file("");
  fs::remove(file.path());
  REQUIRE(::mkfifo(file.path().c_str(), 0600) == 0);
  const Lines found = errors(with_file(file.path()));
  REQUIRE(found.size() == 1);
  CHECK(found[0].ends_with("is no regular file"));
}

TEST_CASE("A file that may not be read is an error with the reason") {
  const PasswordFile file("secret\n", 0);
  Lines found;
  // Of this thread alone; where it is refused, the mode of the file is enough.
  std::thread([&] {
    ::setfsuid(65534);
    found = errors(with_file(file.path()));
  }).join();
  REQUIRE(found.size() == 1);
  CHECK(found[0].ends_with("cannot be opened: Permission denied"));
}

TEST_CASE("A password that all users of the host can read or change is a warning") {
  for (const mode_t mode : {0604U, 0602U, 0666U}) {
    const PasswordFile file("secret\n", mode);
    CHECK(warnings(with_file(file.path())) ==
          Lines{"f:3:58: bgp.peers[0].password_file: all users of this host can read or change the "
                "password in \"" +
                file.path() + "\"; chmod o-rw it"});
  }
  const PasswordFile group("secret\n", 0640);
  CHECK(warnings(with_file(group.path())).empty());
}

TEST_CASE("A changed password is told as changed, and never shown") {
  const PasswordFile old_file("old-secret\n"), new_file("new-secret\n");
  const Model without = right(with_peers("{address: 10.0.0.1, asn: 64500}")).model;
  const Model before = right(with_file(old_file.path())).model;
  const Model after = right(with_file(new_file.path())).model;
  CHECK(describe_changes(before, after) == Lines{"bgp: peer 10.0.0.1: password changed"});
  CHECK(describe_changes(without, after) == Lines{"bgp: peer 10.0.0.1: password added"});
  CHECK(describe_changes(before, without) == Lines{"bgp: peer 10.0.0.1: password removed"});
}

}  // namespace
}  // namespace guideway::control
