"""scripts/test-kernels without a virtual machine: what runs where, what a result means, and that a guest
that dies costs one test. The guest's runner is the real one, run here."""
import json
import os
import pathlib
import re
import subprocess
import sys
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from kernels import debian, held, machine, plan, results, session, sources, table  # noqa: E402 (the path comes first)
from support import process  # noqa: E402

JUNIT = """<testsuites><testsuite><testcase name="a"/><testcase name="b"><skipped message="no GRE device"/></testcase>
<testcase name="c"><failure message="assert 1 == 2&#10; +more">..</failure></testcase></testsuite></testsuites>"""


def a_test(name="pages", command=("python3", "-m", "pytest"), folder="/", limit_s=30.0, skip_code=77, skip_text=None):
    return plan.Test(name, tuple(command), str(folder), limit_s, {}, skip_code, skip_text)


def judged(folder, test, exit_code, log="", report=None):
    (folder / f"{test.name}.log").write_text(log)
    if report:
        (folder / f"{test.name}.xml").write_text(report)
    return results.judge(test, {"exit_code": exit_code, "seconds": 3.0}, folder)


def test_debians_sources_are_found_in_either_form_and_those_of_others_are_not():
    deb822 = ("Types: deb deb-src\nURIs: http://mirror.test/debian\nSuites: bookworm bookworm-updates\n"
              "Components: main contrib\nSigned-By: /k.gpg\n\n# one that is off\nTypes: deb\nEnabled: no\n"
              "URIs: http://off.test/debian\nSuites: bookworm\nComponents: main\n\n"
              "Types: deb\nURIs: http://driver.test/repo\nSuites: bookworm\nComponents: main\n")
    assert list(sources.sources_in(deb822, True, "bookworm")) == [
        sources.Source("http://mirror.test/debian", suite, "/k.gpg") for suite in ("bookworm", "bookworm-updates")]
    lines = ("deb-src http://mirror.test/debian bookworm main\n# deb http://old.test/debian bookworm main\n"
             "deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian bookworm main # ours\n"
             "deb http://mirror.test/debian-security bookworm-security main\ndeb http://mirror.test/debian trixie main\n")
    found = list(sources.sources_in(lines, False, "bookworm"))
    assert found == [sources.Source("http://mirror.test/debian", "bookworm", "/k.gpg"),
                     sources.Source("http://mirror.test/debian-security", "bookworm-security")]
    assert sources.as_list([sources.another_suite(found, "bookworm", "trixie-backports")]) == (
        "deb [signed-by=/k.gpg] http://mirror.test/debian trixie-backports main\n")


def listed(*entries):
    return {"tests": [{"name": name, **({"command": command} if command else {}),
                       "properties": [{"name": "LABELS", "value": [label]}]} for name, label, command in entries]}


def test_a_catch_program_is_one_test_and_what_needs_no_kernel_is_none():
    tests = plan.tests_of(listed(("bpf_programs:one", "bpf", ["/b/bpf_programs", "one"]),
                                 ("bpf_programs:two", "bpf", ["/b/bpf_programs", "two"]),
                                 ("unit_net:three", "unit", ["/b/unit_net", "three"]), ("package", "package", ["x"]),
                                 ("integration.pages", "integration", ["python3", "-m", "pytest", "test_pages.py"])))
    assert list(tests) == ["bpf_programs", "pages"]
    assert tests["bpf_programs"].command == ("/b/bpf_programs",)
    assert tests["pages"].is_pytest and not tests["bpf_programs"].is_pytest
    assert tests["bpf_programs"].limit_s == plan.PROGRAM_LIMIT_S  # ctest's limit is for one case


def test_a_program_that_is_not_built_is_an_error_that_says_so():
    with pytest.raises(plan.PlanError, match="bpf_programs_NOT_BUILT: its program is not built.*scripts/build"):
        plan.tests_of(listed(("bpf_programs_NOT_BUILT", "bpf", None)))


