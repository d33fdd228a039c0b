// What a thread of this process is doing, as far as the kernel tells (proc(5)): for the log line
// about one that does not go on.
//
// Threads: any.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace guideway::app {

// "state D (uninterruptible sleep), in xsk_wait, system call 44"; what cannot be read is left out,
// all of it: "its state cannot be read". `stat`, `wchan` and `syscall` are what the files of that
// name in /proc/self/task/TID hold.
[[nodiscard]] std::string describe_thread(std::string_view stat, std::string_view wchan,
                                          std::string_view syscall);

// The same of a thread of this process, read now.
[[nodiscard]] std::string describe_thread(pid_t thread);

}  // namespace guideway::app
