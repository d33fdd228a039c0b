// What the host is like that Guideway runs on, or is to run on: plain values, as the kernel says
// them. What of it is good or bad is not said here (judge.h).
//
// read_facts.h fills them. What could not be read is a Fact without a value, with the reason.
// Threads: values; none of their own. Units: bytes, but where a name says another.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/fact.h"
#include "net/address.h"
#include "xdp/driver_support.h"

namespace guideway::doctor {

// ---- an interface ------------------------------------------------------------------------------

struct Driver {
  std::string name;     // "veth", "ixgbe", ..
  std::string version;  // often that of the kernel
  std::string bus;      // such as "0000:03:00.0"; "" of a virtual device
  std::string firmware;
  friend bool operator==(const Driver&, const Driver&) = default;
};

// Queues, as ethtool -l has them. A combined one is both a receive and a transmit queue.
struct Channels {
  std::uint32_t receive = 0, transmit = 0, combined = 0, other = 0;
  std::uint32_t max_receive = 0, max_transmit = 0, max_combined = 0;
  [[nodiscard]] std::uint32_t receive_queues() const { return receive + combined; }
  [[nodiscard]] std::uint32_t transmit_queues() const { return transmit + combined; }
  friend bool operator==(const Channels&, const Channels&) = default;
};

// Descriptors of each queue of the NIC, as ethtool -g has them.
struct Rings {
  std::uint32_t receive = 0, transmit = 0;
  std::uint32_t max_receive = 0, max_transmit = 0;
  friend bool operator==(const Rings&, const Rings&) = default;
};

// Which queues received packets are spread to, as ethtool -x has it.
struct Indirection {
  std::uint32_t entries = 0;
  std::vector<std::uint32_t> queues;  // that are named in it: each once, sorted
  friend bool operator==(const Indirection&, const Indirection&) = default;
};

// What the NIC hashes of a packet to choose its queue, as ethtool -n IF rx-flow-hash has it.
struct HashFields {
  bool addresses = false;  // source and destination
  bool ports = false;      // source and destination: not there in later fragments
  std::uint64_t raw = 0;   // RXH_* of linux/ethtool.h
  friend bool operator==(const HashFields&, const HashFields&) = default;
};

// A feature of the device, as ethtool -k has it under the kernel's own name: "rx-gro", "rx-lro",
// "rx-gro-hw", "rx-checksum", "tx-checksum-ip-generic", "rx-vlan-hw-parse", ..
struct Offload {
  bool on = false;
  bool fixed = false;      // cannot be changed
  bool wanted_on = false;  // was asked for; differs from `on` where something else forbids it
  friend bool operator==(const Offload&, const Offload&) = default;
};

// What native XDP the device has.
struct XdpFeatures {
  enum class Source : std::uint8_t {
    kernel,  // the netdev netlink family, Linux 6.3 and later
    table,   // xdp/driver_support.h: from documentation, for older kernels
  };
  Source source = Source::kernel;
  bool native = false;    // runs XDP programs in the driver
  bool redirect = false;  // to AF_XDP sockets, too
  bool zero_copy = false;
  // Of `kernel` only.
  bool transmit = false;                 // takes frames that another device redirects
  bool multi_buffer = false;             // packets in several buffers: beyond native_mtu_limit()
  std::uint32_t zero_copy_segments = 0;  // at most, of one packet; 0: not said
  std::uint64_t raw = 0;                 // NETDEV_XDP_ACT_*
  friend bool operator==(const XdpFeatures&, const XdpFeatures&) = default;
};
[[nodiscard]] std::string_view name(XdpFeatures::Source source);

using xdp::DriverSupport;  // what is documented of a driver, whatever the kernel that runs

// What the host of a virtual machine has to give its virtio NIC before that has zero-copy, whatever
// the kernel says of its driver.
struct VirtioFacts {
  bool access_platform = false;  // VIRTIO_F_ACCESS_PLATFORM: its memory is mapped for it
  bool ring_reset = false;       // VIRTIO_F_RING_RESET: one queue can be begun anew
  friend bool operator==(const VirtioFacts&, const VirtioFacts&) = default;
};

// The XDP program that is on the interface.
struct XdpProgram {
  enum class Mode : std::uint8_t { native, generic, hardware, several };
  Mode mode{};
  std::uint32_t id = 0;
  // Unknown without CAP_SYS_ADMIN, as are those below.
  Fact<std::string> name;                 // "guideway_steer", "xdp_dispatcher", ..
  Fact<std::vector<std::string>> behind;  // a dispatcher: of the programs that it calls
  // Guideway's own (of a living daemon or of one that was killed: see served_by), or a dispatcher
  // that has it behind it.
  Fact<bool> ours;
  std::uint32_t ours_id = 0;  // of Guideway's own, if it is there
  // A dispatcher of libxdp: another program can be put beside what it has.
  Fact<bool> shares;
  friend bool operator==(const XdpProgram&, const XdpProgram&) = default;
};
[[nodiscard]] std::string_view name(XdpProgram::Mode mode);

// A living process that serves an interface: it holds the lock of xdp/interface_lock.h.
struct Server {
  std::uint32_t pid = 0;
  std::string program;  // its name, such as "guidewayd"; "" if it cannot be read
  // Of that process: bytes that it may lock; nullopt in the Fact: no limit.
  Fact<std::optional<std::uint64_t>> locked_memory_limit_bytes;
  friend bool operator==(const Server&, const Server&) = default;
};

// Another device that this one is tied to.
struct Relative {
  std::string name;
  std::string kind;  // "vlan", "bond", "bridge", ..; "" where the device does not say
  friend bool operator==(const Relative&, const Relative&) = default;
};

struct Interrupt {
  enum class Serves : std::uint8_t { receive, transmit, both, other };
  std::uint32_t number = 0;
  std::string name;  // of /proc/interrupts, such as "ixgbe-eth0-TxRx-3"; "" : it is not in use
  Serves serves = Serves::other;                    // by its name
  std::optional<std::uint32_t> queue;               // by its name; none: the name does not say
  Fact<std::vector<std::uint32_t>> allowed_cpus;    // smp_affinity_list
  Fact<std::vector<std::uint32_t>> effective_cpus;  // effective_affinity_list
  friend bool operator==(const Interrupt&, const Interrupt&) = default;
};
[[nodiscard]] std::string_view name(Interrupt::Serves serves);

struct InterfaceFacts {
  std::string name;         // as the configuration has it
  bool exists = false;      // where not, nothing below was read
  std::string kernel_name;  // differs from `name` where that is an alternative one
  std::uint32_t index = 0;
  Fact<bool> up;       // by the operator
  Fact<bool> carrier;  // not known while it is down
  Fact<std::uint32_t> mtu_bytes;
  Fact<MacAddress> mac;
  Fact<Driver> driver;
  std::string kind;  // DEVTYPE: "vlan", "bond", "bridge", "wlan", ..; "" of a plain device

