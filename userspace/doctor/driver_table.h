// Which drivers have native XDP, and AF_XDP zero-copy, and since which kernel: from documentation,
// for kernels that do not tell (before 6.3), and to say which kernel would have it. Kernels of
// distributions may have it earlier.
//
// Sources: the commits that brought it, as listed in docs/kernel-versions.md of bcc and in Cilium's
// guide to XDP (drivers supporting native XDP), and for zero-copy the drivers' own commits.
#pragma once

#include <string_view>

#include "doctor/facts.h"

namespace guideway::doctor {

// nullptr: the driver is not in the table.
[[nodiscard]] const DriverSupport* find_driver(std::string_view driver);

// What the table says of a driver on this kernel.
[[nodiscard]] Fact<XdpFeatures> documented_features(std::string_view driver,
                                                    const KernelFacts& kernel);

}  // namespace guideway::doctor
