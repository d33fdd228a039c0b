"""Holds one thread of another process, as if it hung in the kernel: ptrace(2), by a debugger that
does nothing. The other threads of the process go on.

All calls come from one thread, as the kernel wants it of a debugger."""
import contextlib
import ctypes
import os
import pathlib

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_ALL_THREADS = 0x40000000  # __WALL
_libc = ctypes.CDLL(None, use_errno=True)


def _ptrace(request, thread):
    if _libc.ptrace(ctypes.c_long(request), ctypes.c_long(thread), None, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace {request:#x} of thread {thread}: {os.strerror(error)}")


def thread_named(pid, name):
    """The id of the thread of `pid` with this name."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise LookupError(f"process {pid} has no thread {name}")


class HeldThread:
    """A thread that stands still until release(), the end of the block, or its own end."""

    def __init__(self, thread):
        self.thread = thread
        self._held = False
        _ptrace(_SEIZE, thread)
        self._held = True
        _ptrace(_INTERRUPT, thread)
        os.waitpid(thread, _ALL_THREADS)

    def release(self):
        if self._held:
            self._held = False
            _ptrace(_DETACH, self.thread)

    def has_ended(self):
        """Whether it was killed meanwhile. Until this was asked its process is not gone either."""
        with contextlib.suppress(ChildProcessError):
            ended, status = os.waitpid(self.thread, _ALL_THREADS | os.WNOHANG)
            if ended == 0 or not (os.WIFEXITED(status) or os.WIFSIGNALED(status)):
                return False
        self._held = False
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.release()
        except OSError:  # it was killed, and its process is not gone before somebody has looked
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.thread, _ALL_THREADS)