  std::uint32_t receive_queues = 0, transmit_queues = 0;  // as the daemon counts them (xdp/nic.h)
  Fact<Channels> channels;
  Fact<Rings> rings;
  Fact<Indirection> indirection;
  Fact<HashFields> hash_tcp4, hash_udp4;
  Fact<std::map<std::string, Offload, std::less<>>> offloads;

  Fact<XdpFeatures> xdp;
  Fact<DriverSupport> driver_support;        // unknown: the table does not have the driver
  Fact<std::optional<VirtioFacts>> virtio;   // nullopt in the Fact: it is no virtio device
  std::uint32_t native_mtu_limit_bytes = 0;  // xdp/nic.h; 0: not known
  // Queues that its driver switches on for XDP, if it has as many to spare; 0: none, or not known.
  std::uint32_t queues_for_xdp = 0;
  Fact<std::optional<XdpProgram>> xdp_program;  // nullopt in the Fact: there is none
  Fact<std::optional<Server>> served_by;        // nullopt in the Fact: by nobody

  std::optional<Relative> master;  // the bond or bridge that this is a port of
  std::vector<Relative> upper;     // devices on top of it: VLANs, and `master`
  std::vector<Relative> lower;     // devices below it: ports of a bond, the parent of a VLAN

  Fact<std::vector<Interrupt>> interrupts;
  Fact<std::optional<std::uint32_t>> numa_node;  // nullopt in the Fact: of no node

