"""What came of one test on one machine, read from what the guest left: pure but for reading files."""
import dataclasses
import pathlib
import re
import xml.etree.ElementTree


@dataclasses.dataclass
class Result:
    """`reasons` are those of skipped cases, `faults` what failed, each in a line. `lost`: there is no
    result, and faults say why. Neither passed, failed nor lost: all was skipped."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    lost: bool = False
    seconds: float = 0.0
    reasons: list = dataclasses.field(default_factory=list)
    faults: list = dataclasses.field(default_factory=list)

    @property
    def bad(self):
        return self.lost or self.failed > 0


def lost(why):
    return Result(lost=True, faults=[why])


def _first_line(text):
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), "no message")


def of_junit(text):
    """Counts, reasons and faults of pytest's --junitxml."""
    result = Result()
    for case in xml.etree.ElementTree.fromstring(text).iter("testcase"):
        wrong = [kind for kind in (*case.findall("failure"), *case.findall("error"))]
        skipped = case.find("skipped")
        if wrong:
            result.failed += 1
            result.faults.append(f"{case.get('name')}: {_first_line(wrong[0].get('message'))}")
        elif skipped is not None:
            result.skipped += 1
            result.reasons.append(_first_line(skipped.get("message")))
        else:
            result.passed += 1
    return result


def of_catch(log, skip_text):
    """The same of what a Catch2 program prints at its end. A case that skips itself prints `skip_text`,
    and Catch2 counts it as passed."""
    result = Result()
    if every := re.search(r"^All tests passed \(.* in (\d+) test cases?\)", log, re.MULTILINE):
        result.passed = int(every[1])
    elif some := re.search(r"^test cases:(.*)$", log, re.MULTILINE):
        counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed)", some[1])}
        result.passed, result.failed = counts.get("passed", 0), counts.get("failed", 0)
        result.faults = [line.strip() for line in re.findall(r"^\S+:\d+: FAILED:.*$", log, re.MULTILINE)]
    if skip_text:
        result.reasons = [line.partition(skip_text)[2].strip() for line in log.splitlines() if skip_text in line]
        result.skipped = len(result.reasons)
        result.passed -= result.skipped
    return result


def _read(path):
    return path.read_text(errors="replace") if path.exists() else ""


def _as_written(test, folder, log):
    if not test.is_pytest:
        return of_catch(log, test.skip_text)
    report = _read(folder / f"{test.name}.xml")
    try:
        return of_junit(report) if report else Result()
    except xml.etree.ElementTree.ParseError as fault:  # killed while it wrote
        return Result(failed=1, faults=[f"its report {test.name}.xml is not whole: {fault}"])


def judge(test, record, folder, must_run=False):
    """What the end of a test means, by its exit code and by what it wrote. What contradicts itself, such
    as an exit code of 0 with nothing run, is a failure; so is a skip of all that `must_run`."""
    folder = pathlib.Path(folder)
    log = _read(folder / f"{test.name}.log")
    exit_code = record["exit_code"]
    result = _as_written(test, folder, log)
    if exit_code is None:
        result = dataclasses.replace(result, failed=result.failed + 1,
                                     faults=[f"out of time after {record['seconds']:g} s", *result.faults])
    elif exit_code == test.skip_code and not result.failed:
        if not result.passed and not result.skipped:
            result = Result(skipped=1, reasons=[_first_line(log)])
    elif exit_code != 0 and not result.failed:
        ended = [line.strip() for line in log.splitlines() if line.strip()]
        result = dataclasses.replace(result, failed=1, faults=[f"exit code {exit_code}: {ended[-1] if ended else 'no output'}"])
    elif exit_code == 0 and not (result.passed or result.failed or result.skipped):
        result = Result(failed=1, faults=["ended well, but has run nothing"])
    if must_run and result.skipped and not (result.passed or result.failed):
        result.failed = 1
        result.faults = [f"all of it was skipped, and the plan says that it must run here: {result.reasons[0]}"]
    result.seconds = record["seconds"]
    return result
