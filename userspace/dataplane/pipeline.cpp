#include "dataplane/pipeline.h"

#include <cassert>

#include "net/encapsulation.h"
#include "net/wire.h"

namespace guideway::dataplane {
namespace {

bool is_tcp(const Packet& packet) { return packet.flow.protocol == kProtocolTcp; }

// Whether `slot` may keep the flows of a service of `pool` that it was given earlier. A slot from a
// flow table may be of a backend that has gone, or, where two hashes met, of another pool.
bool keeps_flows(const Snapshot& snapshot, BackendSlot slot, PoolIndex pool) {
  if (slot.index() >= snapshot.backends.size()) return false;
  const Backend& backend = snapshot.backends[slot.index()];
  return backend.usable && backend.pool == pool;
}

}  // namespace

DropReason Pipeline::classify(const Frame& frame, const Snapshot& snapshot, Work& work) const {
  const DropReason reason = parse_frame({frame.data, frame.bytes}, work.packet);
  if (reason != DropReason::none) return reason;
  work.service = snapshot.services.find(work.packet.flow);
  if (work.service == nullptr) return DropReason::no_service;
  work.hash = gw_flow_hash(&work.packet.flow, &snapshot.seed);
  flows_.prefetch(work.hash);
  return DropReason::none;
}

DropReason Pipeline::select(const Snapshot& snapshot, flow::Tick now, Work& work) {
  const Pool& pool = snapshot.pools[work.service->pool.index()];
  const flow::Table::Entry entry = flows_.find(work.hash, now);
  if (!entry) return select_anew(pool, now, work);

  // A SYN after FIN or RST is a new connection with the same ports.
  const bool reopened = entry.state() == flow::Class::closing && is_tcp(work.packet) &&
                        (work.packet.tcp_flags & (kTcpSyn | kTcpFin | kTcpRst)) == kTcpSyn;
  const BackendSlot backend{entry.backend()};
  if (reopened || !keeps_flows(snapshot, backend, work.service->pool))
    return reselect(pool, entry, reopened, now, work);

  work.backend = backend;
  const bool tcp = is_tcp(work.packet);
  flows_.refresh(entry, flow::next_class(entry.state(), tcp, work.packet.tcp_flags), now);
  counters_.flow_hits.add(1);
  return DropReason::none;
}

DropReason Pipeline::select_anew(const Pool& pool, flow::Tick now, Work& work) {
  const auto chosen = pool.choose(work.hash);
  if (!chosen) return DropReason::no_backend;
  work.backend = *chosen;
  const flow::Class state =
      flow::next_class(flow::Class::empty, is_tcp(work.packet), work.packet.tcp_flags);
  switch (flows_.insert(work.hash, chosen->value, state, now)) {
    case flow::Table::Insertion::full: counters_.flow_table_full.add(1); return DropReason::none;
    case flow::Table::Insertion::evicted_opening: counters_.flow_evicted_opening.add(1); break;
    case flow::Table::Insertion::inserted: break;
  }
  counters_.flow_inserted.add(1);
  counters_.backend_flows[chosen->index()].add(1);
  return DropReason::none;
}

DropReason Pipeline::reselect(const Pool& pool, flow::Table::Entry entry, bool reopened,
                              flow::Tick now, Work& work) {
  const auto chosen = pool.choose(work.hash);
  if (!chosen) return DropReason::no_backend;
  work.backend = *chosen;
  const flow::Class before = reopened ? flow::Class::empty : entry.state();
  flows_.reassign(entry, chosen->value,
                  flow::next_class(before, is_tcp(work.packet), work.packet.tcp_flags), now);
  (reopened ? counters_.flow_inserted : counters_.flow_moved).add(1);
  counters_.backend_flows[chosen->index()].add(1);
  return DropReason::none;
}

DropReason Pipeline::encapsulate(const Snapshot& snapshot, const Work& work, Frame& frame) {
  const Backend& backend = snapshot.backends[work.backend.index()];
  const Packet& packet = work.packet;
  if (backend.egress_device == 0 || backend.egress_device != egress_device_)
    return DropReason::no_next_hop;
  if (packet.ip_bytes + std::uint32_t{kOuterIpBytes} > backend.egress_mtu)
    return DropReason::too_big;
  if (frame.headroom + packet.ip_offset < sizeof(OuterHeader)) return DropReason::no_headroom;

  frame.data = guideway::encapsulate(backend.outer, frame.data + packet.ip_offset, packet.ip_bytes,
                                     packet.type_of_service);
  frame.bytes = static_cast<std::uint32_t>(sizeof(OuterHeader)) + packet.ip_bytes;
  Forwarded& service = counters_.services[work.service->slot.index()];
  service.packets.add(1);
  service.bytes.add(packet.ip_bytes);
  Forwarded& to_backend = counters_.backends[work.backend.index()];
  to_backend.packets.add(1);
  to_backend.bytes.add(packet.ip_bytes);
  return DropReason::none;
}

void Pipeline::process(std::span<Frame> frames, const Snapshot& snapshot, flow::Tick now,
                       std::size_t room) {
  assert(frames.size() <= kBatch);
  for (std::size_t i = 0; i < frames.size(); ++i)
    frames[i].drop = classify(frames[i], snapshot, work_[i]);
  for (std::size_t i = 0; i < frames.size(); ++i)
    if (frames[i].drop == DropReason::none) frames[i].drop = select(snapshot, now, work_[i]);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    Frame& frame = frames[i];
    if (frame.drop == DropReason::none && room == 0) frame.drop = DropReason::tx_ring_full;
    if (frame.drop == DropReason::none) frame.drop = encapsulate(snapshot, work_[i], frame);
    if (frame.drop == DropReason::none)
      --room;
    else
      counters_.drops[static_cast<std::size_t>(frame.drop)].add(1);
  }
}

}  // namespace guideway::dataplane
