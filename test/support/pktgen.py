"""UDP packets by the hundred thousand, made by the kernel's own generator (pktgen, a module of stock
kernels; Documentation/networking/pktgen.rst) on the router's end of the link to lb1."""
import contextlib
import os
import pathlib
import subprocess

from support import lab as lab_module
from support.wire import Wire

_FOLDER = pathlib.Path("/proc/net/pktgen")
_DEVICE = "to-lb1"
_FIRST_THREAD = "kpktgend_0"


def missing():
    """Why it cannot be had here; None: it can."""
    subprocess.run(["modprobe", "-q", "pktgen"], check=False)
    return None if _FOLDER.exists() else "this kernel has no pktgen"


class Generator:
    """Packets of many flows to a UDP port of the VIP. One at a time on a host: the generator has one
    switch for all."""

    def __init__(self, lab, port, packet_bytes=60):
        self._lab = lab
        with Wire(lab, "lb1", lab_module.INTERFACE) as other:
            mac = ":".join(f"{byte:02x}" for byte in other.mac)
        self._settings = [f"pkt_size {packet_bytes}", f"dst_mac {mac}", f"dst_min {lab_module.VIP}",
                          f"dst_max {lab_module.VIP}", "src_min 203.0.113.20", "src_max 203.0.113.250",
                          f"udp_dst_min {port}", f"udp_dst_max {port}", "udp_src_min 1024",
                          "udp_src_max 2047", "flag UDPSRC_RND", "flag IPSRC_RND"]

    def __enter__(self):
        self._write(_FIRST_THREAD, "rem_device_all", f"add_device {_DEVICE}")
        try:
            self._write(_DEVICE, *self._settings)
        except BaseException:  # nobody calls __exit__ then, and the generator keeps the device
            self._write(_FIRST_THREAD, "rem_device_all")
            raise
        return self

    def __exit__(self, *_):
        self._write(_FIRST_THREAD, "rem_device_all")

    def send(self, packets):
        """Puts so many packets on the link, as fast as it takes them; returns when they are on it."""
        self._write(_DEVICE, f"count {packets}")
        self._write("pgctrl", "start")

    @contextlib.contextmanager
    def sending(self):
        """Packets without end, for as long as the block runs."""
        self._write(_DEVICE, "count 0")
        # In a process, as the write lasts as long as the traffic.
        child = subprocess.Popen(["ip", "netns", "exec", self._lab.ns("router"), "sh", "-c",
                                  f"echo start > {_FOLDER}/pgctrl"], stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            child.kill()
            child.wait()
            self._write("pgctrl", "stop")

    def _write(self, name, *lines):
        with self._lab.inside("router"):
            for line in lines:
                file = os.open(_FOLDER / name, os.O_WRONLY)  # each line is a call of its own
                try:
                    os.write(file, f"{line}\n".encode())
                except OSError as error:
                    raise AssertionError(f"pktgen: '{line}' > {name}: {error.strerror}") from error
                finally:
                    os.close(file)
