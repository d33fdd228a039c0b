"""Running guidewayd as its unit does: as another user than root, with the unit's capabilities."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = ROOT / "configs/systemd/guideway.service"
USER = 4242  # nobody's
# By linux/capability.h.
NUMBERS = {"cap_net_admin": 12, "cap_net_raw": 13, "cap_ipc_lock": 14, "cap_perfmon": 38, "cap_bpf": 39}
# What the daemon needs of /run and /dev that a unit, or udev, provides. In a mount namespace of its
# own: the machine's are left alone.
_SCENE = ('set -e; mount -t tmpfs -o mode=755 run /run/guideway; chown {user}:{user} /run/guideway; '
          'mount -t tmpfs -o mode=755 net /dev/net; mknod /dev/net/tun c 10 200; chmod 666 /dev/net/tun; '
          'ulimit -l unlimited 2> /dev/null || true; exec "$@"')


def setting(name, unit=UNIT):
    """The value of a setting that the unit has once."""
    return re.search(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)[1]


def of_the_unit():
    """The capabilities that the unit names, as setpriv(1) and proc(5) do."""
    return setting("AmbientCapabilities").lower().split()


def wrapper(capabilities=None):
    """The words to start a daemon behind. CAP_IPC_LOCK stands for LimitMEMLOCK=infinity, as this
    machine's root may not be allowed to lift the limit."""
    names = of_the_unit() if capabilities is None else capabilities
    given = ",".join(["-all", *(f"+{name.removeprefix('cap_')}" for name in [*names, "cap_ipc_lock"])])
    return ["unshare", "--mount", "sh", "-c", _SCENE.format(user=USER), "sh",
            "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", f"--bounding-set={given}",
            f"--inh-caps={given}", f"--ambient-caps={given}"]


def sets_of(status_file):
    """What a file like /proc/PID/status says: {"CapEff": 0x.., .., "NoNewPrivs": 1, "Uid": 4242}."""
    text = pathlib.Path(status_file).read_text()
    sets = {name: int(value, 16) for name, value in re.findall(r"^(Cap\w+):\s+(\w+)", text, re.MULTILINE)}
    sets["NoNewPrivs"] = int(re.search(r"^NoNewPrivs:\s+(\d)", text, re.MULTILINE)[1])
    sets["Uid"] = int(re.search(r"^Uid:\s+(\d+)", text, re.MULTILINE)[1])
    return sets


def mask(names):
    return sum(1 << NUMBERS[name] for name in names)
