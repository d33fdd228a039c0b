"""The package in a clean Debian: installed with nothing but what it says it depends on, used, upgraded
while it forwards, removed, purged. One life, told in the order of the tests."""
import re

import pytest
from support import clean_root, fetch, process
from support.daemon import config, to_yaml, xdp_programs
from support.unit_file import UnitFile

FILE = "/etc/guideway/guideway.yaml"
# Fits the limit of locked memory that a user has who cannot raise it, as in a container (8 MiB).
SMALL = {"frames": 512}
SOCKET = "/run/guideway/guidewayd.sock"
UNITS = ("guideway.service", "guideway-gobgp.service")


@pytest.fixture(scope="module")
def before(clean):
    """The clean Debian as it was: paths and accounts."""
    return {"files": clean.files(), "accounts": clean.accounts()}


@pytest.fixture(scope="module")
def installed(clean, before, package):
    """The clean Debian with the package; `said` is what apt printed."""
    try:
        clean.said = clean.install(package.path)
    except clean_root.Unavailable as why:
        pytest.skip(str(why))
    return clean


def right_file(lab):
    settings = config(lab, interface=SMALL)
    settings["admin"]["socket"] = SOCKET
    return to_yaml(settings)


def write(root, text, inside=FILE):
    """New content for a file of the root, which keeps its owner and mode."""
    root.path(inside).write_text(text)


def start_daemon(root, log):
    """guidewayd as the package's unit starts it. The folder is what RuntimeDirectory= would make."""
    unit = UnitFile(root.path("lib/systemd/system/guideway.service").read_text())
    owner = unit.get("User", "root")
    root.must("install", "-d", "-o", owner, "-g", unit.get("Group", owner), "/run/guideway")
    return root.start(*unit.command(), log=log)


@pytest.fixture(scope="module")
def daemon(installed, lab):
    """The installed guidewayd, forwarding. Ended by the test of the removal, or here."""
    write(installed, right_file(lab))
    log = lab.node_folder("lb1")
    log.mkdir(exist_ok=True)
    log /= "packaged.log"
    child = start_daemon(installed, log)

    def ready():
        assert child.poll() is None, log.read_text()
        return "guidewayd is ready" in log.read_text()
    process.wait_until(ready, "the packaged guidewayd is ready", 15)
    process.wait_until(lambda: "unresolved" not in installed.must("guideway", "status"), "next hops", 15)
    yield child
    if child.poll() is None:
        child.terminate()
        child.wait(10)


def test_installing_starts_and_enables_nothing_and_says_what_is_next(installed):
    assert f"edit {FILE}, then: systemctl enable --now guideway" in installed.said
    wants = installed.path("etc/systemd/system")
    assert [link for link in wants.rglob("guideway*") if link.is_symlink()] == []


@pytest.mark.parametrize("user", ["guideway", "guideway-bgp"])
def test_the_users_of_the_services_can_neither_log_in_nor_own_a_home(installed, user):
    name, _, uid, _, _, home, shell = installed.account("passwd", user).split(":")
    assert (name, home, shell) == (user, "/nonexistent", "/usr/sbin/nologin")
    assert int(uid) < 1000
    assert installed.account("group", user) is not None
    assert installed.account("shadow", user).split(":")[1].startswith(("!", "*"))


def test_the_configuration_can_be_read_by_the_daemon_and_not_by_others(installed):
    assert installed.must("stat", "-c", "%U:%G %a", FILE) == "root:guideway 640\n"
    assert installed.run("setpriv", "--reuid=nobody", "--clear-groups", "cat", FILE).returncode != 0


def test_both_programs_run_and_say_their_version(installed, package):
    version = package.field("Version")
    assert installed.must("guideway", "--version").split()[-1] == version
    assert installed.must("guidewayd", "--version").split()[-1] == version


def test_every_library_of_every_program_is_there(installed):
    for program in ("/usr/bin/guideway", "/usr/sbin/guidewayd"):
        found = installed.must("ldd", program)
        assert "libc.so.6 => /" in found
        assert "not found" not in found
        # Found, and of the version that the program was linked to: all symbols are bound.
        assert installed.must("env", "LD_BIND_NOW=1", program, "--help")


def test_the_files_of_the_package_are_as_it_brought_them(installed):
    assert installed.must("dpkg", "--verify", "guideway") == ""


def test_each_page_of_the_manual_is_there(installed):
    for page in ("man1/guideway.1", "man8/guidewayd.8", "man5/guideway.yaml.5"):
        text = installed.must("zcat", f"/usr/share/man/{page}.gz")
        assert ".SH NAME" in text or ".Sh NAME" in text, page


