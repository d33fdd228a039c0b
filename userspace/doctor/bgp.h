// What of the host a daemon needs that announces its VIPs: a BGP speaker that listens at bgp.api,
// and a way to each peer. The speaker is connected to and told nothing.
//
// Threads: any. Waits for an API that does not answer for a second.
#pragma once

#include <string>

#include "control/model.h"
#include "doctor/facts.h"
#include "doctor/files.h"

namespace guideway::doctor {

[[nodiscard]] BgpFacts read_bgp(const control::BgpConfig& config, const Root& root);

// `api`: "unix:PATH" or "HOST:PORT", as the file has it.
[[nodiscard]] Fact<ApiFact> read_api(const std::string& api);

}  // namespace guideway::doctor
