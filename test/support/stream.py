"""UDP flows of numbered packets through the load balancer, and what becomes of each packet.

The packets are put on the router's end of the link to lb1, and come back over the same link in
their GRE tunnels, on the way to the backends: there each one is looked for."""
import collections
import socket
import struct
import threading

from support import process
from support.lab import CLIENT, INTERFACE, VIP
from support.wire import Wire, checksum, ip_packet

_FLOWS_FROM_PORT = 50000
_OUTER_BYTES = 24  # IPv4 and GRE
_BURST = 8
_SEQUENCE = struct.Struct("!Q")


class Stream:
    """`flows` UDP flows to `port` of the VIP, all together at about `pps` packets per second, from
    the start to stop(). The rate is moderate: nothing is to be lost for want of CPU time."""

    def __init__(self, lab, port, flows=32, pps=1000, device="to-lb1"):
        self._port, self._flows, self._pause = port, flows, _BURST / pps
        self._wire = Wire(lab, "router", device)
        with Wire(lab, "lb1", INTERFACE) as other:
            self._head = other.mac + self._wire.mac + b"\x08\x00"
        self.sent = collections.Counter()                # by source port
        self.arrived = collections.defaultdict(list)     # by source port: (sequence, backend)
        self._failure = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            flow = 0
            while not self._ending.wait(self._pause):
                for _ in range(_BURST):
                    self._send(_FLOWS_FROM_PORT + flow)
                    flow = (flow + 1) % self._flows
                self._collect()
        except Exception as failure:  # told by stop()
            self._failure = failure

    def _send(self, source_port):
        payload = _SEQUENCE.pack(self.sent[source_port])
        udp = struct.pack("!HHHH", source_port, self._port, 8 + len(payload), 0) + payload
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, socket.IPPROTO_UDP,
                             0, socket.inet_aton(CLIENT), socket.inet_aton(VIP))
        header = header[:10] + checksum(header).to_bytes(2, "big") + header[12:]
        self._wire.send(self._head + header + udp)
        self.sent[source_port] += 1

    def _collect(self):
        for frame in self._wire.look():
            self._take(frame)
        self._wire.seen.clear()

    def _take(self, frame):
        outer = None if frame.outgoing else ip_packet(frame.data)
        if outer is None or outer[9] != socket.IPPROTO_GRE:
            return
        inner = outer[_OUTER_BYTES:]
        source_port, port = struct.unpack_from("!HH", inner, 20)
        if inner[9] == socket.IPPROTO_UDP and port == self._port:
            sequence, = _SEQUENCE.unpack_from(inner, 28)
            self.arrived[source_port].append((sequence, socket.inet_ntoa(outer[16:20])))

    def total(self):
        """Packets that were sent so far."""
        return sum(self.sent.values())

    def stop(self, seconds=5.0):
        """Ends the stream and waits for its last packets; the caller judges what has arrived."""
        self._ending.set()
        self._thread.join()
        if self._failure:
            raise self._failure
        waiting = threading.Event()
        for _ in range(int(process.patient(seconds) / 0.02)):
            self._collect()
            if sum(map(len, self.arrived.values())) >= self.total():
                break
            waiting.wait(0.02)
        self._wire.close()
        return self

    def lost(self):
        """Packets that did not arrive, or more than once, or out of order: (source port, what)."""
        return [(port, f"{len(self.arrived[port])} of {number} arrived")
                for port, number in self.sent.items()
                if [sequence for sequence, _ in self.arrived[port]] != list(range(number))]

    def moved(self):
        """Flows whose packets went to more than one backend: (source port, backends)."""
        backends = {port: {backend for _, backend in packets} for port, packets in self.arrived.items()}
        return [(port, sorted(where)) for port, where in backends.items() if len(where) != 1]

    def backends(self):
        """All backends that packets went to."""
        return {backend for packets in self.arrived.values() for _, backend in packets}