def test_a_job_has_the_rows_tests_that_are_wanted_and_names_those_that_ctest_does_not_know():
    tests = {name: a_test(name) for name in ("lab", "pages", "modes")}
    rows = (plan.Row("bookworm", "veth", plan.EVERY, ("lab",)), plan.Row("bookworm", "igb", ("pages", "pagess")),
            plan.Row("trixie-backports", "igb", ("lab",)))

    def names(**how):
        return {job.name: ([test.name for test in job.tests], job.unknown)
                for job in plan.jobs(tests, ["bookworm"], rows=rows, **how)}
    assert names() == {"bookworm-veth": (["lab", "pages", "modes"], ()), "bookworm-igb": (["pages"], ("pagess",))}
    assert names(short=True) == {"bookworm-veth": (["lab"], ())}
    assert names(wanted=re.compile("^pages$")) == {"bookworm-veth": (["pages"], ()), "bookworm-igb": (["pages"], ())}
    assert names(hardware=["igb"], all_tests=True) == {"bookworm-igb": (["lab", "pages", "modes"], ())}


def test_the_plan_names_only_tests_that_there_are_and_each_machine_once():
    build = pathlib.Path(os.environ["GUIDEWAY_BIN"]).parent
    tests = plan.tests_of(plan.ctest_list(build))
    assert {name for row in plan.ROWS for name in (*row.tests, *row.short)} - {"*"} <= set(tests)
    assert len({(row.suite, row.hardware) for row in plan.ROWS}) == len(plan.ROWS)
    assert {row.hardware for row in plan.ROWS} <= set(machine.HARDWARE)
    assert {name for row in plan.ROWS for name in row.must_run} <= set(tests)


def test_on_each_kernel_what_a_stock_one_can_run_is_planned_and_must_run():
    tests = plan.tests_of(plan.ctest_list(pathlib.Path(os.environ["GUIDEWAY_BIN"]).parent))
    for job in plan.jobs(tests, debian.SUITES, ["veth"]):
        for name in ("coexistence", "impaired", "kernel_modes", "million", "modes"):
            assert tests[name] in job.tests and name in job.must_run, (job.name, name)


def test_a_pytest_file_has_its_counts_reasons_and_faults(tmp_path):
    result = judged(tmp_path, a_test(), 1, report=JUNIT)
    assert (result.passed, result.failed, result.skipped, result.bad) == (1, 1, 1, True)
    assert (result.reasons, result.faults) == (["no GRE device"], ["c: assert 1 == 2"])


def test_what_has_no_result_of_its_own_is_a_failure_that_says_what_is_known(tmp_path):
    assert judged(tmp_path, a_test(), None).faults == ["out of time after 3 s"]
    assert judged(tmp_path, a_test(), -11, log="x\nSegmentation fault\n").faults == ["exit code -11: Segmentation fault"]
    assert judged(tmp_path, a_test(), 0).faults == ["ended well, but has run nothing"]
    assert not judged(tmp_path, a_test("no_root"), 77, log="needs root\n").bad


@pytest.mark.parametrize("exit_code, also", [(-9, []), (None, ["out of time after 3 s"])])
def test_a_report_that_was_cut_off_is_a_failure_of_its_test(tmp_path, exit_code, also):
    result = judged(tmp_path, a_test(), exit_code, report=JUNIT[:-40])
    assert result.bad and result.faults[:-1] == also
    assert result.faults[-1].startswith("its report pages.xml is not whole: ")


def test_what_must_run_and_was_skipped_as_a_whole_is_a_failure_that_has_the_reason(tmp_path):
    (tmp_path / "million.log").write_text("this kernel has no pktgen\n")
    record = {"exit_code": 77, "seconds": 3.0}
    assert not results.judge(a_test("million"), record, tmp_path).bad
    assert results.judge(a_test("million"), record, tmp_path, must_run=True).faults == [
        "all of it was skipped, and the plan says that it must run here: this kernel has no pktgen"]
    (tmp_path / "million.xml").write_text('<testsuite><testcase name="a"/><testcase name="b">'
                                          '<skipped message="no GRE device"/></testcase></testsuite>')
    assert not results.judge(a_test("million"), {**record, "exit_code": 0}, tmp_path, must_run=True).bad


