"""Where Debian comes from on this host: read from apt's own files, of either form.

Sources of others (drivers, clouds, databases) are left out, so that a mirror of theirs that fails
does not fail a run."""
import pathlib
import re
import typing
import urllib.parse

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Source(typing.NamedTuple):
    uri: str
    suite: str
    signed_by: str = KEYRING


def _paragraphs(text):
    """The entries of a deb822 file, as dictionaries with names in lower case."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in re.split(r"\n\s*\n", lines):
        folded = re.sub(r"\n[ \t]+", " ", paragraph)
        yield {name.strip().lower(): value.strip() for name, colon, value in
               (line.partition(":") for line in folded.splitlines()) if colon}


def _of_deb822(text):
    for entry in _paragraphs(text):
        words = {name: entry.get(name, "").split() for name in ("types", "uris", "suites", "components")}
        if "deb" not in words["types"] or entry.get("enabled", "yes").lower() in ("no", "false"):
            continue
        for uri in words["uris"]:
            yield from ((uri, suite, words["components"], entry.get("signed-by", "")) for suite in words["suites"])


def _of_lines(text):
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]*)", line)
        if found:
            options, uri, suite, components = found.groups()
            signed_by = re.search(r"signed-by=(\S+)", options or "", re.IGNORECASE)
            yield uri, suite, components.split(), signed_by[1] if signed_by else ""


def sources_in(text, deb822, release):
    """Debian's own sources of `release` with its updates and security, in the text of one file."""
    wanted = {release, f"{release}-updates", f"{release}-security"}
    for uri, suite, components, signed_by in (_of_deb822 if deb822 else _of_lines)(text):
        path = urllib.parse.urlsplit(uri).path.strip("/")
        if suite in wanted and "main" in components and "debian" in path and not uri.startswith("cdrom"):
            yield Source(uri, suite, signed_by if signed_by.startswith("/") else KEYRING)


def host_sources(release, etc_apt="/etc/apt"):
    """Those of the host; empty when its apt has none for this release."""
    folder = pathlib.Path(etc_apt)
    found = []
    for file in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))]:
        if file.is_file() and file.suffix in (".list", ".sources"):
            found += sources_in(file.read_text(errors="replace"), file.suffix == ".sources", release)
    return list(dict.fromkeys(found))


def another_suite(sources, release, suite):
    """The same mirror's source for a suite that the host may not have."""
    base = next(source for source in sources if source.suite == release)
    return base._replace(suite=suite)


def as_list(sources):
    """The text of a sources.list."""
    return "".join(f"deb [signed-by={source.signed_by}] {source.uri} {source.suite} main\n" for source in sources)
