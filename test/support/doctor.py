"""`guideway doctor` on the load balancer of a lab: what it finds, and whether what it prints to mend
a finding does."""
import collections
import json
import os
import subprocess

from support import netns, process
from support.daemon import to_yaml

OK, ERRORS, WARNINGS = 0, 1, 4  # exit codes
CODES = {"ok": OK, "note": OK, "warning": WARNINGS, "error": ERRORS}
SECONDS = 10.0

# What it printed: its exit code, {check: [finding, ..]}, and the text as it is.
Report = collections.namedtuple("Report", "code found text")


class Doctor:
    """Asks on lb1, with a file of its own or that of a daemon."""

    def __init__(self, lab, settings=None, socket=None):
        self.lab = lab
        self.folder = lab.node_folder("lb1")
        self.folder.mkdir(exist_ok=True)
        self.socket = socket or self.folder / "guidewayd.sock"
        self.file = None
        if settings is not None:
            self.file = self.folder / "doctor.yaml"
            self.file.write_text(to_yaml(settings))

    def run(self, *words, wrapper=()):
        """`guideway doctor`, ended."""
        file = [self.file] if self.file else []
        command = [*wrapper, self.lab.bin_dir / "guideway", "doctor", *file, *words, "--socket", self.socket]
        return subprocess.run(netns.exec_command(self.lab.ns("lb1"), command), capture_output=True, text=True)

    def ask(self, *words, wrapper=()):
        """The findings, those that are right included. The exit code has to fit the worst of them."""
        done = self.run("--json", "--all", *words, wrapper=wrapper)
        assert done.stderr == "", done.stderr
        document = json.loads(done.stdout)
        found = collections.defaultdict(list)
        for finding in document["findings"]:
            found[finding["check"]].append(finding)
        assert done.returncode == CODES[document["worst"]], (done.returncode, document["worst"])
        return Report(done.returncode, dict(found), done.stdout)

    def amiss(self, check, **how):
        """The findings of this check that are worse than ok."""
        return [finding for finding in self.ask(**how).found.get(check, []) if finding["severity"] != "ok"]

    def only(self, check, severity, **how):
        """The one finding of this check, which has to be of this severity."""
        found = self.amiss(check, **how)
        assert [finding["severity"] for finding in found] == [severity], (check, found)
        return found[0]

    def wait_for(self, check, severity, **how):
        """The same, as soon as there is one."""
        process.wait_until(lambda: self.amiss(check, **how), f"the doctor finds {check}", SECONDS)
        return self.only(check, severity, **how)

    def wait_gone(self, check, **how):
        process.wait_until(lambda: not self.amiss(check, **how), f"{check} is mended", SECONDS)

    def mend(self, finding):
        """Runs the very command that was printed, as a person on this host would."""
        assert finding["command"], finding
        environment = {**os.environ, "PATH": f"{self.lab.bin_dir}:{os.environ['PATH']}"}
        done = subprocess.run(netns.exec_command(self.lab.ns("lb1"), ["sh", "-c", finding["mend"]]),
                              capture_output=True, text=True, env=environment)
        assert done.returncode == 0, f"{finding['mend']}: {done.stderr}"


def problems(report):
    """What is worse than a note, for a message."""
    return [finding for findings in report.found.values() for finding in findings
            if finding["severity"] in ("warning", "error")]
