"""Very many UDP flows through the load balancer, one packet each and none of it lost: frames are put
on the router's end of a link, in bursts, and a burst is sent when all of the one before has come back
in its tunnels, on the way to the backends. Which backend got which flow is so known from the wire."""
import socket
import struct

from support.lab import INTERFACE, VIP
from support.wire import Wire, checksum, ip_packet

_OUTER_BYTES = 24  # IPv4 and GRE
_BURST = 256


def udp_frame(head, source, source_port, port, address=VIP, payload=b"hello"):
    """A frame with the Ethernet header `head`; without a UDP checksum, as is allowed."""
    udp = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, socket.IPPROTO_UDP, 0,
                         socket.inet_aton(source), socket.inet_aton(address))
    return head + header[:10] + checksum(header).to_bytes(2, "big") + header[12:] + udp


def flow_of(frame):
    """("address:port", "address:port", backend) of a frame of a tunnel; None: it is none."""
    outer = ip_packet(frame)
    if outer is None or outer[9] != socket.IPPROTO_GRE:
        return None
    inner = outer[_OUTER_BYTES:]
    source_port, port = struct.unpack_from("!HH", inner, 20)
    return (f"{socket.inet_ntoa(inner[12:16])}:{source_port}",
            f"{socket.inet_ntoa(inner[16:20])}:{port}", socket.inet_ntoa(outer[16:20]))


class ManyFlows:
    """`backend` of each flow that was sent: {(client, destination): backend}."""

    def __init__(self, lab, device="to-lb1", peer=INTERFACE):
        self._wire = Wire(lab, "router", device)
        with Wire(lab, "lb1", peer) as other:
            self._head = other.mac + self._wire.mac + b"\x08\x00"
        self.backend = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._wire.close()

    def put(self, flows, address=VIP):
        """Sends one packet of each, and waits for nothing."""
        for source, source_port, port in flows:
            self._wire.send(udp_frame(self._head, source, source_port, port, address))

    def send(self, flows, address=VIP):
        """`flows`: (source, source port, port) of each, all different. Returns {(client, destination):
        backend} of these."""
        flows = list(flows)
        sent = {}
        for at in range(0, len(flows), _BURST):
            burst = flows[at:at + _BURST]
            self.put(burst, address)
            sent |= self._arrived({(f"{source}:{source_port}", f"{address}:{port}")
                                   for source, source_port, port in burst})
        self.backend |= sent
        return sent

    def _arrived(self, wanted):
        def is_one(frame):
            flow = None if frame.outgoing else flow_of(frame.data)
            return flow is not None and flow[:2] in wanted
        arrived = self._wire.wait_for(is_one, len(wanted), 10)
        self._wire.seen.clear()
        found = {flow[:2]: flow[2] for flow in (flow_of(frame.data) for frame in arrived)}
        assert len(arrived) == len(found) == len(wanted), f"{len(arrived)} of {len(wanted)} packets came back"
        return found
