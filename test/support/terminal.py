"""A program on a terminal: a pseudo-terminal of its own, and the screen that a person would see."""
import contextlib
import fcntl
import os
import pathlib
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pyte

from support import process


class _Screen(pyte.Screen):
    """Counts how often the lines have moved up: a screen that is drawn in place never does."""

    scrolled = 0

    def index(self):
        self.scrolled += self.cursor.y == self.lines - 1
        super().index()


class Terminal:
    """`command` on a terminal of rows x columns, as its controlling one. To be used in a `with`."""

    def __init__(self, command, rows=24, columns=80, **environment):
        self._master, self._slave = os.openpty()
        self.raw = b""                       # all that was written
        self._screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.resize(rows, columns)
        self.modes_before = self.modes()
        kept = {key: value for key, value in os.environ.items()
                if key not in ("NO_COLOR", "CLICOLOR_FORCE")}
        self.child = subprocess.Popen(
            [str(word) for word in command], stdin=self._slave, stdout=self._slave, stderr=self._slave,
            start_new_session=True, env={**kept, "TERM": "xterm", **environment},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self._slave)
        os.close(self._master)

    def resize(self, rows, columns):
        """The window has another size from now on; the kernel tells the program (SIGWINCH)."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def modes(self):
        return termios.tcgetattr(self._slave)

    def press(self, keys):
        os.write(self._master, keys)

    def _take(self):
        while select.select([self._master], [], [], 0)[0]:
            with contextlib.suppress(OSError):
                data = os.read(self._master, 65536)
                self.raw += data
                # What pyte does not know of the private modes is nothing to look at.
                self._stream.feed(data)
                continue
            return

    def lines(self):
        self._take()
        return [line.rstrip() for line in self._screen.display]

    def text(self):
        return "\n".join(self.lines())

    def find(self, pattern):
        return re.search(pattern, self.text(), re.MULTILINE)

    def wait_for(self, pattern, seconds=15.0):
        """Until the screen has what matches; returns the match."""
        try:
            return process.wait_until(lambda: self.find(pattern), f"the screen has {pattern}", seconds)
        except process.DeadlineExpired as expired:
            raise AssertionError(f"{expired}:\n{self.text()}") from None

    def colours(self):
        """Those that are on the screen, of any character."""
        self._take()
        return {character.fg for line in self._screen.buffer.values() for character in line.values()}

    def scrolled(self):
        self._take()
        return self._screen.scrolled

    def cursor_hidden(self):
        self._take()
        return self._screen.cursor.hidden

    def stopped(self):
        """The program is suspended."""
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0] == "T"

    def go_on(self):
        self.child.send_signal(signal.SIGCONT)

    def end(self, seconds=10.0):
        """The exit code of a program that ends by itself."""
        seconds = process.patient(seconds)
        deadline = time.monotonic() + seconds
        while self.child.poll() is None:
            self._take()  # what is not read may keep it from ending
            assert time.monotonic() < deadline, f"it did not end within {seconds:g} s:\n{self.text()}"
            time.sleep(0.02)
        self._take()
        return self.child.returncode
