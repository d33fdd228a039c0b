"""Has one machine run its tests: writes what guest.py is to do, follows it, and collects results.

A guest that dies or hangs loses the test that it was at, which is a fault, and a new one goes on with
what is left. Errors: what fails in here is a fault of this machine's column; the other machines go on.
Threads: as machine.run(); `say` may be called on several threads."""
import json
import os
import shlex
import traceback

from kernels import machine, results
from kernels.table import Column

# Emulation on a busy machine. Nothing is lost by a limit that is long, unless something hangs.
LIMIT_FACTOR = 6
PATIENCE = 4
BOOT_S = 180  # also for what guest.py does when a test is out of time


def _environment(job, bin_folder):
    nics = machine.nic_names(job.hardware)
    return {"GUIDEWAY_BIN": str(bin_folder), "GUIDEWAY_PATIENCE": str(PATIENCE),
            **({"GUIDEWAY_LAB_NICS": nics} if nics else {})}


def _write_tests(job, folder, build_bin, bin_folder):
    """tests.json, with programs taken from `bin_folder` instead of the build's own, which may change."""
    entries = []
    for test in job.tests:
        entry = test._asdict()
        entry["command"] = [word.replace(f"{build_bin}/", f"{bin_folder}/", 1) if word.startswith(f"{build_bin}/")
                            else word for word in test.command]
        entry["limit_s"] = test.limit_s * LIMIT_FACTOR
        entry["environment"] = {**test.environment, **_environment(job, bin_folder)}
        entries.append(entry)
    (folder / "tests.json").write_text(json.dumps(entries, indent=1))


class _Records:
    """What the guest has written so far. new() is called again and again."""

    def __init__(self, path):
        self._path, self._at = path, 0
        self.begun, self.ended = set(), {}

    def new(self):
        """The records that came since the last call; a line that is not whole yet is left for the next."""
        if not self._path.exists():
            return []
        with open(self._path, "rb") as file:
            file.seek(self._at)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._at += len(whole) + len(newline)
        records = [json.loads(line) for line in whole.splitlines()]
        for record in records:
            self.begun.add(record["name"])
            if record["event"] == "ended":
                self.ended[record["name"]] = record
        return records


def _word(result):
    counts = ((result.failed, "FAILED"), (result.passed, "passed"), (result.skipped, "skipped"))
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def _boot(job, kernel, folder, names, records, outcome, say):
    """One guest; judges tests as they end."""
    tests = {test.name: test for test in job.tests}

    def look():
        new = records.new()
        for record in new:
            if record["event"] == "ended":
                name = record["name"]
                outcome[name] = results.judge(tests[name], record, folder, name in job.must_run)
                say(f"{job.name}: {name}: {_word(outcome[name])} ({record['seconds']:.0f} s)")
        return bool(new)

    words = ["/usr/bin/python3", "-B", str(machine.HERE / "guest.py"), str(folder), *names]
    limits_s = [BOOT_S + tests[name].limit_s * LIMIT_FACTOR for name in names]
    ended = machine.run(kernel, job.hardware, folder, shlex.join(words), max(limits_s), sum(limits_s), alive=look)
    look()
    return ended


def _boot_until_done(job, kernel, folder, records, outcome, faults, say):
    names = [test.name for test in job.tests]
    while left := [name for name in names if name not in records.begun]:
        ended = _boot(job, kernel, folder, left, records, outcome, say)
        if ended.exit_code == 0 and all(name in outcome for name in names):
            break
        why = ended.why or f"the runner in the guest ended with {ended.exit_code}"
        at = [name for name in names if name in records.begun and name not in outcome]
        outcome.update((name, results.lost(f"{why}, in this test")) for name in at)
        if machine.stopping.is_set():
            break
        say("\n".join([f"{job.name}: {why}{': in ' + at[0] if at else ''}; the end of its console:",
                       *(f"    {line}" for line in machine.end_of_console(folder))]))
        if not at:  # before or between tests: another guest would do no better
            faults.append(why)
            break


def run(job, kernel, folder, build_bin, bin_folder, say):
    """The column of this machine. Its files are in `folder`: NAME.log, NAME.xml, console.log."""
    records, outcome, faults = _Records(folder / "records.jsonl"), {}, []
    try:
        os.makedirs(folder)
        _write_tests(job, folder, build_bin, bin_folder)
        _boot_until_done(job, kernel, folder, records, outcome, faults, say)
    except Exception as failure:
        faults.append(f"scripts/test-kernels failed: {type(failure).__name__}: {failure}")
        say(f"{job.name}: {faults[-1]}\n{traceback.format_exc()}")
    names = [test.name for test in job.tests]
    for name in (*names, *job.unknown):
        outcome.setdefault(name, results.lost("ctest has no such test: see test/kernels/plan.py"
                                              if name in job.unknown else
                                              "it has no result" if name in records.begun else "it was not begun"))
    ordered = {name: outcome[name] for name in (*names, *job.unknown)}
    return Column(job.name, kernel.release, job.hardware, ordered, faults)
