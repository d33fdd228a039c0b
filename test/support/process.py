"""Processes that outlive the program that started them: recorded, found again, ended. And deadlines,
which grow with GUIDEWAY_PATIENCE, for a machine that is slow, such as an emulated one.

A pid alone is not enough to kill by, as the kernel hands it out again: a record also has the time
at which the process started, and a pid whose process started at another time is left alone."""
import contextlib
import functools
import math
import os
import pathlib
import re
import signal
import subprocess
import time


class DeadlineExpired(Exception):
    """What was waited for did not come about in time."""


@functools.cache
def patience():
    """How often as long as usual to wait: $GUIDEWAY_PATIENCE, 1 where it is not set."""
    text = os.environ.get("GUIDEWAY_PATIENCE", "1")
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value < math.inf:
        raise ValueError(f"GUIDEWAY_PATIENCE is '{text}': it has to be a number that is 1 or more, such as 4")
    return value


def patient(seconds):
    """A time to wait at most, for the machine that this is."""
    return seconds * patience()


def paced(text):
    """A short time of a configuration, such as the interval of a check: "200ms", longer where patience is.
    What the daemon says of it ("200 ms") is told alike."""
    number, unit = re.fullmatch(r"(\d+)( ?m?s)", text).groups()
    return f"{round(patient(int(number)))}{unit}"


def wait_until(condition, what, seconds=10.0, interval=0.02):
    """Polls until `condition()` is true, and returns what it returned."""
    seconds = patient(seconds)
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise DeadlineExpired(f"{what}: not within {seconds:g} s")
        time.sleep(interval)


def _stat(pid):
    """The fields of /proc/PID/stat behind the name, from field 3 on; None: no such process."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return None


def start_time(pid):
    """When the process started, in clock ticks since boot; None when it is gone or a zombie."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def state(pid):
    """Its letter in proc(5), such as "T" for stopped; None when it is gone."""
    fields = _stat(pid)
    return None if fields is None else fields[0]


def wait_stopped(pid, what):
    """Until each thread of a process that was sent SIGSTOP stands still: one that does not may still answer."""
    wait_until(lambda: all(state(thread) == "T" for thread in os.listdir(f"/proc/{pid}/task")), f"{what} is stopped")


def cpu_seconds(pid):
    """User and system time that the process has used, all threads together."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(command, log, environment=None):
    """Starts a process in a session of its own, its output appended to the file `log`."""
    with open(log, "ab") as output:
        return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                stdout=output, stderr=output, start_new_session=True,
                                env=environment)


def record(pid, what):
    return {"pid": pid, "start_time": start_time(pid), "what": what}


def alive(entry):
    return entry["start_time"] is not None and start_time(entry["pid"]) == entry["start_time"]


def end_all(entries, grace=5.0):
    """Ends the recorded processes: politely, and after `grace` seconds for good."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = [entry for entry in entries if alive(entry)]
        for entry in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(entry["pid"], number)
        deadline = time.monotonic() + patient(grace)
        while any(alive(entry) for entry in left) and time.monotonic() < deadline:
            time.sleep(0.01)
