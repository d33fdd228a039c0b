"""A service manager's side of sd_notify(3): a socket that records what a daemon says, in order."""
import pathlib
import socket
import tempfile

from support import process


class ServiceManager:
    """Start a daemon with `environment` and look at `messages()`: each is a dictionary of what one
    datagram assigns. `watchdog_seconds`: how often it wants to hear that the daemon is alive."""

    def __init__(self, watchdog_seconds=None):
        self._folder = tempfile.TemporaryDirectory(prefix="guideway-notify-")
        path = pathlib.Path(self._folder.name)
        path.chmod(0o755)  # the daemon may be another user's
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path / "notify"))
        (path / "notify").chmod(0o777)
        self._socket.setblocking(False)
        self._heard = []
        self._variables = {"NOTIFY_SOCKET": str(path / "notify")}
        if watchdog_seconds is not None:
            self._variables["WATCHDOG_USEC"] = str(int(watchdog_seconds * 1e6))

    @property
    def wrapper(self):
        """The words to start a daemon behind, so that it has these variables."""
        return ["env", *(f"{name}={value}" for name, value in self._variables.items())]

    def messages(self):
        """All that was said so far."""
        while True:
            try:
                text = self._socket.recv(65536).decode()
            except BlockingIOError:
                return list(self._heard)
            self._heard.append(dict(line.split("=", 1) for line in text.splitlines()))

    def said(self, name):
        """The values of one assignment, in order."""
        return [message[name] for message in self.messages() if name in message]

    def order(self, *names):
        """Which of these assignments came, in order, without repetition of the one before."""
        kinds = [name for message in self.messages() for name in message if name in names]
        return [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind]

    def status(self):
        """The STATUS that stands now."""
        return (self.said("STATUS") or [""])[-1]

    def wait_for(self, condition, what, seconds=15.0):
        """Polls until `condition(self)` is true."""
        try:
            return process.wait_until(lambda: condition(self), what, seconds)
        except process.DeadlineExpired as expired:
            raise AssertionError(f"{expired}: {self.messages()}") from None

    def fill(self):
        """As much into its queue as the kernel lets it hold (net.unix.max_dgram_qlen)."""
        while True:
            # One socket for each, as what a socket may have under way is limited too.
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                try:
                    sender.sendto(b"FILLED=1", self._variables["NOTIFY_SOCKET"])
                except BlockingIOError:
                    return

    def close(self):
        self._socket.close()
        self._folder.cleanup()