def test_the_file_as_it_comes_is_refused_place_by_place(installed):
    done = installed.run("guideway", "check", FILE, in_lab=True)
    assert done.returncode == 1
    for key in ("node.fleet_seed", "interfaces[0].name", "encapsulation.source", "pools[0].backends",
                "services[0].vip"):
        assert re.search(rf"^{FILE}:\d+:\d+: {re.escape(key)}: must be ", done.stderr, re.MULTILINE), done.stderr
    assert "5 problem(s)" in done.stderr


def test_the_file_as_it_comes_is_right_once_its_places_are_filled(installed, lab):
    filled = installed.path(FILE).read_text()
    for empty, value in (("fleet_seed:", '"a lab of its own"'), ("- name:", "net0"), ("source:", "10.77.1.2"),
                         ("backends:", "[10.77.101.2, 10.77.102.2]"), ("vip:", "198.51.100.1")):
        filled, changes = re.subn(rf"^(\s*(?:- )?{re.escape(empty)})$", rf"\1 {value}", filled, flags=re.MULTILINE)
        assert changes == 1, empty
    write(installed, filled, "/root/filled.yaml")
    assert "/root/filled.yaml: right" in installed.must("guideway", "check", "/root/filled.yaml", in_lab=True)
    installed.path("/root/filled.yaml").unlink()


def test_the_daemon_does_not_start_with_the_file_as_it_comes(installed, lab):
    done = installed.run("guidewayd", FILE, in_lab=True)
    assert done.returncode == 1
    assert "nothing was started" in done.stderr
    assert xdp_programs(lab) == {}


def test_pages_come_through_the_daemon_started_as_the_unit_does(daemon, lab):
    pages = fetch.fetch_all(lab, range(30000, 30040))
    assert [page.status for page in pages] == [200] * 40
    assert {fetch.backend_of(page) for page in pages} == {backend.name for backend in lab.backends}


def test_the_client_of_the_package_finds_the_daemon_without_options(daemon, installed):
    assert "198.51.100.1" in installed.must("guideway", "status")


def test_an_upgrade_keeps_an_edited_file_and_the_daemon_goes_on(daemon, installed, lab, later_package):
    edited = installed.path(FILE).read_text() + "# edited by hand\n"
    write(installed, edited)
    traffic = fetch.Traffic(lab)
    said = installed.install(later_package.path)
    process.wait_until(lambda: traffic.answered > 20, "pages during the upgrade and after it", 30)
    answered, failures = traffic.stop()
    assert failures == [] and answered > 20
    assert daemon.poll() is None
    assert "guidewayd runs on as it was before: systemctl restart guideway when it suits" in said
    assert installed.must("dpkg-query", "-W", "-f", "${Version}", "guideway") == "99.0"
    assert installed.path(FILE).read_text() == edited
    assert installed.must("stat", "-c", "%U:%G %a", FILE) == "root:guideway 640\n"


def test_the_scripts_of_the_package_can_be_run_again(installed):
    """dpkg runs them anew after an interrupted installation."""
    accounts = installed.accounts()
    installed.must("/var/lib/dpkg/info/guideway.postinst", "configure", "99.0")
    installed.must("/var/lib/dpkg/info/guideway.prerm", "failed-upgrade", "99.0")
    installed.must("/var/lib/dpkg/info/guideway.postinst", "abort-upgrade", "99.0")
    assert installed.accounts() == accounts


def test_the_daemon_stops_when_told_and_leaves_the_interface(daemon, lab):
    daemon.terminate()
    assert daemon.wait(15) == 0
    assert xdp_programs(lab) == {}


def test_a_removed_package_leaves_its_configuration_alone(installed):
    enable(installed)
    installed.must("dpkg", "--remove", "guideway")
    assert not installed.path("usr/sbin/guidewayd").exists()
    assert not installed.path("lib/systemd/system/guideway.service").exists()
    assert installed.path(FILE).read_text().endswith("# edited by hand\n")


def enable(root):
    """What `systemctl enable` does. The link points to nothing while the package is removed."""
    wants = root.path("etc/systemd/system/multi-user.target.wants")
    wants.mkdir(parents=True, exist_ok=True)
    (wants / UNITS[0]).symlink_to(f"/lib/systemd/system/{UNITS[0]}")


def test_a_purge_leaves_nothing(installed, before):
    (installed.path("etc/guideway") / "guideway.yaml.dpkg-old").write_text("left by an upgrade\n")
    installed.must("dpkg", "--purge", "guideway")
    installed.must("apt-get", "autoremove", "--purge", "-y")
    assert installed.accounts() == before["accounts"]
    # Copies of former accounts and a lock are passwd's and adduser's own, whichever package asks them.
    others = {"etc/gshadow-", "etc/shadow-", "run/adduser"}
    assert installed.files() - before["files"] - others == set()