def test_a_catch_program_has_its_counts_from_its_last_lines(tmp_path):
    program = a_test("routes_test", ["routes_test"], skip_text="SKIP:")
    good = judged(tmp_path, program, 0, log="SKIP: no VLAN\n===\nAll tests passed (9 assertions in 4 test cases)\n")
    assert (good.passed, good.skipped, good.reasons, good.bad) == (3, 1, ["no VLAN"], False)
    bad = judged(tmp_path, program, 1, log="x_test.cpp:7: FAILED:\n  CHECK(a)\ntest cases:  5 |  4 passed | 1 failed\n")
    assert (bad.passed, bad.failed, bad.faults) == (4, 1, ["x_test.cpp:7: FAILED:"])


def test_the_table_has_each_reason_once_and_says_what_is_lost():
    skipped = results.Result(passed=2, skipped=1, reasons=["no GRE device"])
    lines = table.lines([table.Column("a-veth", "6.1", "veth", {"lab": skipped, "pages": results.Result(passed=4)}),
                         table.Column("a-igb", "6.1", "igb", {"lab": skipped, "modes": results.lost("the guest died")})])
    assert lines == ["kernel    6.1                      6.1", "hardware  veth                     igb", "-" * 58,
                     "lab       2 passed, 1 skipped [1]  2 passed, 1 skipped [1]",
                     "pages     4 passed                 -", "modes     -                        LOST",
                     "", "skipped:", "  [1] no GRE device", "", "wrong:", "  a-igb: modes: the guest died"]


def test_a_machine_on_which_all_was_skipped_is_a_fault():
    column = table.Column("a-igb", "6.1", "igb", {"lab": results.Result(skipped=3, reasons=["no igb"])})
    assert table.faults([column]) == ["a-igb: nothing ran: every test was skipped"]


@pytest.fixture
def guests(monkeypatch):
    """Guests are processes here; one whose runner is killed has died. The machines that were started."""
    started = []

    def run(kernel, hardware, folder, command, silence_s, limit_s, on_line=None, alive=None):
        started.append(command)
        (folder / "console.log").write_text("the console\n")
        done = subprocess.run(["bash", "-c", f"exec {command}"], capture_output=True, timeout=120)
        alive()
        return machine.Ended(None, "the guest died") if done.returncode < 0 else machine.Ended(done.returncode)
    monkeypatch.setattr(machine, "run", run)
    return started


def column_of(tests, folder, say=lambda text: None):
    job = plan.Job("bookworm", "igb", tuple(tests), ("unheard_of",))
    return session.run(job, types.SimpleNamespace(release="6.1"), folder / "machine", folder / "b", folder / "bin", say)


def test_a_guest_that_dies_loses_the_test_that_it_was_at_and_a_new_one_goes_on(tmp_path, guests):
    says_passed = "echo 'All tests passed (1 assertion in 1 test case)'"
    column = column_of([a_test("first", ["sh", "-c", says_passed]), a_test("killer", ["sh", "-c", "kill -9 $PPID"]),
                        a_test("last", ["sh", "-c", says_passed])], tmp_path)
    assert len(guests) == 2
    assert [name for name, result in column.results.items() if result.passed == 1] == ["first", "last"]
    assert table.faults([column]) == ["bookworm-igb: killer: the guest died, in this test",
                                      "bookworm-igb: unheard_of: ctest has no such test: see test/kernels/plan.py"]


def test_a_guest_in_which_nothing_begins_is_not_tried_again(tmp_path, guests, monkeypatch):
    monkeypatch.setattr(machine, "HERE", tmp_path)  # there is no runner there
    column = column_of([a_test("first"), a_test("second")], tmp_path)
    assert len(guests) == 1
    assert all(result.lost for result in column.results.values())


