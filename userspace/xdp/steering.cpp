#include "xdp/steering.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <iterator>
#include <span>

#include "steer.skel.h"
#include "xdp/counts.h"
#include "xdp/steer_verdict.h"

namespace guideway::xdp {
namespace {

std::uint64_t order(const gw_vip_key& key) { return std::bit_cast<std::uint64_t>(key); }
bool before(const gw_vip_key& a, const gw_vip_key& b) { return order(a) < order(b); }

}  // namespace

struct Steering::Program {
  steer_bpf* skeleton;
};

void Steering::ProgramDelete::operator()(Program* program) const {
  steer_bpf__destroy(program->skeleton);
  delete program;
}

Steering::Steering(ProgramPointer program, Attachment attachment)
    : program_(std::move(program)), attachment_(std::move(attachment)) {}

Steering::~Steering() = default;

std::vector<gw_vip_key> vip_entries(const std::vector<Endpoint>& services) {
  std::vector<gw_vip_key> entries;
  for (const Endpoint& service : services) {
    const std::uint32_t address = service.address.wire().wire();
    entries.push_back({.address = address, .port = 0, .protocol = 0, .zero = 0});
    entries.push_back({.address = address,
                       .port = Be16(service.port).wire(),
                       .protocol = static_cast<std::uint8_t>(service.protocol),
                       .zero = 0});
  }
  std::ranges::sort(entries, before);
  const auto repeated = std::ranges::unique(entries, {}, order);
  entries.erase(repeated.begin(), repeated.end());
  return entries;
}

Result<std::unique_ptr<Steering>> Steering::attach(const Nic& nic, AttachMode mode) {
  route_library_output();
  ProgramPointer program(new Program{steer_bpf__open()});
  if (program->skeleton == nullptr) return fail_errno("opening the steering program", errno);
  auto attachment = Attachment::attach(program->skeleton->obj, kProgram, nic, mode);
  if (!attachment) return std::unexpected(std::move(attachment).error());
  return std::unique_ptr<Steering>(new Steering(std::move(program), std::move(*attachment)));
}

Result<> Steering::set_socket(std::uint32_t queue, int fd) {
  const int error =
      bpf_map_update_elem(bpf_map__fd(program_->skeleton->maps.sockets), &queue, &fd, BPF_ANY);
  if (error != 0)
    return fail_errno("steering queue " + std::to_string(queue) + " to its socket", -error);
  return {};
}

Result<> Steering::set_vips(const std::vector<Endpoint>& services) {
  const int map = bpf_map__fd(program_->skeleton->maps.vips);
  const std::vector<gw_vip_key> wanted = vip_entries(services);
  std::vector<gw_vip_key> missing, surplus;
  std::ranges::set_difference(wanted, entries_, std::back_inserter(missing), before);
  std::ranges::set_difference(entries_, wanted, std::back_inserter(surplus), before);
  // What the map holds after so many steps: what fails half-way is mended by the next call.
  const auto note = [&](std::size_t added, std::size_t removed) {
    std::vector<gw_vip_key> with, now;
    std::ranges::set_union(entries_, std::span(missing).first(added), std::back_inserter(with),
                           before);
    std::ranges::set_difference(with, std::span(surplus).first(removed), std::back_inserter(now),
                                before);
    entries_ = std::move(now);
  };

  const gw_vip_value value{.flags = 0};
  for (std::size_t i = 0; i < missing.size(); ++i) {
    const int error = bpf_map_update_elem(map, &missing[i], &value, BPF_ANY);
    if (error == 0) continue;
    note(i, 0);
    return fail_errno(
        "adding " + Ipv4Address(Be32::from_wire(missing[i].address)).text() + " to the VIP map",
        -error,
        error == -E2BIG ? "it has room for " + std::to_string(GW_MAX_VIP_ENTRIES) + " entries"
                        : "");
  }
  for (std::size_t i = 0; i < surplus.size(); ++i) {
    const int error = bpf_map_delete_elem(map, &surplus[i]);
    if (error == 0 || error == -ENOENT) continue;
    note(missing.size(), i);
    return fail_errno(
        "removing " + Ipv4Address(Be32::from_wire(surplus[i].address)).text() + " from the VIP map",
        -error);
  }
  note(missing.size(), surplus.size());
  return {};
}

Result<gw_verdict> Steering::verdict_of(std::span<const std::byte> frame) const {
  const int map = bpf_map__fd(program_->skeleton->maps.vips);
  int failure = 0;
  const auto in_vips = [&](const gw_vip_key& key) {
    gw_vip_value value{};
    const int error = bpf_map_lookup_elem(map, &key, &value);
    if (error != 0 && error != -ENOENT) failure = -error;
    return error == 0;
  };
  const gw_verdict verdict = steer_verdict(frame, in_vips);
  if (failure != 0) return fail_errno("looking into the VIP map", failure);
  return verdict;
}

Result<std::array<std::uint64_t, GW_VERDICTS>> Steering::verdicts() const {
  std::array<std::uint64_t, GW_VERDICTS> counts{};
  if (auto read = read_counts(program_->skeleton->maps.verdicts, counts); !read)
    return std::unexpected(std::move(read).error());
  return counts;
}

}  // namespace guideway::xdp
