// All facts of one interface of the configuration, put together from the other readers.
//
// Threads: one.
#pragma once

#include "control/model.h"
#include "doctor/ethtool.h"
#include "doctor/facts.h"
#include "doctor/files.h"

namespace guideway::doctor {

[[nodiscard]] InterfaceFacts read_interface(const control::Interface& config,
                                            const control::FlowTableConfig& flow_table,
                                            const HostFacts& host, const Ethtool& ethtool,
                                            const Root& root);

// Fills what the workers will take. REQUIRES: the queues and the MTU of `facts` are read.
void reckon_memory(InterfaceFacts& facts, const control::Interface& config,
                   const control::FlowTableConfig& flow_table);

}  // namespace guideway::doctor
