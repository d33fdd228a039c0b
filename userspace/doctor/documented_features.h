// What native XDP a device has where the kernel does not tell (before Linux 6.3): by its driver, of
// the table of xdp/driver_support.h.
#pragma once

#include <string_view>

#include "doctor/facts.h"

namespace guideway::doctor {

// What the table says of a driver on this kernel; unknown: the driver is not in it.
[[nodiscard]] Fact<XdpFeatures> documented_features(std::string_view driver,
                                                    const KernelFacts& kernel);

}  // namespace guideway::doctor
