"""What runs where: the table, and the tests that ctest knows.

A row is a machine: a suite, which is a kernel, and a hardware. `tests` are those of the long form,
`short` those of --short, which .ci/run uses. A name is that of ctest without "integration.", or that of
a Catch2 program, which runs as a whole: one process, not one for each of its cases. EVERY is every
test with the label bpf or integration. `must_run` are those that these kernels and NICs can run: if all
of such a test is skipped there, that is a failure."""
import json
import pathlib
import subprocess
import typing

EVERY = ("*",)
LABELS = {"bpf", "integration"}
# For a Catch2 program: that of ctest is for one case.
PROGRAM_LIMIT_S = 300.0

# What differs between kernels: programs, encapsulation, modes, sharing, and one whole way of a page.
_KERNEL = ("bpf_programs", "pages", "encapsulation", "modes", "kernel_modes", "coexistence", "stop_and_restart",
           "doctor_facts")
# What means something over a NIC's driver.
_NIC = ("lab", "pages", "spread", "encapsulation", "refusals", "host_traffic", "modes",
        "kernel_modes", "million", "coexistence", "impaired", "stop_and_restart", "interface_changes", "next_hops",
        "reload_under_traffic", "doctor", "doctor_facts", "interfaces")
_NIC_SHORT = ("pages", "encapsulation", "modes", "kernel_modes", "million", "stop_and_restart", "interface_changes")
_MUST_RUN = tuple(dict.fromkeys((*_KERNEL, *_NIC)))


class Row(typing.NamedTuple):
    suite: str
    hardware: str
    tests: tuple
    short: tuple = ()
    must_run: tuple = _MUST_RUN


ROWS = (
    Row("bookworm", "veth", EVERY, _KERNEL),
    Row("bookworm", "igb", _NIC, ("kernel_modes",)),
    Row("bookworm", "virtio", _NIC),
    Row("bookworm", "e1000e", _NIC, ("kernel_modes",)),
    Row("bookworm-backports", "veth", EVERY),
    Row("bookworm-backports", "igb", _NIC),
    Row("bookworm-backports", "virtio", _NIC),
    Row("bookworm-backports", "e1000e", ("pages", "kernel_modes")),
    Row("trixie-backports", "veth", EVERY),
    Row("trixie-backports", "igb", _NIC, (*_NIC_SHORT, "coexistence")),
    Row("trixie-backports", "virtio", _NIC, _NIC_SHORT),
    Row("trixie-backports", "e1000e", _NIC),
)


class PlanError(Exception):
    """The plan, or the build that it is for, is not right; says what would be."""


class Test(typing.NamedTuple):
    """A test as the guest runs it. `limit_s` is ctest's, not yet that of a slow machine."""
    name: str
    command: tuple
    folder: str
    limit_s: float
    environment: dict
    skip_code: int | None
    skip_text: str | None

    @property
    def is_pytest(self):
        return "pytest" in self.command


class Job(typing.NamedTuple):
    """What one machine is to run. `unknown` are names of the plan that ctest does not have."""
    suite: str
    hardware: str
    tests: tuple
    unknown: tuple = ()
    must_run: tuple = ()

    @property
    def name(self):
        return f"{self.suite}-{self.hardware}"


def ctest_list(build):
    """What ctest says about the tests of a build folder."""
    try:
        listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True)
    except FileNotFoundError:
        raise PlanError("there is no ctest: run scripts/deps") from None
    if listed.returncode != 0:
        raise PlanError(f"ctest does not know the tests of {build}: {listed.stderr.strip() or 'no such build'}; "
                        "run scripts/build, or leave --no-build out")
    return json.loads(listed.stdout)


def tests_of(listed):
    """The tests of ctest's list that are meant for a kernel, Catch2 programs as a whole: {name: Test}."""
    found = {}
    for entry in listed["tests"]:
        properties = {each["name"]: each["value"] for each in entry.get("properties", ())}
        if not LABELS & set(properties.get("LABELS", ())):
            continue
        command = entry.get("command")
        if not command:
            raise PlanError(f"ctest has no command for {entry['name']}: its program is not built; run scripts/build")
        name = entry["name"].removeprefix("integration.")
        limit_s = float(properties.get("TIMEOUT", 180))
        if "pytest" not in command:
            command = command[:1]
            name = pathlib.Path(command[0]).name
            limit_s = max(limit_s, PROGRAM_LIMIT_S)
        texts = properties.get("SKIP_REGULAR_EXPRESSION", ())
        found.setdefault(name, Test(
            name, tuple(command), properties.get("WORKING_DIRECTORY", "/"), limit_s,
            dict(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", ())),
            properties.get("SKIP_RETURN_CODE"), texts[0] if texts else None))
    return found


def jobs(tests, suites, hardware=(), short=False, wanted=None, all_tests=False, rows=ROWS):
    """The machines to start, and what each is to run. Empty `hardware`: all that the plan has for the
    suites. `wanted` is a compiled regular expression for names. Machines without a test are left out."""
    found = []
    for row in rows:
        if row.suite not in suites or (hardware and row.hardware not in hardware):
            continue
        names = EVERY if all_tests else row.short if short else row.tests
        names = tuple(tests) if names == EVERY else names
        names = [name for name in names if wanted is None or wanted.search(name)]
        if names:
            found.append(Job(row.suite, row.hardware, tuple(tests[name] for name in names if name in tests),
                             tuple(name for name in names if name not in tests), row.must_run))
    return found
