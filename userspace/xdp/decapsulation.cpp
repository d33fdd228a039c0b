#include "xdp/decapsulation.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "bpf/abi.h"
#include "decap.skel.h"
#include "xdp/counts.h"
#include "xdp/interface_lock.h"
#include "xdp/nic.h"

namespace guideway::xdp {
namespace {

constexpr const char* kProgram = "guideway_decap";

constexpr auto kNames = std::to_array<std::string_view>({
#define GW_VERDICT_NAME(name) #name,
    GW_DECAP_VERDICT_LIST(GW_VERDICT_NAME)
#undef GW_VERDICT_NAME
});

std::vector<Ipv4Address> addresses_of(const std::string& interface) {
  std::vector<Ipv4Address> addresses;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET || interface != at->ifa_name)
      continue;
    sockaddr_in address{};
    std::memcpy(&address, at->ifa_addr, sizeof address);
    addresses.emplace_back(Be32::from_wire(address.sin_addr.s_addr));
  }
  ::freeifaddrs(list);
  return addresses;
}

Result<> fill(const bpf_map* map, const std::vector<Ipv4Address>& addresses) {
  const std::uint32_t present = 1;
  for (const Ipv4Address address : addresses) {
    const std::uint32_t key = address.wire().wire();
    if (const int error = bpf_map_update_elem(bpf_map__fd(map), &key, &present, BPF_ANY);
        error != 0)
      return fail_errno("adding " + address.text() + " to BPF map " + bpf_map__name(map), -error,
                        error == -E2BIG
                            ? "at most " + std::to_string(GW_DECAP_MAX_ADDRESSES) + " addresses"
                            : "");
  }
  return {};
}

struct SkeletonDestroy {
  void operator()(decap_bpf* skeleton) const { decap_bpf__destroy(skeleton); }
};

}  // namespace

class Decapsulation::Impl {
 public:
  InterfaceLock lock;
  std::unique_ptr<decap_bpf, SkeletonDestroy> skeleton;
  std::vector<Ipv4Address> locals;
  std::unique_ptr<Attachment> attachment;  // goes first

  [[nodiscard]] Result<> attach(const Nic& nic, bool restricted, AttachMode mode, Sharing sharing);
  [[nodiscard]] Result<> attach_somehow(const Nic& nic, bool restricted);
};

// Each try needs an object of its own: one that was loaded cannot be loaded again.
Result<> Decapsulation::Impl::attach(const Nic& nic, bool restricted, AttachMode mode,
                                     Sharing sharing) {
  skeleton.reset(decap_bpf__open());
  if (!skeleton) return fail_errno("opening the decapsulation program", errno);
  skeleton->rodata->restricted = restricted ? 1 : 0;
  auto attached = Attachment::attach(skeleton->obj, kProgram, nic, mode, sharing);
  if (!attached) return std::unexpected(std::move(attached).error());
  attachment = std::make_unique<Attachment>(std::move(*attached));
  return {};
}

// Newer kernels (seen on Debian's 6.12 and 7.3) refuse a program that moves the beginning of
// packets, as this one does, behind a dispatcher that was not made for that, as that of
// libxdp 1.3.1 was not: EINVAL (xdp-tools pull request 509). It can be there by itself.
Result<> Decapsulation::Impl::attach_somehow(const Nic& nic, bool restricted) {
  Error native_error;
  for (const AttachMode mode : {AttachMode::native, AttachMode::generic}) {
    auto attached = attach(nic, restricted, mode, Sharing::if_possible);
    if (!attached && attached.error().number == EINVAL)
      attached = attach(nic, restricted, mode, Sharing::never);
    if (attached || no_mode_helps(attached.error())) return attached;
    if (mode == AttachMode::native) native_error = std::move(attached).error();
  }
  return std::unexpected(std::move(native_error));
}

Decapsulation::Decapsulation(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Decapsulation::~Decapsulation() = default;

Result<std::unique_ptr<Decapsulation>> Decapsulation::attach(const DecapsulationOptions& options) {
  route_library_output();
  auto impl = std::make_unique<Impl>();
  const auto nic = find_nic(options.interface);
  if (!nic) return std::unexpected(nic.error());
  auto lock = InterfaceLock::take(kProgram, nic->name, nic->index);
  if (!lock) return std::unexpected(std::move(lock).error());
  impl->lock = std::move(*lock);
  impl->locals = options.locals.empty() ? addresses_of(options.interface) : options.locals;
  if (impl->locals.empty())
    return fail("decapsulating on " + options.interface + ": it has no IPv4 address",
                "give it one, or name the tunnel's destination with --local");

  if (auto attached = impl->attach_somehow(*nic, !options.sources.empty()); !attached)
    return std::unexpected(std::move(attached).error());
  if (auto done = fill(impl->skeleton->maps.sources, options.sources); !done)
    return std::unexpected(done.error());
  if (auto done = fill(impl->skeleton->maps.locals, impl->locals); !done)
    return std::unexpected(done.error());
  return std::unique_ptr<Decapsulation>(new Decapsulation(std::move(impl)));
}

AttachMode Decapsulation::mode() const { return impl_->attachment->mode(); }
bool Decapsulation::dispatcher() const { return impl_->attachment->dispatcher(); }
const std::vector<Ipv4Address>& Decapsulation::locals() const { return impl_->locals; }

std::vector<std::pair<std::string, std::uint64_t>> Decapsulation::counters() const {
  std::array<std::uint64_t, GW_DECAP_VERDICTS> counts{};
  std::vector<std::pair<std::string, std::uint64_t>> named;
  if (!read_counts(impl_->skeleton->maps.decap_verdicts, counts)) return named;
  for (std::size_t i = 0; i < counts.size(); ++i) named.emplace_back(kNames[i], counts[i]);
  return named;
}

}  // namespace guideway::xdp
