"""A program on a terminal of its own."""
import fcntl
import os
import pty
import select
import struct
import termios
import time


class Terminal:
    """Runs `command` on a new terminal; ends it with the with statement."""

    def __init__(self, command, environment, columns=200, rows=50):
        self.output = ""
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        os.close(self.file)  # hangs up
        os.waitpid(self.pid, 0)

    def type(self, text):
        os.write(self.file, text.encode())

    def read_until(self, condition, what, seconds=20):
        """Reads what the program prints until `condition(output)`."""
        deadline = time.monotonic() + seconds
        while not condition(self.output):
            left = deadline - time.monotonic()
            assert left > 0, f"{what}: not within {seconds} s: {self.output!r}"
            if select.select([self.file], [], [], min(left, 0.05))[0]:
                try:
                    self.output += os.read(self.file, 65536).decode(errors="replace")
                except OSError:  # the program has ended
                    assert condition(self.output), f"{what}: the program has ended: {self.output!r}"
        return self.output
