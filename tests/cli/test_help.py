"""The help of every command, and the manual pages that are made from it."""

import re
import shutil
import subprocess
from pathlib import Path

import asyncclick as click
import pytest
from asyncclick.testing import CliRunner

from callpost.cli import callpost
from callpost.cli.manual import pages
from callpost.model.terminal import escaped

COMMANDS = sorted(callpost.commands)
PAGES = dict(pages(callpost, "0.1.0"))
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "FILES"]
SECTIONS += ["ENVIRONMENT", "SEE ALSO"]


async def help_of(*command: str) -> str:
    """What `--help` prints."""
    return (await CliRunner().invoke(callpost, [*command, "--help"])).stdout


@pytest.mark.parametrize("name", COMMANDS)
async def test_every_help_has_an_example(name: str) -> None:
    """That can be typed as it stands there."""
    examples = re.split(r"^ *Examples?:", await help_of(name), flags=re.MULTILINE)[1:]
    assert [f"callpost {name}" in one for one in examples] == [True]


@pytest.mark.parametrize("name", COMMANDS)
async def test_every_help_names_the_exit_statuses(name: str) -> None:
    """What a script can rely on."""
    assert re.search(r"^ *Exit status: 0 ", await help_of(name), re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
async def test_every_option_is_explained(name: str) -> None:
    """No option stands there without a word."""
    options = [one for one in callpost.commands[name].params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help] == []


async def test_the_commands_stand_in_groups() -> None:
    """As one looks for them, each once."""
    text = (await help_of()).replace("\n\n", "\n")
    headings = re.findall(r"^(\S.*):$", text, re.MULTILINE)
    assert headings[1:] == [
        "Running it",
        "Feeding it",
        "Looking at it",
        "Changing it",
        "Moving from another system, or to one",
        "Trying it out",
        "The command line itself",
    ]


async def test_no_command_is_missing_in_the_groups() -> None:
    """A command that is registered is shown."""
    commands = (await help_of()).partition("Running it")[2]
    shown = re.findall(r"^  ([a-z][a-z-]*) +[A-Z]", commands.partition("A first")[0], re.MULTILINE)
    assert sorted(shown) == COMMANDS


async def test_no_summary_is_cut() -> None:
    """A sentence that ends in dots says nothing."""
    assert "..." not in (await help_of()).partition("Running it")[2].partition("A first")[0]


def test_every_command_has_a_page() -> None:
    """And the program has one."""
    expected = ["callpost.1", *(f"callpost-{name}.1" for name in COMMANDS)]
    assert sorted(PAGES) == sorted(expected)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_page_has_the_usual_sections(name: str) -> None:
    """In the order of man-pages(7)."""
    assert re.findall(r"^\.SH (.+)$", PAGES[f"callpost-{name}.1"], re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("file", sorted(PAGES))
def test_no_page_makes_the_formatter_warn(file: str, tmp_path: Path) -> None:
    """Whatever a help says, it is no roff by accident."""
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    page = tmp_path / file
    page.write_text(PAGES[file])
    run = subprocess.run(
        [groff, "-man", "-ww", "-Tutf8", str(page)], capture_output=True, check=True
    )
    assert run.stderr == b""


def test_a_formatted_page_says_what_the_help_says() -> None:
    """Backslashes, dots and quotes arrive as they are."""
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")

    @click.command(epilog=r"Example: strange '.\n'")
    async def strange() -> None:
        r"""Tell `x`.

        .TH is a request, \fB is bold, 'so' and ~tilde^ and -dash are not.
        """

    made = dict(pages(click.Group("top", {"strange": strange}), "1"))["top-strange.1"]
    run = subprocess.run(
        [groff, "-man", "-ww", "-P-cbou", "-Tascii"],
        input=made.encode(),
        capture_output=True,
        check=True,
    )
    shown = " ".join(run.stdout.decode().split())
    texts = [
        r".TH is a request, \fB is bold, 'so' and ~tilde^ and -dash are not.",
        r"strange '.\n'",
    ]
    assert [text in shown for text in texts] == [True, True]


async def test_a_page_is_printed() -> None:
    """For `man -l -`."""
    result = await CliRunner().invoke(callpost, ["man", "status"])
    assert result.stdout == PAGES["callpost-status.1"]


async def test_all_pages_are_written(tmp_path: Path) -> None:
    """Into a directory that need not be there."""
    target = tmp_path / "man" / "man1"
    result = await CliRunner().invoke(callpost, ["man", "--directory", str(target)])
    written = sorted(path.name for path in target.iterdir())
    assert (result.exit_code, written) == (0, sorted(PAGES))


async def test_a_page_of_no_command_is_one_sentence() -> None:
    """And a failure."""
    result = await CliRunner().invoke(callpost, ["man", "nothing"])
    assert (result.exit_code, result.stderr) == (1, "Error: There is no command named 'nothing'.\n")


async def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """The path, and why."""
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "man1"
    result = await CliRunner().invoke(callpost, ["man", "--directory", str(target)])
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: {target} cannot be written: not a directory.\n",
    )


def test_no_page_has_a_control_character() -> None:
    """Click's marks do not reach the reader."""
    assert all(escaped(line) == line for page in PAGES.values() for line in page.split("\n"))
