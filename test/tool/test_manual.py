"""The manual pages: right roff, and nothing left out that the programs take or the file may have."""
import re
import subprocess

import pytest

from conftest import BIN, needs

MAN = BIN.parent / "man"
PAGES = ["guideway.1", "guideway.yaml.5", "guidewayd.8"]
COMMAND = re.compile(r"^  ([a-z]+)  ", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*)")


def words_of(page):
    """The text of a page without what only makes it look well."""
    text = (MAN / page).read_text()
    text = re.sub(r"\\f(\[[A-Z]*\]|.)", "", text)
    return text.replace("\\-", "-").replace("\\&", "").replace('"', "")


@pytest.mark.parametrize("page", PAGES)
@needs("mandoc")
def test_mandoc_has_nothing_against_the_page(page):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", MAN / page], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("page", PAGES)
@needs("man")
def test_man_shows_the_page_without_a_warning(page, environment):
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", MAN / page],
                          capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("page", PAGES)
@needs("man")
def test_no_text_of_the_page_is_wider_than_the_terminal(page, columns, environment):
    done = subprocess.run(["man", "-P", "cat", "-l", MAN / page], capture_output=True, text=True,
                          env={**environment, "MANWIDTH": str(columns)})
    assert done.returncode == 0
    # Examples, which are indented more, and usage, which begins with a program, are not filled.
    filled = [line for line in done.stdout.splitlines()[1:-1] if re.match(r" {7}(?!guideway)\S", line)]
    assert len(filled) > 20
    assert [line for line in filled if len(line) > columns and " " in line.strip()] == []


def test_every_command_and_option_of_guideway_is_in_its_page(guideway):
    page = words_of("guideway.1")
    overview = guideway("--help").stdout
    commands = COMMAND.findall(overview)
    assert len(commands) > 10
    for option in OPTION.findall(overview):
        assert option in page
    for command in commands:
        section = page.partition(f"\n.SS guideway {command}")[2].partition("\n.SS ")[0]
        assert section, command
        options = guideway("help", command).stdout.partition("Options:")[2].partition("Example")[0]
        assert "--help" in options
        for option in OPTION.findall(options):
            assert option in section or option == "--help", (command, option)


def test_examples_and_exit_codes_are_in_the_page():
    page = words_of("guideway.1")
    assert page.count("\n.EX\nguideway ") > 10
    assert ".SH EXIT STATUS\n.TP\n0\nDone.\n.TP\n1\n" in page


def test_what_the_environment_changes_is_in_the_page():
    environment = words_of("guideway.1").partition("\n.SH ENVIRONMENT\n")[2].partition("\n.SH ")[0]
    assert re.findall(r"^\.TP\n(\w+)$", environment, re.MULTILINE) == [
        "GUIDEWAY_SOCKET", "NO_COLOR", "CLICOLOR_FORCE"]


def test_every_option_of_guidewayd_is_in_its_page(guideway):
    page = words_of("guidewayd.8")
    options = set(OPTION.findall(guideway("--help", program="guidewayd").stdout))
    assert {"--check", "--config", "--version", "--help"} <= options
    for option in options:
        assert option in page, option


def keys_of(yaml):
    """All keys of a file in YAML: at the start of a line, of a list's item or within braces."""
    return set(re.findall(r"(?:^ *(?:- )?|[{,] *)([a-z_]+):", re.sub(r"#.*", "", yaml), re.MULTILINE))


def test_every_key_of_the_configuration_is_in_its_page(request):
    """configs/production.yaml has every key that the daemon knows, which another test sees to."""
    production = request.config.rootpath / "configs" / "production.yaml"
    keys = keys_of(production.read_text())
    page = words_of("guideway.yaml.5")
    assert len(keys) > 50
    described = [re.compile(rf"^(?:\w+\.)?{key}(?:$|[ ,])", re.MULTILINE) for key in sorted(keys)]
    assert [key.pattern for key in described if not key.search(page)] == []


def test_the_pages_name_the_version_and_each_other(guideway):
    version = guideway("--version").stdout.split()[1]
    for page in PAGES:
        text = (MAN / page).read_text()
        assert f'"guideway {version}"' in text
        others = [other for other in PAGES if other != page]
        for other in others:
            name, _, section = other.rpartition(".")
            assert re.search(rf"\.BR {re.escape(name)} \({section}\)", text), (page, other)
