"""One end of a veth pair, seen from below the IP stack: frames put on it and frames taken from it."""
import collections
import socket
import struct
import time

from support import process

_ETH_P_ALL = 0x0003
_SO_RCVBUFFORCE = 33
_PACKET_OUTGOING = 4

Frame = collections.namedtuple("Frame", "outgoing data")


class Wire:
    """A packet socket on `device` of a node. Sees what the node sends (outgoing) and receives.
    In native mode XDP comes before it: what an XDP program takes away is not seen here."""

    def __init__(self, lab, node, device):
        with lab.inside(node):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 64 << 20)
        self._socket.bind((device, _ETH_P_ALL))
        self._socket.setblocking(False)
        self.mac = self._socket.getsockname()[4]
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def send(self, frame):
        """The bytes as they are, from the Ethernet header on."""
        self._socket.send(frame)

    def look(self):
        """Takes what has come; returns all that was seen since the start."""
        try:
            while True:
                data, address = self._socket.recvfrom(65536)
                self.seen.append(Frame(address[2] == _PACKET_OUTGOING, data))
        except BlockingIOError:
            return self.seen

    def wait_for(self, wanted, number, seconds=5.0):
        """Frames for which `wanted(frame)` holds, as soon as there are `number` of them, and at the
        latest when the time is over: the caller judges."""
        deadline = time.monotonic() + process.patient(seconds)
        while True:
            found = [frame for frame in self.look() if wanted(frame)]
            if len(found) >= number or time.monotonic() > deadline:
                return found
            time.sleep(0.01)


def ip_packet(frame):
    """The IPv4 packet in an Ethernet frame, without padding; None: there is none."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return None
    return frame[14:14 + struct.unpack_from("!H", frame, 16)[0]]


def is_gre(frame):
    packet = ip_packet(frame)
    return packet is not None and packet[9] == socket.IPPROTO_GRE


def checksum(data):
    """The Internet checksum (RFC 1071); 0 over data that has a right one."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))
