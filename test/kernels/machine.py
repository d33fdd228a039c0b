"""One command in a throw-away virtual machine on a stock kernel.

    host                                     guest
    /  (9p, read-only) ────────────────────▶ /   below a RAM layer: what is installed or built here runs there
    machine.folder (9p) ◀──────────────────▶ the same path: the only place that outlives the guest
    console.log, on_line ◀────────────────── ttyS0: kernel and command
    exit code ◀───────────────────────────── ttyS1

QEMU emulates the CPU (TCG), as a kernel in a virtual machine of its own needs no right of the host's
that way. A machine with a virtio NIC has its taps and their bridge in a network namespace that has no
name and ends with QEMU; all other NICs are joined by a hub inside QEMU. QEMU dies with the thread that
started it, however that ends: nothing is ever left to remove.

Threads: run() may be called on several at once, each with a folder of its own; `stopping`, when it is
set, ends all of them."""
import contextlib
import os
import pathlib
import re
import select
import shlex
import shutil
import subprocess
import threading
import time
import typing

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
MEMORY_MIB = 2048
CPUS = 2
END_S = 30  # for QEMU, from the end of its output to its own
# What the first root needs to reach the second.
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
# Plain frames, with checksums of their own: what one NIC sends is what the other receives.
_PLAIN = ("csum=off,gso=off,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,"
          "host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off")
_VIRTIO = f"virtio-net-pci,iommu_platform=on,{_PLAIN}"
_TAP_MTU_BYTES = 9000
# $1 is the tap of nic0, $2 that of nic1, which has several queues; what follows is exec'ed.
_JOIN_TAPS = f"""\
set -e
for family in default all; do
    [ ! -e /proc/sys/net/ipv6 ] || echo 1 > /proc/sys/net/ipv6/conf/$family/disable_ipv6
done
ip link add joined type bridge mcast_snooping 0 stp_state 0 ageing_time 0
ip tuntap add "$1" mode tap
ip tuntap add "$2" mode tap multi_queue
for tap in "$1" "$2"; do
    ip link set "$tap" mtu {_TAP_MTU_BYTES} master joined up
done
ip link set joined up
shift 2
exec "$@"
"""
VIRTIO_QUEUES = 4
# The models of nic0 and nic1.
HARDWARE = {"veth": (), "igb": ("igb", "igb"), "e1000e": ("e1000e", "e1000e"),
            "virtio": (_VIRTIO, f"{_VIRTIO},mq=on,vectors={2 * VIRTIO_QUEUES + 2}")}

stopping = threading.Event()


class Ended(typing.NamedTuple):
    """How a machine ended. `exit_code` is the command's; None: there is none, and `why` says why."""
    exit_code: int | None
    why: str = ""


def nic_names(hardware):
    return " ".join(f"nic{number}" for number in range(len(HARDWARE[hardware])))


def _initrd(kernel, folder, command, work):
    root = work / "root"
    (root / "modules").mkdir(parents=True)
    shutil.copy("/bin/busybox", root)
    for script, name in (("first_init.sh", "init"), ("second_init.sh", "second_init.sh")):
        shutil.copy(HERE / script, root / name)
        (root / name).chmod(0o755)
    settings = {"project": PROJECT, "out": folder, "release": kernel.release, "command": command,
                "modules": kernel.folder.resolve() / "lib/modules" / kernel.release}
    (root / "machine").write_text("".join(f"{name}={shlex.quote(str(value))}\n" for name, value in settings.items()))
    listed = subprocess.run(["modprobe", "-d", kernel.folder, "-S", kernel.release, "--show-depends", "-a", *MODULES],
                            capture_output=True, text=True, check=True).stdout
    for number, path in enumerate(dict.fromkeys(re.findall(r"^insmod (\S+)", listed, re.MULTILINE)), 100):
        unpack = ["xz", "-dc", path] if path.endswith(".xz") else ["cat", path]
        with open(root / f"modules/{number}.ko", "wb") as module:
            subprocess.run(unpack, stdout=module, check=True)
    names = "".join(f"{path.relative_to(root)}\n" for path in sorted(root.rglob("*")))
    with open(work / "initrd", "wb") as archive:
        subprocess.run(["busybox", "cpio", "-o", "-H", "newc"], cwd=root, input=names.encode(), stdout=archive,
                       stderr=subprocess.DEVNULL, check=True)
    return work / "initrd"