  // What the workers of this interface will take (xdp/umem.h, flow/table.h).
  std::uint32_t served_queues = 0;
  Fact<std::uint32_t> frame_bytes;        // unknown: the MTU does not fit (xdp::choose_frame_bytes)
  Fact<std::uint64_t> umem_bytes;         // of all queues together: this is locked
  Fact<std::uint64_t> flow_tables_bytes;  // of all queues together: not locked

  Fact<std::uint32_t> rp_filter;  // of the interface itself; the greater of this and `all` counts
  // Filled by the reader of the interface, of its files in /sys/class/net: the kernel's own
  // polling, which busy polling has put off.
  Fact<std::uint32_t> napi_defer_hard_irqs;
  Fact<std::uint64_t> gro_flush_timeout_ns;
};

// ---- a backend ---------------------------------------------------------------------------------

struct RouteFact {
  enum class Kind : std::uint8_t { none, local, unsupported, unicast };  // control/netlink.h
  Kind kind = Kind::none;
  std::string device;  // of `unicast`
  std::uint32_t device_index = 0;
  std::optional<Ipv4Address> gateway;  // none: the backend is on the link
  std::uint32_t mtu_bytes = 0;         // the smaller of the route's and the device's
  std::optional<Ipv4Address> source;   // that the kernel would choose
  bool device_running = false;         // up, and with carrier
  bool device_ethernet = false;        // has MAC addresses
  // The route is that of packets from `encapsulation.source`; false: as that is no address of this
  // host, it is that of packets from whichever source.
  bool from_source = false;
  friend bool operator==(const RouteFact&, const RouteFact&) = default;
};
[[nodiscard]] std::string_view name(RouteFact::Kind kind);

struct NeighbourFact {
  enum class State : std::uint8_t {
    none,  // the kernel has no entry: nobody has asked for it yet
    incomplete,
    reachable,
    stale,
    delay,
    probe,
    failed,
    noarp,
    permanent
  };
  Ipv4Address address;  // the gateway's, or the backend's own
  State state = State::none;
  std::optional<MacAddress> mac;
  friend bool operator==(const NeighbourFact&, const NeighbourFact&) = default;
};
[[nodiscard]] std::string_view name(NeighbourFact::State state);

struct BackendFacts {
  Ipv4Address address;
  Fact<RouteFact> route;
  Fact<NeighbourFact> neighbour;  // of unicast routes
};

// ---- BGP ---------------------------------------------------------------------------------------

// The API of a speaker was connected to.
struct ApiFact {
  bool listens = false;
  std::string cause;  // why not: "No such file or directory"
  friend bool operator==(const ApiFact&, const ApiFact&) = default;
};

struct PeerFacts {
  std::string address;
  Fact<RouteFact> route;          // of IPv4
  Fact<NeighbourFact> neighbour;  // of unicast routes
};

struct BgpFacts {
  std::string api;               // bgp.api
  Fact<ApiFact> answer;          // unknown: this process may not
  Fact<std::string> gobgpd;      // the program's path; unknown: it is not installed
  std::vector<PeerFacts> peers;  // of `managed`, in the order of the configuration
};

// ---- the host ----------------------------------------------------------------------------------

struct KernelFacts {
  std::string release;  // "6.1.0-18-amd64"
  std::uint32_t major = 0, minor = 0;
  [[nodiscard]] bool at_least(std::uint32_t wanted_major, std::uint32_t wanted_minor) const {
    return major != wanted_major ? major > wanted_major : minor >= wanted_minor;
  }
  // "y", "m", "n" or a value, by name without CONFIG_: of the options in kernel_config.h.
  Fact<std::map<std::string, std::string, std::less<>>> config;
  std::string config_file;  // that it was read of

