"""Runs a program without transparent huge pages: small_pages.py PROGRAM..

With them, as Debian's kernels have them, the memory that a program has in use grows by 2 MiB at a time,
whenever a page of these is first touched: nothing can be said of less. (prctl(2))"""
import ctypes
import os
import sys

_PR_SET_THP_DISABLE = 41  # outlives execve()


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])


main()