def _nics(hardware):
    """Each on a PCIe port of its own, as igb's virtual functions want one."""
    arguments = []
    for number, model in enumerate(HARDWARE[hardware]):
        if hardware == "virtio":
            queues = f",queues={VIRTIO_QUEUES}" if "mq=on" in model else ""
            end = f"tap,id=net{number},ifname=tap{number}{queues},script=no,downscript=no"
        else:
            end = f"hubport,id=net{number},hubid=0"
        arguments += ["-netdev", end, "-device", f"pcie-root-port,id=port{number},chassis={number + 1}",
                      "-device", f"{model},bus=port{number},netdev=net{number},mac=52:54:00:00:00:0{number}"]
    return arguments


def _qemu(kernel, hardware, folder, initrd, status):
    plain = "security_model=none,multidevs=remap"
    command = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi",
               "-cpu", "max", "-smp", str(CPUS), "-m", str(MEMORY_MIB), "-nodefaults", "-display", "none",
               "-no-reboot", "-serial", "stdio", "-serial", f"file:{status}",
               "-kernel", str(kernel.image), "-initrd", str(initrd),
               "-append", "console=ttyS0 quiet loglevel=4 panic=-1 oops=panic mitigations=off no_timer_check",
               "-virtfs", f"local,path=/,mount_tag=root,readonly=on,{plain}",
               "-virtfs", f"local,path={folder},mount_tag=out,{plain}", *_nics(hardware)]
    if hardware == "virtio":
        command = ["unshare", "--net", "sh", "-c", _JOIN_TAPS, "sh", "tap0", "tap1", *command]
    return command


def _follow(qemu, console, on_line, alive, silence_s, limit_s):
    """Copies the console until QEMU ends: "". Otherwise the reason for which it is to be ended."""
    began = heard = time.monotonic()
    rest = b""
    with open(console, "ab", buffering=0) as log:
        while not stopping.is_set():
            if select.select([qemu.stdout], [], [], 1.0)[0]:
                data = os.read(qemu.stdout.fileno(), 65536)
                if not data:
                    return ""
                data = data.replace(b"\r", b"")
                log.write(data)
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    on_line(line.decode(errors="replace"))
                if alive is None:
                    heard = time.monotonic()
            if alive is not None and alive():
                heard = time.monotonic()
            if time.monotonic() - heard > silence_s:
                return f"the guest hangs: no sign of {'it' if alive is None else 'its tests'} for {silence_s:g} s"
            if time.monotonic() - began > limit_s:
                return f"the guest came to no end in {limit_s:g} s"
    return "interrupted"


def run(kernel, hardware, folder, command, silence_s, limit_s, on_line=lambda line: None, alive=None):
    """Boots, runs `command` (a line of bash) in `folder` as root, and waits for the end. `on_line` is
    given the console's lines. The machine is ended after `limit_s`, and without a sign for `silence_s`.
    A sign is what `alive` says, which is asked each second at least: a kernel that hangs may print for
    ever. Without `alive` it is whatever the console prints."""
    work = folder / ".boot"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        return _run(kernel, hardware, folder, command, work,
                    lambda qemu, console: _follow(qemu, console, on_line, alive, silence_s, limit_s))
    finally:
        shutil.rmtree(work)


def _run(kernel, hardware, folder, command, work, follow):
    status, console = work / "status", folder / "console.log"
    began_at = console.stat().st_size if console.exists() else 0
    command_line = _qemu(kernel, hardware, folder, _initrd(kernel, folder, command, work), status)
    with open(work / "qemu", "wb") as errors:
        qemu = subprocess.Popen(command_line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                                start_new_session=True)
    try:
        why = follow(qemu, console)
        if not why:
            with contextlib.suppress(subprocess.TimeoutExpired):
                qemu.wait(END_S)
    finally:
        qemu.kill()
        qemu.wait()
        qemu.stdout.close()
    if why:
        return Ended(None, why)
    said = status.read_text().strip() if status.exists() else ""
    if said.isdigit():  # nothing else is to write there
        return Ended(int(said))
    printed = console.read_bytes()[began_at:].decode(errors="replace")
    complaint = (work / "qemu").read_text(errors="replace").strip()[-400:]
    if not printed:
        return Ended(None, f"QEMU did not start: {complaint}")
    why = "kernel panic" if "Kernel panic" in printed else f"QEMU ended with {qemu.returncode} {complaint}".strip()
    return Ended(None, f"the guest died: {why}")


def end_of_console(folder, lines=25):
    return (folder / "console.log").read_text(errors="replace").splitlines()[-lines:]
