"""Holds one receive queue of an interface with an AF_XDP socket, as a process that has not quite
ended does: hold_queue.py INTERFACE QUEUE. Says `held`, and lets go when its input ends."""
import ctypes
import mmap
import socket
import struct
import sys

AF_XDP, SOL_XDP = 44, 283
XDP_RX_RING, XDP_UMEM_REG, XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING = 2, 4, 5, 6
XDP_COPY = 1 << 1
FRAMES, FRAME_BYTES = 64, 2048


def main():
    interface, queue = socket.if_nametoindex(sys.argv[1]), int(sys.argv[2])
    memory = mmap.mmap(-1, FRAMES * FRAME_BYTES)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    holder = socket.socket(AF_XDP, socket.SOCK_RAW)
    holder.setsockopt(SOL_XDP, XDP_UMEM_REG, struct.pack("QQII", start, len(memory), FRAME_BYTES, 0))
    for ring in (XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING):
        holder.setsockopt(SOL_XDP, ring, FRAMES)
    # Python's bind() does not know the family.
    address = struct.pack("HHIII", AF_XDP, XDP_COPY, interface, queue, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.bind(holder.fileno(), address, len(address)) != 0:
        sys.exit(f"binding to queue {queue}: errno {ctypes.get_errno()}")
    print("held", flush=True)
    sys.stdin.read()


main()
