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

DropReason Pipeline::classify(std::span<const std::byte> frame, const Snapshot& snapshot,
                              Work& work) const {
  work.fresh = {};
  const DropReason reason = parse_frame(frame, work.packet);
  if (reason != DropReason::none) return reason;
  work.service = snapshot.services.find(work.packet.flow);
  if (work.service == nullptr) return DropReason::no_service;
  work.hash = gw_flow_hash(&work.packet.flow, &snapshot.seed);
  flows_.prefetch(work.hash);
  return DropReason::none;
}

Pipeline::Selection Pipeline::decide(const Snapshot& snapshot, flow::Tick now,
                                     const Work& work) const {
  const flow::Table::Entry entry = flows_.find(work.hash, now);
  Choice choice = Choice::chosen;
  if (entry) {
    // A SYN after FIN or RST is a new connection with the same ports.
    const bool reopened = entry.state() == flow::Class::closing && is_tcp(work.packet) &&
                          (work.packet.tcp_flags & (kTcpSyn | kTcpFin | kTcpRst)) == kTcpSyn;
    const BackendSlot backend{entry.backend()};
    if (!reopened && keeps_flows(snapshot, backend, work.service->pool))
      return {.choice = Choice::kept, .backend = backend, .entry = entry};
    choice = reopened ? Choice::reopened : Choice::moved;
  }
  const auto chosen = snapshot.pools[work.service->pool.index()].choose(work.hash);
  if (!chosen) return {.drop = DropReason::no_backend, .entry = entry};
  return {.choice = choice, .backend = *chosen, .entry = entry};
}

DropReason Pipeline::select(const Snapshot& snapshot, flow::Tick now, Work& work) {
  const Selection selection = decide(snapshot, now, work);
  if (selection.drop != DropReason::none) return selection.drop;
  work.backend = selection.backend;
  remember(selection, now, work);
  return DropReason::none;
}

void Pipeline::remember(const Selection& selection, flow::Tick now, Work& work) {
  const flow::Class before = selection.choice == Choice::kept || selection.choice == Choice::moved
                                 ? selection.entry.state()
                                 : flow::Class::empty;
  const flow::Class state = flow::next_class(before, is_tcp(work.packet), work.packet.tcp_flags);
  if (selection.choice == Choice::kept) {
    flows_.refresh(selection.entry, state, now);
    counters_.flow_hits.add(1);
    return;
  }
  const BackendSlot backend = selection.backend;
  if (selection.choice == Choice::chosen) {
    const auto inserted = flows_.insert(work.hash, backend.value, state, now, work.fresh);
    if (inserted == flow::Table::Insertion::full) {
      counters_.flow_table_full.add(1);
      return;
    }
    if (inserted == flow::Table::Insertion::evicted_opening) counters_.flow_evicted_opening.add(1);
  } else {
    flows_.reassign(selection.entry, backend.value, state, now);
  }
  (selection.choice == Choice::moved ? counters_.flow_moved : counters_.flow_inserted).add(1);
  counters_.backend_flows[backend.index()].add(1);
}

DropReason Pipeline::fits(const Backend& backend, const Packet& packet) const {
  if (backend.egress_device == 0 || backend.egress_device != egress_device_)
    return DropReason::no_next_hop;
  if (packet.ip_bytes + std::uint32_t{kOuterIpBytes} > backend.egress_mtu)
    return DropReason::too_big;
  return DropReason::none;
}

DropReason Pipeline::encapsulate(const Snapshot& snapshot, const Work& work, Frame& frame) {
  const Backend& backend = snapshot.backends[work.backend.index()];
  const Packet& packet = work.packet;
  if (const DropReason reason = fits(backend, packet); reason != DropReason::none) return reason;
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

Explanation Pipeline::explain(std::span<const std::byte> frame, const Snapshot& snapshot,
                              flow::Tick now) const {
  Explanation told;
  told.generation = snapshot.generation;
  Work work;
  told.drop = classify(frame, snapshot, work);
  told.packet = work.packet;
  if (told.drop != DropReason::none) return told;
  told.service = *work.service;
  told.hash = work.hash;
  const Pool& pool = snapshot.pools[work.service->pool.index()];
  if (!pool.table->empty()) {
    told.table_size = pool.table->size();
    told.table_slot = gw_table_slot(work.hash, told.table_size);
    told.table_backend = pool.choose(work.hash);
  }
  const Selection selection = decide(snapshot, now, work);
  if (const auto& entry = selection.entry)
    told.entry = {.backend = BackendSlot{entry.backend()},
                  .state = entry.state(),
                  .age = entry.age(now),
                  .keeps = keeps_flows(snapshot, BackendSlot{entry.backend()}, work.service->pool)};
  told.choice = selection.choice;
  told.drop = selection.drop;
  if (told.drop != DropReason::none) return told;
  told.backend = selection.backend;
  const Backend& backend = snapshot.backends[selection.backend.index()];
  told.outer_ip_bytes = std::uint32_t{work.packet.ip_bytes} + kOuterIpBytes;
  told.egress_mtu = backend.egress_mtu;
  told.drop = fits(backend, work.packet);
  return told;
}

void Pipeline::process(std::span<Frame> frames, const Snapshot& snapshot, flow::Tick now,
                       std::size_t room) {
  assert(frames.size() <= kBatch);
  for (std::size_t i = 0; i < frames.size(); ++i)
    frames[i].drop = classify({frames[i].data, frames[i].bytes}, snapshot, work_[i]);
  for (std::size_t i = 0; i < frames.size(); ++i)
    if (frames[i].drop == DropReason::none) frames[i].drop = select(snapshot, now, work_[i]);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    Frame& frame = frames[i];
    if (work_[i].fresh) flows_.set_key(work_[i].fresh, work_[i].packet.flow);
    if (frame.drop == DropReason::none && room == 0) frame.drop = DropReason::tx_ring_full;
    if (frame.drop == DropReason::none) frame.drop = encapsulate(snapshot, work_[i], frame);
    if (frame.drop == DropReason::none)
      --room;
    else
      counters_.drops[static_cast<std::size_t>(frame.drop)].add(1);
  }
}

}  // namespace guideway::dataplane
