// Reads all facts of the host: the one entrance to the readers of this folder.
//
// Changes nothing on the host. To find out what the kernel can do, it loads and drops tiny BPF
// programs and maps, and opens sockets; where VIPs are announced it connects to the API of the BGP
// speaker, and says nothing there. No other packet is sent, nothing is attached.
//
// Threads: one at a time; libbpf's log is off meanwhile. Takes some ten milliseconds, and a second
// more where the speaker is on another host that does not answer.
// Errors: none; what cannot be read says so in its place (fact.h).
#pragma once

#include "control/model.h"
#include "doctor/facts.h"
#include "doctor/files.h"

namespace guideway::doctor {

// `model` says which interfaces and backends to look at; nullptr: none, the host alone.
[[nodiscard]] Facts read_facts(const control::Model* model, const Root& root = "/");

}  // namespace guideway::doctor
