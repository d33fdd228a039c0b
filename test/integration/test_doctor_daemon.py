"""`guideway doctor` beside a daemon: what it says of one that runs well, of one that does not, and
what mends it."""
import signal

import pytest

from support import fetch, netns, process
from support.daemon import config, to_yaml, xdp_programs
from support.doctor import OK, Doctor, problems
from support.lab import INTERFACE
from support.reload import post, write

LAB = {"backends": 2}


@pytest.fixture
def daemon(start):
    return start()


@pytest.fixture
def doctor(lab, daemon):
    """Asks the daemon for its file."""
    return Doctor(lab, socket=daemon.settings["admin"]["socket"])


def test_a_daemon_that_runs_well_has_nothing_worse_than_notes(lab, daemon, doctor):
    assert fetch.fetch(lab).status == 200
    report = doctor.ask()
    assert problems(report) == [] and report.code == OK
    for check in ("running", "version", "ready", "reload", "in_force", "progress", "obtained", "program",
                  "served_by", "resolved", "drops"):
        assert [finding["severity"] for finding in report.found[check]] == ["ok"], check
    [file] = report.found["file"]
    assert file["subject"] == f"file {daemon.config_path}"


def test_that_no_daemon_runs_is_a_note_until_one_does(lab, new_daemon):
    daemon = new_daemon()
    doctor = Doctor(lab, config(lab), daemon.settings["admin"]["socket"])
    assert "not running" in doctor.only("running", "note")["text"]
    daemon.start().wait_ready().wait_resolved()
    doctor.wait_gone("running")
    daemon.settle()
    assert daemon.stop() == 0
    doctor.only("running", "note")


def test_a_file_that_was_named_leads_to_the_daemon_by_its_socket(lab, daemon):
    command = [lab.bin_dir / "guideway", "doctor", daemon.config_path, "--all"]
    shown = netns.run(*netns.exec_command(lab.ns("lb1"), command))
    assert f"it runs (pid {daemon.child.pid})" in shown


def test_without_a_file_the_daemon_is_asked_where_the_usual_file_says(lab, daemon):
    usual = (f"mount -t tmpfs none /etc && mkdir /etc/guideway && cp {daemon.config_path} /etc/guideway/guideway.yaml"
             f" && exec {lab.bin_dir}/guideway doctor --all")
    command = ["env", "-u", "GUIDEWAY_SOCKET", "unshare", "--mount", "sh", "-c", usual]
    assert f"it runs (pid {daemon.child.pid})" in netns.run(*netns.exec_command(lab.ns("lb1"), command))


def test_a_refused_reload_is_found_until_the_file_is_right_and_reloaded(lab, daemon, doctor):
    settings = config(lab)
    settings["services"][0]["pool"] = "nowhere"
    assert post(daemon, settings).status == 422
    assert '"nowhere"' in doctor.only("file", "error")["text"]
    finding = doctor.only("reload", "warning")
    write(daemon, daemon.settings)
    doctor.mend(finding)
    report = doctor.ask()
    assert problems(report) == []


def test_a_file_that_is_not_in_force_is_found_and_the_command_mends_it(lab, daemon, doctor):
    settings = config(lab, weights=[2, 1])
    write(daemon, settings)
    finding = doctor.only("in_force", "warning")
    assert finding["mend"] == f"guideway reload --socket {doctor.socket}"
    doctor.mend(finding)
    doctor.wait_gone("in_force")
    assert daemon.backend("be1")["weight"] == 2


def test_a_program_that_was_taken_off_is_found_and_the_command_mends_it(lab, daemon, doctor):
    lab.ip("lb1", f"link set {INTERFACE} xdp off")
    finding = doctor.wait_for("attachment", "error")
    assert INTERFACE in finding["text"] and finding["mend"] == f"guideway reload --socket {doctor.socket}"
    doctor.only("ready", "error")
    doctor.mend(finding)
    doctor.wait_gone("attachment")
    assert problems(doctor.ask()) == []
    assert fetch.fetch(lab).status == 200


def test_what_a_killed_daemon_left_is_found_and_the_command_takes_it_off(lab, new_daemon):
    daemon = new_daemon().start().wait_ready()
    daemon.kill()
    doctor = Doctor(lab, config(lab), daemon.settings["admin"]["socket"])
    finding = doctor.only("program", "warning")
    assert "a daemon has left behind" in doctor.only("running", "warning")["text"]
    assert "guideway_steer" in finding["text"] or "xdp_dispatcher" in finding["text"]
    doctor.mend(finding)
    doctor.wait_gone("program")
    assert xdp_programs(lab) == {}


def test_a_daemon_that_is_not_reached_is_told_by_its_pid(lab, daemon):
    finding = Doctor(lab, config(lab), daemon.folder / "elsewhere.sock").only("served_by", "warning")
    assert f"(pid {daemon.child.pid})" in finding["text"]


def test_a_backend_that_is_down_is_told_with_the_reason(lab, start):
    settings = config(lab)
    pace = {"interval": process.paced("200ms"), "timeout": process.paced("100ms")}
    settings["pools"][0]["checks"] = [{"type": "tcp", "port": 80, **pace},
                                      {"type": "tcp", "port": 9, "fall": 1, **pace}]
    daemon = start(settings)
    doctor = Doctor(lab, socket=daemon.settings["admin"]["socket"])
    one, other = (backend.address for backend in lab.backends)
    process.wait_until(lambda: any(finding["text"].startswith(f"{one} and {other} in pool web are down: tcp port 9: ")
                                   for finding in doctor.amiss("backend")), "both backends are down")
    assert "they are dropped" in doctor.only("pool", "error")["text"]


def test_packets_that_found_no_backend_are_told(lab, start):
    daemon = start(config(lab, weights=[0, 0]))
    doctor = Doctor(lab, socket=daemon.settings["admin"]["socket"])
    with pytest.raises(TimeoutError):
        fetch.fetch(lab, timeout=1)
    process.wait_until(lambda: daemon.count("no_backend") > 0, "packets are dropped")
    assert "of a pool that had no backend" in doctor.only("no_backend", "warning")["text"]


def test_a_daemon_that_does_not_answer_is_told(lab, daemon, doctor):
    file = Doctor(lab, config(lab), daemon.settings["admin"]["socket"])
    daemon.child.send_signal(signal.SIGSTOP)
    try:
        report = file.ask()
        assert [finding["severity"] for finding in report.found["running"]] == ["error"]
        [served] = report.found["served_by"]
        assert served["severity"] == "warning" and f"(pid {daemon.child.pid})" in served["text"]
    finally:
        daemon.child.send_signal(signal.SIGCONT)
    doctor.wait_gone("running")


def test_another_name_of_the_same_file_is_the_same_file(lab, daemon):
    link = daemon.folder / "link.yaml"
    link.symlink_to(daemon.config_path)
    try:
        doctor = Doctor(lab, socket=daemon.settings["admin"]["socket"])
        doctor.file = link
        assert problems(doctor.ask()) == []
        other = daemon.folder / "doctor.yaml"
        other.write_text(to_yaml(daemon.settings))
        doctor.file = other
        assert str(daemon.config_path) in doctor.only("in_force", "note")["text"]
    finally:
        link.unlink()