  // Found by trying. Unknown: this process may not try.
  Fact<bool> af_xdp;              // a socket of AF_XDP
  Fact<bool> xdp_programs;        // loading one
  Fact<bool> xskmap;              // making one
  Fact<bool> devmap, cpumap;      // making one; not needed, tell of a complete kernel
  Fact<bool> program_extensions;  // freplace, by which libxdp's dispatcher shares an interface
  Fact<bool> btf;                 // /sys/kernel/btf/vmlinux is there
  Fact<bool> tun;                 // /dev/net/tun can be opened: for checks through the tunnel
  Fact<std::uint32_t> bpf_jit;    // net.core.bpf_jit_enable
};

struct CpuFacts {
  struct Cpu {
    std::uint32_t number = 0;
    std::optional<std::uint32_t> numa_node;
    std::vector<std::uint32_t> siblings;  // threads of the same core, itself included
    friend bool operator==(const Cpu&, const Cpu&) = default;
  };
  Fact<std::vector<std::uint32_t>> online;
  Fact<std::vector<std::uint32_t>> possible;  // the kernel is ready for, such as to be plugged in
  Fact<std::vector<std::uint32_t>> isolated;  // kernel parameter isolcpus
  Fact<std::vector<std::uint32_t>> allowed;   // for this process (and what it starts)
  std::vector<Cpu> cpus;                      // the online ones
};

struct PrivilegeFacts {
  std::uint32_t uid = 0;                    // effective
  Fact<std::uint64_t> effective, bounding;  // masks: bit CAP_* of linux/capability.h
  Fact<bool> no_new_privileges;
  // Unknown counts as no.
  [[nodiscard]] bool has(int capability) const {
    return effective && (*effective >> capability & 1) != 0;
  }
};

struct MemoryFacts {
  Fact<std::uint64_t> total_bytes, available_bytes;
  Fact<std::string> transparent_hugepages;          // "always", "madvise", "never"
  Fact<std::uint64_t> huge_pages, huge_pages_free;  // reserved ones; Guideway needs none
  // RLIMIT_MEMLOCK of this process; nullopt in the Fact: no limit. It counts UMEMs, but for a
  // process with CAP_IPC_LOCK, and before Linux 5.11 BPF maps, too.
  Fact<std::optional<std::uint64_t>> locked_soft_bytes, locked_hard_bytes;
  // Of the control group of this process, the smallest on the way to the root; nullopt in the Fact:
  // no limit.
  Fact<std::optional<std::uint64_t>> cgroup_limit_bytes;
  std::string cgroup;  // its path; "" if not known
  // What the configuration takes: sums over its interfaces, as far as known.
  std::uint64_t umem_bytes = 0, flow_tables_bytes = 0;
};

struct HostFacts {
  KernelFacts kernel;
  CpuFacts cpu;
  PrivilegeFacts privilege;
  MemoryFacts memory;
  Fact<std::uint32_t> rp_filter_all, rp_filter_default;
  struct Address {
    Ipv4Address address;
    std::string interface;
    friend bool operator==(const Address&, const Address&) = default;
  };
  Fact<std::vector<Address>> addresses;  // of this host, but for 127.0.0.0/8
  Fact<bool> bpffs_mounted;              // on /sys/fs/bpf
  Fact<bool> bpffs_writable;             // for this process; unknown where not mounted
  Fact<bool> irqbalance;                 // runs
  std::string libbpf_version;
  Fact<std::string> libxdp_version;
};

struct Facts {
  HostFacts host;
  std::vector<InterfaceFacts> interfaces;  // in the order of the configuration
  std::vector<BackendFacts> backends;      // in the order of Model::backend_addresses()
  std::optional<BgpFacts> bgp{};           // where the configuration has the section
};

}  // namespace guideway::doctor
