"""Runs a program that the kernel refuses one kind of call: deny_call.py netlink|threads PROGRAM..

netlink: sockets of AF_NETLINK, as RestrictAddressFamilies= of a unit does. threads: to begin a
thread, as where a limit of them is reached. By a filter of system calls (seccomp(2)), as root."""
import ctypes
import os
import platform
import struct
import sys

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: of a word, by a constant
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_NUMBER, _FIRST_ARGUMENT = 0, 16  # offsets in struct seccomp_data
_AF_NETLINK = 16
_EAGAIN, _ENOSYS, _EAFNOSUPPORT = 11, 38, 97
_CALLS = {"x86_64": {"socket": 41, "clone": 56, "clone3": 435},
          "aarch64": {"socket": 198, "clone": 220, "clone3": 435}}


def _if(value, *then):
    """`then`, if what was loaded last is `value`."""
    return [(_IF_EQUAL, 0, len(then), value), *then]


def _filter(denied):
    call = _CALLS[platform.machine()]
    if denied == "netlink":
        checks = _if(call["socket"], (_LOAD, 0, 0, _FIRST_ARGUMENT),
                     *_if(_AF_NETLINK, (_RETURN, 0, 0, _ERROR | _EAFNOSUPPORT)))
    elif denied == "threads":
        checks = [*_if(call["clone3"], (_RETURN, 0, 0, _ERROR | _ENOSYS)),
                  *_if(call["clone"], (_RETURN, 0, 0, _ERROR | _EAGAIN))]
    else:
        raise SystemExit(__doc__)
    return [(_LOAD, 0, 0, _NUMBER), *checks, (_RETURN, 0, 0, _ALLOW)]


def main():
    steps = _filter(sys.argv[1])
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, program, 0, 0) != 0:
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[2], sys.argv[2:])


main()
