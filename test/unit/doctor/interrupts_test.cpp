#include "doctor/interrupts.h"

#include "scratch_root.h"
#include "support/catch.h"

namespace guideway::doctor {
namespace {

using Serves = Interrupt::Serves;

constexpr const char* kInterrupts =
    "           CPU0       CPU1\n"
    " 24:          1          0  IO-APIC   5-edge      ACPI:Ged\n"
    " 38:          0       1336 PCI-MSIX-0000:00:03.0   1-edge      virtio2-input.0\n"
    " 39:       1024          0 PCI-MSIX-0000:00:03.0   2-edge      virtio2-output.0\n"
    " 40:          0          0 PCI-MSIX-0000:00:03.0   3-edge\n"
    "NMI:          0          0   Non-maskable interrupts\n"
    "ERR:          0\n";

}  // namespace

TEST_CASE("names of interrupts are those that /proc/interrupts ends its lines with") {
  const auto names = parse_interrupt_names(kInterrupts);
  REQUIRE(names.size() == 3);
  CHECK(names.at(24) == "ACPI:Ged");
  CHECK(names.at(38) == "virtio2-input.0");
  CHECK(names.at(39) == "virtio2-output.0");
}

TEST_CASE("the name of an interrupt tells its queue in the way of each driver") {
  struct Example {
    const char* name;
    Served served;
  };
  const Example examples[] = {
      {"ixgbe-eth0-TxRx-3", {Serves::both, 3}},  {"i40e-eth0-TxRx-12", {Serves::both, 12}},
      {"eth0-TxRx-0", {Serves::both, 0}},        {"eth0-Tx-Rx-7", {Serves::both, 7}},
      {"eth0-rxtx-1", {Serves::both, 1}},        {"mlx5_comp4@pci:0000:03:00.0", {Serves::both, 4}},
      {"eth0-fp-2", {Serves::both, 2}},          {"eth0-5", {Serves::both, 5}},
      {"virtio2-input.1", {Serves::receive, 1}}, {"virtio2-output.1", {Serves::transmit, 1}},
      {"eth0-rx-2", {Serves::receive, 2}},       {"eth0-tx-2", {Serves::transmit, 2}},
      {"eth0-Rx6", {Serves::receive, 6}},
  };
  for (const Example& example : examples) {
    INFO(example.name);
    CHECK(served_by_name(example.name, "eth0") == example.served);
  }
}

TEST_CASE("an interrupt whose name tells of no queue is of none") {
  for (const char* name : {"", "eth0", "virtio2-config", "mlx5_async0@pci:0000:03:00.0", "eth1-5",
                           "i40e-0000:03:00.0:misc", "7"}) {
    INFO(name);
    CHECK(served_by_name(name, "eth0") == Served{});
  }
}

TEST_CASE("interrupts of a PCI device are read with their CPUs") {
  ScratchRoot root;
  root.write("sys/devices/pci0/0000:03:00.0/msi_irqs/38", "msix");
  root.write("sys/devices/pci0/0000:03:00.0/msi_irqs/39", "msix");
  root.link("sys/devices/pci0/0000:03:00.0/subsystem", "sys/bus/pci");
  root.link("sys/class/net/eth0/device", "sys/devices/pci0/0000:03:00.0");
  root.write("proc/interrupts", kInterrupts);
  root.write("proc/irq/38/smp_affinity_list", "0-1");
  root.write("proc/irq/38/effective_affinity_list", "1");
  const auto read = read_interrupts("eth0", root.path());
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  const Interrupt& first = read->front();
  CHECK(first.number == 38);
  CHECK(first.name == "virtio2-input.0");
  CHECK(first.serves == Serves::receive);
  CHECK(first.queue == 0);
  CHECK(first.allowed_cpus.is({0, 1}));
  CHECK(first.effective_cpus.is({1}));
  CHECK(read->back().number == 39);
  CHECK(read->back().effective_cpus.unknown().why == Why::not_there);
}

TEST_CASE("interrupts of a virtio device are those of the PCI device below it") {
  ScratchRoot root;
  root.write("sys/devices/pci0/0000:03:00.0/msi_irqs/38", "msix");
  root.link("sys/devices/pci0/0000:03:00.0/subsystem", "sys/bus/pci");
  root.make_folder("sys/devices/pci0/0000:03:00.0/virtio2");
  root.link("sys/devices/pci0/0000:03:00.0/virtio2/subsystem", "sys/bus/virtio");
  root.link("sys/class/net/eth0/device", "sys/devices/pci0/0000:03:00.0/virtio2");
  root.make_folder("sys/bus/pci");
  const auto read = read_interrupts("eth0", root.path());
  REQUIRE(read);
  REQUIRE(read->size() == 1);
  CHECK(read->front().number == 38);
  CHECK(read->front().name.empty());
}

TEST_CASE("interrupts of the bridge above a PCI device are not the device's") {
  ScratchRoot root;
  root.write("sys/devices/0000:00:1c.0/msi_irqs/24", "msi");
  root.link("sys/devices/0000:00:1c.0/subsystem", "sys/bus/pci");
  root.write("sys/devices/0000:00:1c.0/0000:03:00.0/irq", "0");
  root.link("sys/devices/0000:00:1c.0/0000:03:00.0/subsystem", "sys/bus/pci");
  root.link("sys/class/net/eth0/device", "sys/devices/0000:00:1c.0/0000:03:00.0");
  const auto read = read_interrupts("eth0", root.path());
  REQUIRE_FALSE(read);
  CHECK(read.unknown().why == Why::not_there);
}

TEST_CASE("a PCI device with one interrupt line has that one") {
  ScratchRoot root;
  root.write("sys/devices/0000:03:00.0/irq", "24");
  root.link("sys/devices/0000:03:00.0/subsystem", "sys/bus/pci");
  root.link("sys/class/net/eth0/device", "sys/devices/0000:03:00.0");
  root.write("proc/interrupts", kInterrupts);
  const auto read = read_interrupts("eth0", root.path());
  REQUIRE(read);
  REQUIRE(read->size() == 1);
  CHECK(read->front().number == 24);
}

TEST_CASE("an interface without a device has no interrupts, which is known") {
  ScratchRoot root;
  root.make_folder("sys/class/net/veth0");
  const auto read = read_interrupts("veth0", root.path());
  REQUIRE_FALSE(read);
  CHECK(read.because() == "veth0 has no device, so no interrupts");
}

}  // namespace guideway::doctor
