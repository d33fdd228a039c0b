// app/thread_facts.h: what proc(5) says of a thread, in words.
#include "app/thread_facts.h"

#include <unistd.h>

#include "support/catch.h"

using guideway::app::describe_thread;

TEST_CASE("a thread that sleeps in the kernel is described by state, place and system call") {
  CHECK(describe_thread("12 (gw-0-eth0) D 1 2 3", "xsk_sendmsg", "44 0x5 0x0 0x0") ==
        "state D (uninterruptible sleep), in xsk_sendmsg, system call 44");
}

TEST_CASE("a name with parentheses does not pass for the state") {
  CHECK(describe_thread("12 (a) R (b) t 1 2 3", "ptrace_stop", "") ==
        "state t (stopped by a debugger), in ptrace_stop");
}

TEST_CASE("a thread that runs is in no place and in no system call") {
  CHECK(describe_thread("12 (gw-0-eth0) R 1 2", "0", "running") == "state R (running)");
  CHECK(describe_thread("12 (gw-0-eth0) S 1 2", "0", "-1 0x7ffc 0x7f21") ==
        "state S (sleep), in no system call");
}

TEST_CASE("what cannot be read is left out") {
  CHECK(describe_thread("12 (gw-0-eth0) Q 1", "", "") == "state Q");
  CHECK(describe_thread("12 (gw", "", "") == "its state cannot be read");
  CHECK(describe_thread("", "futex_wait", "") == "in futex_wait");
  CHECK(describe_thread(-1) == "its state cannot be read");
}

TEST_CASE("a thread of this process is described by what the kernel says now") {
  CHECK(describe_thread(::gettid()).starts_with("state R (running)"));
}
