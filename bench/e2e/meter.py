"""What a process uses, and figures as text: for the end-to-end benchmarks."""
import contextlib
import dataclasses
import os
import pathlib
import statistics


def _ticks(pid):
    """User and system time of a process in seconds, all threads together (/proc/PID/stat)."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return tuple(int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13])


def _control_seconds(pid):
    """CPU time of those threads of a guidewayd that are not its workers, to the nanosecond."""
    total_ns = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            if not (task / "comm").read_text().startswith("gw-"):
                total_ns += int((task / "schedstat").read_text().split()[0])
    return total_ns / 1e9


@dataclasses.dataclass(frozen=True)
class Usage:
    """CPU time since the start of a process, in seconds; differences are of a span."""
    user: float
    system: float
    control: float  # of threads that are not workers

    @classmethod
    def of(cls, pid):
        return cls(*_ticks(pid), _control_seconds(pid))

    def __sub__(self, other):
        return Usage(self.user - other.user, self.system - other.system, self.control - other.control)

    @property
    def total(self):
        return self.user + self.system


def memory_mib(pid, which="VmHWM"):
    """Resident memory: the largest so far (VmHWM), or now (VmRSS)."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{which}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"/proc/{pid}/status has no {which}: the process has ended")


def spread(values, digits=1):
    """Median, least and most."""
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f} to {max(values):.{digits}f})")


def table(head, rows):
    """A Markdown table, as the files in bench/results have it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
