"""What is in the package, without installing it."""
import gzip
import re
import subprocess

import pytest
from conftest import ROOT, make_package, preset

HARDENING = ("hardening-no-pie", "hardening-no-relro", "hardening-no-bindnow",
             "hardening-no-fortify-functions")


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "--extract", package.path, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def lintian(package):
    """The tags that lintian gives, overridden ones apart: [(severity letter, tag and where)]."""
    done = subprocess.run(["lintian", "--allow-root", "--display-info", "--tag-display-limit", "0",
                           "--fail-on", "error", package.path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return [tuple(line.split(": guideway: ", 1)) for line in done.stdout.splitlines() if ": guideway: " in line]


def test_lintian_finds_no_error_and_nothing_to_warn_of(lintian):
    assert [tag for severity, tag in lintian if severity in "EW"] == []


def test_every_override_of_lintian_is_used(lintian):
    assert [tag for _, tag in lintian if "override" in tag] == []


def test_the_programs_of_a_release_are_hardened(lintian):
    if preset() != "release":
        pytest.skip("only the release preset hardens: see cmake/Package.cmake")
    assert [tag for _, tag in lintian if tag.startswith(HARDENING)] == []


def test_files_are_where_debian_has_them(package):
    listing = package.listing()
    wanted = {"/usr/sbin/guidewayd": "-rwxr-xr-x", "/usr/bin/guideway": "-rwxr-xr-x",
              "/lib/systemd/system/guideway.service": "-rw-r--r--",
              "/lib/systemd/system/guideway-gobgp.service": "-rw-r--r--",
              "/lib/systemd/system/guideway-withdraw.service": "-rw-r--r--",
              "/etc/guideway/guideway.yaml": "-rw-r-----",
              "/usr/share/man/man1/guideway.1.gz": "-rw-r--r--",
              "/usr/share/man/man8/guidewayd.8.gz": "-rw-r--r--",
              "/usr/share/man/man5/guideway.yaml.5.gz": "-rw-r--r--",
              "/usr/share/bash-completion/completions/guideway": "-rw-r--r--",
              "/usr/share/doc/guideway/copyright": "-rw-r--r--",
              "/usr/share/doc/guideway/changelog.gz": "-rw-r--r--",
              "/usr/share/doc/guideway/docs/operations.md": "-rw-r--r--",
              "/usr/share/doc/guideway/examples/minimal.yaml": "-rw-r--r--",
              "/usr/share/doc/guideway/examples/production.yaml": "-rw-r--r--",
              "/usr/share/doc/guideway/examples/grafana.json": "-rw-r--r--",
              "/usr/share/doc/guideway/examples/gobgp-external/guideway-gobgp.conf": "-rw-r--r--",
              "/usr/share/doc/guideway/examples/gobgp-external/gobgpd.yaml": "-rw-r--r--",
              **{f"/usr/share/doc/guideway/examples/routers/{path.name}": "-rw-r--r--"
                 for path in (ROOT / "configs/routers").glob("*.conf")}}
    assert {path: listing.get(path, ("missing",))[0] for path in wanted} == wanted
    assert {owner for _, owner in listing.values()} == {"root/root"}
    allowed = ("/etc/", "/lib/", "/usr/")
    assert [path for path in listing if path != "/" and not path.startswith(allowed)] == []


def test_pages_that_units_and_manual_name_are_in_the_package(package, unpacked):
    texts = [path.read_text() for path in (unpacked / "lib/systemd/system").glob("*.service")]
    texts += [gzip.decompress(path.read_bytes()).decode() for path in (unpacked / "usr/share/man").rglob("*.gz")]
    named = {name for text in texts for name in re.findall(r"/usr/share/doc/guideway/[\w./-]+\w", text)}
    assert "/usr/share/doc/guideway/docs/operations.md" in named
    assert named - {path.rstrip("/") for path in package.listing()} == set()


def test_every_file_of_etc_is_a_conffile(package):
    conffiles = subprocess.run(["dpkg-deb", "--info", package.path, "conffiles"],
                               capture_output=True, text=True, check=True).stdout.split()
    assert sorted(conffiles) == sorted(path for path, (mode, _) in package.listing().items()
                                       if path.startswith("/etc/") and mode.startswith("-"))


def test_each_library_is_a_dependency_with_its_version(package):
    depends = dict(re.fullmatch(r"(\S+)(?: \((.*)\))?", item).groups()
                   for item in package.field("Depends").split(", ")
                   if "|" not in item)
    for name in ("libc6", "libbpf1", "libxdp1", "libssl3", "libstdc++6", "libgrpc++1.51", "libprotobuf32"):
        assert depends.get(name, "").startswith(">= "), (name, depends)
    assert "adduser" in depends


def test_the_bgp_speaker_comes_along_unless_it_is_refused(package):
    """Only a configuration with `bgp:` needs it."""
    assert "gobgpd" in package.field("Recommends").split(", ")
    assert "gobgpd" not in package.field("Depends")


def test_needrestart_leaves_the_load_balancer_and_its_speaker_alone(unpacked):
    """By what needrestart does with the file: it is Perl, and its patterns are matched."""
    code = f'''our %nrconf; do "{unpacked}/etc/needrestart/conf.d/guideway.conf" // die;
               foreach my $unit (@ARGV) {{ print grep({{ $unit =~ $_ }} keys %{{$nrconf{{override_rc}}}}) ? 1 : 0; }}'''
    units = ["guideway.service", "guideway-gobgp.service", "gobgpd.service", "guideway-other.service"]
    done = subprocess.run(["perl", "-e", code, *units], capture_output=True, text=True, check=True)
    assert done.stdout == "1100"


def test_the_changelog_of_the_package_begins_with_its_version(package, unpacked):
    text = gzip.decompress((unpacked / "usr/share/doc/guideway/changelog.gz").read_bytes()).decode()
    assert text.startswith(f"guideway ({package.field('Version')}) ")


def test_the_copyright_file_names_every_licence_of_the_sources(unpacked):
    text = (unpacked / "usr/share/doc/guideway/copyright").read_text()
    named = set(re.findall(r"SPDX-License-Identifier: (.+?)(?: \*/)?$", "\n".join(
        path.read_text() for path in (ROOT / "bpf").iterdir() if path.suffix in (".c", ".h")), re.MULTILINE))
    assert named == {"GPL-2.0-only OR BSD-2-Clause"}
    assert re.search(r"^Files: bpf/\*\n(?:.+\n)*?License: GPL-2.0-only or BSD-2-Clause$", text, re.MULTILINE)
    used = set(re.findall(r"^License: (.+)$", text, re.MULTILINE))
    explained = set(re.findall(r"^License: (.+)\n ", text, re.MULTILINE))
    assert used == explained
    assert "Apache-2.0" in used


def test_the_debug_symbols_are_those_of_the_programs(package, unpacked):
    symbols = package.path.with_name(package.path.name.replace("guideway_", "guideway-dbgsym_")).with_suffix(".ddeb")
    listed = subprocess.run(["dpkg-deb", "--contents", symbols], capture_output=True, text=True, check=True).stdout
    for program in ("usr/sbin/guidewayd", "usr/bin/guideway"):
        notes = subprocess.run(["readelf", "--notes", "--sections", unpacked / program],
                               capture_output=True, text=True, check=True).stdout
        assert ".symtab" not in notes and ".debug_info" not in notes
        build_id = re.search(r"Build ID: ([0-9a-f]+)", notes)[1]
        assert f"/.build-id/{build_id[:2]}/{build_id[2:]}.debug" in listed


def test_the_same_build_gives_the_same_package(package):
    first = package.path.read_bytes()
    make_package.cache_clear()
    assert make_package().path.read_bytes() == first
