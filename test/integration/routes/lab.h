// Two network namespaces and the veth pairs between them: "near", in which the test's thread is,
// and "far", where its neighbours live.
//
//        near                                  far
//   up0  10.77.0.1/24  ------------------  far0  10.77.0.2/24, 10.77.0.3/24
//   up1  10.78.0.1/24  ------------------  far1  10.78.0.2/24
//
// The namespaces have no names: they end with the process, however it ends.
#pragma once

#include <string>

#include "core/unique_fd.h"

namespace guideway::test {

// Why there can be no lab here, or empty.
[[nodiscard]] std::string lab_problem();

class Lab {
 public:
  // The namespaces, with nothing in them but loopback. The thread is in "near" from then on.
  Lab();
  // Brings the thread back to where it was.
  ~Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  // The pair number 0 or 1 as in the figure, up and with carrier on return.
  void add_pair(int number);

  // Runs "ip ARGUMENTS"; anything but success fails the test.
  void near(const std::string& arguments) const;
  void far(const std::string& arguments) const;
  // Runs many ip commands, one on each line, in one go.
  void near_batch(const std::string& lines) const;
  // What "ip ARGUMENTS" prints in "near".
  [[nodiscard]] std::string near_output(const std::string& arguments) const;
  // Writes to a file below /proc/sys/net/ipv4 of "near".
  void near_setting(const std::string& file, int value) const;

 private:
  UniqueFd home_, near_, far_;
};

}  // namespace guideway::test
