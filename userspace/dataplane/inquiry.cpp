#include "dataplane/inquiry.h"

namespace guideway::dataplane {
namespace {

// Looks at the next buckets; true when it is done.
bool go_on(FlowSurvey& survey, std::size_t& looked_at, const flow::Table& flows, flow::Tick now) {
  for (std::size_t turn = 0; turn < kSurveyPerTurn; ++turn) {
    survey.complete = survey.next_bucket >= flows.buckets();
    if (survey.complete || looked_at == survey.most_buckets || survey.found.size() >= survey.limit)
      return true;
    flows.visit(survey.next_bucket, now, [&](const gw_flow_key& key, flow::Table::Entry entry) {
      const BackendSlot backend{entry.backend()};
      if (!survey.filter.wants(key, backend)) return;
      survey.found.push_back(
          {.key = key, .backend = backend, .state = entry.state(), .age = entry.age(now)});
    });
    ++survey.next_bucket;
    ++looked_at;
  }
  return false;
}

}  // namespace

bool FlowFilter::wants(const gw_flow_key& key, BackendSlot backend) const {
  if (!backends.empty() && !backends.contains(backend)) return false;
  if (client_bits > 0) {
    const std::uint32_t source = Be32::from_wire(key.source_address).host();
    if (((source ^ client.host()) >> (32U - client_bits)) != 0) return false;
  }
  return services.empty() || services.contains(destination_of(key));
}

bool Inquiry::work(const Pipeline& pipeline, const flow::Table& flows, const Snapshot& snapshot,
                   flow::Tick now) {
  if (auto* packet = std::get_if<PacketInquiry>(&about_))
    packet->explanation = pipeline.explain(packet->frame, snapshot, now);
  else if (!go_on(std::get<FlowSurvey>(about_), looked_at_, flows, now))
    return false;
  answered_.store(true, std::memory_order_release);
  return true;
}

}  // namespace guideway::dataplane
