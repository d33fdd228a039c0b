// A Model while it is read: its values, and where in the file those stand that are still to be
// compared with each other.
//
// Invariants: each vector of places is as long as what it stands beside, also in the presence of
// problems; a value that was not readable has a default in the model and a Place that is false.
#pragma once

#include <string>
#include <vector>

#include "control/config_reader.h"
#include "control/model.h"

namespace guideway::control {

struct InterfacePlaces {
  Place name;
  Place queue_list;           // false with `queues: all`
  std::vector<Place> queues;  // beside Interface::queues
};

struct CheckPlaces {
  Place tunnel;  // of `via: tunnel` where no `vip` is beside it: a VIP is still to be found
  Place vip;     // false: not in the file
};

struct PoolPlaces {
  Place name;
  Place table_size;                 // false: not in the file
  Place min_healthy;                // false: not in the file
  Place backends;                   // of the list
  std::vector<Place> addresses;     // beside PoolConfig::backends
  std::vector<CheckPlaces> checks;  // beside PoolConfig::checks
};

struct ServicePlaces {
  Place name;
  Place vip;
  std::vector<Place> ports;  // beside ServiceConfig::endpoints
  Place pool;
  std::string pool_name;  // what ServiceConfig::pool is to be found by
};

struct PeerPlaces {
  Place address;
  Place asn;
  Place multihop;  // false, as those below: not in the file
  Place local_address;
};

// All false where there is no `bgp`.
struct BgpPlaces {
  Place section;
  Place role;
  Place router_id;
  std::vector<PeerPlaces> peers;  // beside SpeakerConfig::peers
  std::vector<Place> prefixes;    // beside Policy::prefixes
  Place next_hop;
  Place local_preference;
  Place passive;  // of the mapping
  Place passive_local_preference;
  Place prepend;
};

struct Draft {
  Model model;
  std::vector<InterfacePlaces> interfaces;
  Place source;
  Place pool_list;
  std::vector<PoolPlaces> pools;
  Place service_list;
  std::vector<ServicePlaces> services;
  Place metrics_listen;  // false: not in the file
  BgpPlaces bgp;
  Place shutdown_drain;  // false: not in the file
};

// Reads all sections under `root`, reports all that is wrong with a value by itself.
[[nodiscard]] Draft read_draft(const Cursor& root);

}  // namespace guideway::control