def test_what_fails_in_the_harness_is_a_fault_of_that_machine_alone(tmp_path, monkeypatch):
    def fails(*words, **more):
        raise FileNotFoundError("no initrd")
    monkeypatch.setattr(machine, "run", fails)
    said = []
    column = column_of([a_test("first")], tmp_path, said.append)
    assert table.faults([column])[:2] == [
        "bookworm-igb: scripts/test-kernels failed: FileNotFoundError: no initrd",
        "bookworm-igb: first: it was not begun"]
    assert "Traceback" in said[0]


@pytest.fixture
def noisy():
    """What prints for ever, as a kernel that hangs does."""
    with subprocess.Popen(["sh", "-c", "while echo rcu: stall; do sleep 0.05; done"],
                          stdout=subprocess.PIPE) as child:
        yield child
        child.kill()


def test_a_guest_that_hangs_and_prints_for_ever_is_ended_as_no_test_goes_on(tmp_path, noisy):
    why = machine._follow(noisy, tmp_path / "console.log", lambda line: None, lambda: False, 0.5, 60.0)
    assert why == "the guest hangs: no sign of its tests for 0.5 s"


def test_a_command_whose_console_counts_has_a_limit_all_the_same(tmp_path, noisy):
    lines = []
    why = machine._follow(noisy, tmp_path / "console.log", lines.append, None, 30.0, 1.0)
    assert why == "the guest came to no end in 1 s"
    assert lines[0] == "rcu: stall"


def test_a_guest_whose_tests_go_on_is_ended_by_the_limit_alone(tmp_path, noisy):
    why = machine._follow(noisy, tmp_path / "console.log", lambda line: None, lambda: True, 0.5, 2.0)
    assert why == "the guest came to no end in 2 s"


def test_a_folder_that_another_run_has_removed_meanwhile_is_no_error(tmp_path, monkeypatch):
    held.remove_unless_held(tmp_path / "gone")
    folder = tmp_path / "old"
    folder.mkdir()
    monkeypatch.setattr(held.fcntl, "flock", lambda lock, how: folder.rmdir())  # the other one was first
    held.remove_unless_held(folder)
    assert not folder.exists()


def test_a_folder_that_is_in_use_stays_until_it_is_not(tmp_path):
    folder = tmp_path / "run"
    (folder / "logs").mkdir(parents=True)
    lock = held.hold(folder)
    held.remove_unless_held(folder)
    assert folder.exists()
    os.close(lock)
    held.remove_unless_held(folder)
    assert not folder.exists()


def test_a_test_that_is_out_of_time_is_ended_with_what_it_has_started(tmp_path, guests, monkeypatch):
    monkeypatch.setattr(session, "LIMIT_FACTOR", 1)
    script = "tail -f /dev/null & echo $! > pid; wait"
    column = column_of([a_test("hangs", ["sh", "-c", script], folder=tmp_path, limit_s=0.5)], tmp_path)
    assert column.results["hangs"].faults[0].startswith("out of time after ")
    pid = int((tmp_path / "pid").read_text())
    process.wait_until(lambda: process.start_time(pid) is None, "the end of what the test has started")


def test_programs_are_those_of_the_run_and_not_of_the_build(tmp_path, guests):
    column_of([a_test("first", [f"{tmp_path}/b/first", "all"])], tmp_path)
    written = json.loads((tmp_path / "machine/tests.json").read_text())[0]
    assert written["command"] == [f"{tmp_path}/bin/first", "all"]
    assert written["environment"]["GUIDEWAY_BIN"] == f"{tmp_path}/bin"
    assert written["environment"]["GUIDEWAY_LAB_NICS"] == "nic0 nic1"


def test_a_record_that_is_not_written_to_its_end_is_read_when_it_is(tmp_path):
    file = tmp_path / "records.jsonl"
    records = session._Records(file)
    assert records.new() == []
    file.write_text('{"name": "a", "event": "begins"}\n{"name": "a", "ev')
    assert [record["event"] for record in records.new()] == ["begins"]
    file.write_text(file.read_text() + 'ent": "ended", "exit_code": 0}\n')
    assert [record["event"] for record in records.new()] == ["ended"]
    assert records.begun == {"a"} and list(records.ended) == ["a"]
