#include "doctor/documented_features.h"

#include "xdp/driver_support.h"

namespace guideway::doctor {

Fact<XdpFeatures> documented_features(std::string_view driver, const KernelFacts& kernel) {
  const DriverSupport* support = xdp::find_driver_support(driver);
  if (support == nullptr)
    return Unknown{Why::not_supported,
                   "the kernel does not tell, and nothing is known here of the driver " +
                       (driver.empty() ? std::string("(which has no name)") : std::string(driver))};
  const xdp::KernelVersion own{.major = kernel.major, .minor = kernel.minor};
  return XdpFeatures{.source = XdpFeatures::Source::table,
                     .native = xdp::has_come(support->native_since, own),
                     .redirect = xdp::has_come(support->redirect_since, own),
                     .zero_copy = xdp::has_come(support->zero_copy_since, own)};
}

}  // namespace guideway::doctor
