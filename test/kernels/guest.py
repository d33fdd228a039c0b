"""The runner inside a machine: one test after the other, each in a process of its own.

    guest.py FOLDER [NAME...]

FOLDER has tests.json. For each test it writes NAME.log, for pytest also NAME.xml, and a line into
records.jsonl when the test begins and when it ends, at once: what a machine that dies had done is
known. Errors: none of its own; how a test ended is data."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

GRACE_S = 60  # for a test that is out of time to clean up


def _end(child):
    """As Ctrl-C would, so that pytest cleans up; then for good, with all that it has started."""
    os.killpg(child.pid, signal.SIGINT)
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def run(test, folder):
    """Runs one test; its exit code, or None when it was out of time."""
    command = list(test["command"])
    if "pytest" in command:
        command.append(f"--junitxml={folder / test['name']}.xml")
    os.makedirs(test["folder"], exist_ok=True)
    with open(folder / f"{test['name']}.log", "wb") as log:
        child = subprocess.Popen(command, cwd=test["folder"], env={**os.environ, **test["environment"]},
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            return child.wait(test["limit_s"])
        except subprocess.TimeoutExpired:
            _end(child)
            return None


def main(folder, names):
    folder = pathlib.Path(folder)
    tests = json.loads((folder / "tests.json").read_text())
    with open(folder / "records.jsonl", "a", buffering=1, encoding="utf-8") as records:
        for test in (test for test in tests if test["name"] in names):
            print(f"test-kernels: {test['name']} begins", flush=True)
            records.write(json.dumps({"name": test["name"], "event": "begins"}) + "\n")
            began = time.monotonic()
            exit_code = run(test, folder)
            seconds = round(time.monotonic() - began, 1)
            records.write(json.dumps({"name": test["name"], "event": "ended", "exit_code": exit_code,
                                      "seconds": seconds}) + "\n")
            print(f"test-kernels: {test['name']} ended after {seconds} s: {exit_code}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
