"""What a systemd unit says of how its program is started, and the words that start it so without
systemd: the user and the capabilities. What needs systemd (namespaces, filters of system calls), and
limits, which only who may raise them can set, are left out."""
import shlex


class UnitFile:
    """The settings of one unit: those that are given several times are lists of words in effect."""

    def __init__(self, text):
        self._values = {}
        for line in text.replace("\\\n", " ").splitlines():
            name, equals, value = line.strip().partition("=")
            if equals and not name.startswith(("#", ";")):
                self._values.setdefault(name, []).append(value.strip())

    def get(self, name, default=None):
        return self._values.get(name, [default])[-1]

    def words(self, name):
        """The words of all lines of a setting; an empty line takes back those before."""
        found = []
        for value in self._values.get(name, []):
            found = found + value.split() if value else []
        return found

    def command(self):
        """The words that start the program as the unit does."""
        return [*self._identity(), *shlex.split(self.get("ExecStart").lstrip("-@:"))]

    def _identity(self):
        if self.get("User") in (None, "root"):
            return []
        words = ["setpriv", f"--reuid={self.get('User')}", f"--regid={self.get('Group', self.get('User'))}",
                 "--init-groups"]
        ambient = _set_of(self.words("AmbientCapabilities"))
        if self.words("CapabilityBoundingSet"):
            words.append(f"--bounding-set=-all,{_set_of(self.words('CapabilityBoundingSet'))}")
        if ambient:
            words += [f"--inh-caps=-all,{ambient}", f"--ambient-caps=-all,{ambient}"]
        if self.get("NoNewPrivileges") in ("yes", "true", "1"):
            words.append("--no-new-privs")
        return words


def _set_of(capabilities):
    return ",".join("+" + name.lower().removeprefix("cap_") for name in capabilities)
