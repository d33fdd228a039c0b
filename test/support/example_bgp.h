// What a daemon that announces its VIPs tells about it, every number different: one session of two,
// and a route of each state, for the tests of how it is shown.
#pragma once

#include <chrono>

#include "observe/bgp_status.h"

namespace guideway::observe {

inline BgpStatus example_bgp() {
  using std::chrono::seconds;
  BgpStatus bgp;
  bgp.mode = "managed";
  bgp.api = "unix:/run/guideway-bgp/api.sock";
  bgp.role = "active";
  bgp.contact = "reached";
  bgp.contact_for = seconds(3720);
  bgp.in_step = true;
  bgp.speaker = "GoBGP";
  bgp.asn = 64512;
  bgp.router_id = "10.0.0.10";
  bgp.sessions = {{.peer = "10.0.0.1",
                   .asn = 64500,
                   .state = "established",
                   .state_for = seconds(3700),
                   .hold_time = seconds(9),
                   .flaps = 2,
                   .graceful_restart = true,
                   .updates_sent = 14,
                   .updates_received = 15},
                  {.peer = "2001:db8::1",
                   .asn = 64501,
                   .state = "active",
                   .state_for = seconds(185),
                   .hold_time = seconds(0),
                   .flaps = 3,
                   .graceful_restart = false,
                   .updates_sent = 16,
                   .updates_received = 17}};
  bgp.routes = {{.prefix = "198.51.100.1/32",
                 .services = {"web"},
                 .state = "announced",
                 .why = "",
                 .damped_for = seconds(0),
                 .withdrawals = 1,
                 .held = true,
                 .attributes = "med 50, communities 64512:100 no-export"},
                {.prefix = "198.51.100.2/32",
                 .services = {"dns", "dns-tcp"},
                 .state = "damped",
                 .why = "well, but not for long enough yet",
                 .damped_for = seconds(6),
                 .withdrawals = 4,
                 .held = false,
                 .attributes = "med 50, communities 64512:100 no-export"},
                {.prefix = "198.51.100.3/32",
                 .services = {"mail"},
                 .state = "withdrawn",
                 .why = "mail: pool mail: 0 of 3 backends usable, 1 needed",
                 .damped_for = seconds(0),
                 .withdrawals = 5,
                 .held = false,
                 .attributes = "med 50, communities 64512:100 no-export"}};
  bgp.foreign = 18;
  bgp.calls = 3721;
  bgp.failures = 19;
  bgp.starts = 20;
  bgp.added = 21;
  bgp.deleted = 22;
  bgp.changed = 23;
  bgp.corrected = 24;
  return bgp;
}

}  // namespace guideway::observe
