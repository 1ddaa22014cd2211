"""Completion in the three shells, by the shells themselves."""

import os
import shutil
import sys
from pathlib import Path

import pytest
import trio
from asyncclick.testing import CliRunner

from callpost.cli import callpost
from conditions import SUBSCRIPTIONS
from operators_door import Reply, a_door

CONFIG = """
runtime_directory = "{directory}"
[[subscription]]
name = "crm"
url = "https://crm.example.com/"
[[subscription]]
name = "crm-backup"
url = "https://b.example.com/"
[[subscription]]
name = "popup"
url = "https://p.example.com/"
secrets = ["credential:not-there"]
"""

# Each prints what it would offer behind the words that it is given, one a line.
BASH = """
. "$SCRIPT"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
compopt() { :; }
_callpost_completion callpost
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
autoload -U compinit && compinit -u -D
. "$SCRIPT"
compadd() { print -l -- ${(P)@[-1]} }
_describe() { print -l -- ${(P)@[3]} }
words=("$@"); CURRENT=$#
_callpost_completion
"""
FISH = """
source $SCRIPT
complete --do-complete "$argv"
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A directory for PATH with `callpost` in it, and a configuration beside it."""
    (tmp_path / "callpost.toml").write_text(CONFIG.format(directory=tmp_path))
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    script = bin_directory / "callpost"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m callpost "$@"\n')
    script.chmod(0o755)
    return bin_directory


async def offered(shell: str, program: Path, *words: str) -> list[str]:
    """What the shell offers for the last word."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    script = program / "script"
    printed = await CliRunner().invoke(callpost, ["completion", shell])
    script.write_text(printed.stdout)
    env = os.environ | {
        "PATH": f"{program}:{os.environ['PATH']}",
        "HOME": str(program),
        "SCRIPT": str(script),
        "CALLPOST_CONFIG": str(program.parent / "callpost.toml"),
    }
    command = {
        "bash": [found, "--norc", "-c", BASH, "bash", *words],
        "zsh": [found, "-f", "-c", ZSH, "zsh", *words],
        "fish": [found, "--no-config", "-c", FISH, " ".join(words)],
    }[shell]
    with trio.fail_after(30):
        run = await trio.run_process(command, env=env, capture_stdout=True, capture_stderr=True)
    lines = run.stdout.decode().splitlines()
    return sorted(line.partition("\t")[0].partition(":")[0].strip() for line in lines if line)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_a_shell_completes_commands(shell: str, program: Path) -> None:
    """Those that begin so."""
    assert await offered(shell, program, "callpost", "re") == ["reload", "replay", "resume"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_a_shell_completes_options(shell: str, program: Path) -> None:
    """Of the command that stands there."""
    assert await offered(shell, program, "callpost", "reload", "--d") == ["--dry-run"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_a_shell_completes_subscriptions(shell: str, program: Path) -> None:
    """From the configuration, also where a credential of it cannot be read."""
    assert await offered(shell, program, "callpost", "pause", "crm") == ["crm", "crm-backup"]


async def test_a_name_that_stands_there_already_is_not_offered_again(program: Path) -> None:
    """Several may be named, each once."""
    assert await offered("bash", program, "callpost", "pause", "crm", "") == ["crm-backup", "popup"]


async def test_the_value_of_an_option_is_completed(program: Path) -> None:
    """Where it is the name of a subscription."""
    assert await offered("bash", program, "callpost", "tail", "--subscription", "p") == ["popup"]


async def test_the_daemon_is_asked_where_the_configuration_cannot_be_read(
    program: Path,
) -> None:
    """An operator need not be in the service's group."""
    config = program.parent / "callpost.toml"
    config.write_text(f'runtime_directory = "{program.parent}"\n')
    async with a_door(program.parent / "control.sock") as door:
        door.replies["GET /v1/states"] = Reply({"subscriptions": SUBSCRIPTIONS})
        found = await offered("bash", program, "callpost", "pause", "")
    assert found == ["crm", "ops", "popup"]


async def test_a_daemon_that_does_not_answer_is_not_waited_for(program: Path) -> None:
    """Whoever presses Tab gets the line back."""
    config = program.parent / "callpost.toml"
    config.write_text(f'runtime_directory = "{program.parent}"\n')
    async with a_door(program.parent / "control.sock") as door:
        door.replies["GET /v1/states"] = Reply(delay_s=600)
        assert await offered("bash", program, "callpost", "pause", "") == []


async def test_without_a_configuration_and_a_daemon_nothing_is_offered(program: Path) -> None:
    """And nothing is written over the line that is being typed."""
    (program.parent / "callpost.toml").unlink()
    assert await offered("bash", program, "callpost", "pause", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_the_script_is_sound(shell: str, tmp_path: Path) -> None:
    """The shell reads it without a complaint."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text((await CliRunner().invoke(callpost, ["completion", shell])).stdout)
    checked = await trio.run_process([found, "-n", str(script)], check=False, capture_stderr=True)
    assert (checked.returncode, checked.stderr) == (0, b"")


async def test_another_shell_is_wrong_usage() -> None:
    """The three are named."""
    result = await CliRunner().invoke(callpost, ["completion", "tcsh"])
    assert (result.exit_code, "'bash', 'zsh', 'fish'" in result.stderr) == (2, True)
