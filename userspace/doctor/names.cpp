// The words of facts.h.
#include "doctor/facts.h"

namespace guideway::doctor {

std::string_view name(XdpFeatures::Source source) {
  return source == XdpFeatures::Source::kernel ? "kernel" : "table";
}

std::string_view name(XdpProgram::Mode mode) {
  switch (mode) {
    case XdpProgram::Mode::native: return "native";
    case XdpProgram::Mode::generic: return "generic";
    case XdpProgram::Mode::hardware: return "hardware";
    case XdpProgram::Mode::several: return "several";
  }
  return "?";
}

std::string_view name(Interrupt::Serves serves) {
  switch (serves) {
    case Interrupt::Serves::receive: return "receive";
    case Interrupt::Serves::transmit: return "transmit";
    case Interrupt::Serves::both: return "both";
    case Interrupt::Serves::other: return "other";
  }
  return "?";
}

std::string_view name(RouteFact::Kind kind) {
  switch (kind) {
    case RouteFact::Kind::none: return "none";
    case RouteFact::Kind::local: return "local";
    case RouteFact::Kind::unsupported: return "unsupported";
    case RouteFact::Kind::unicast: return "unicast";
  }
  return "?";
}

std::string_view name(NeighbourFact::State state) {
  switch (state) {
    case NeighbourFact::State::none: return "none";
    case NeighbourFact::State::incomplete: return "incomplete";
    case NeighbourFact::State::reachable: return "reachable";
    case NeighbourFact::State::stale: return "stale";
    case NeighbourFact::State::delay: return "delay";
    case NeighbourFact::State::probe: return "probe";
    case NeighbourFact::State::failed: return "failed";
    case NeighbourFact::State::noarp: return "noarp";
    case NeighbourFact::State::permanent: return "permanent";
  }
  return "?";
}

}  // namespace guideway::doctor
