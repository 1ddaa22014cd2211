"""`callpost tail`: the attempts as they happen, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
import trio

from conditions import an_attempt
from operators_door import Door, Reply, a_door

ATTEMPTS = "GET /v1/attempts"


def told(outcome: str = "delivered", **more: object) -> bytes:
    """An attempt as the daemon tells it."""
    return b"event: attempt\ndata: %b\n\n" % msgspec.json.encode(an_attempt(outcome, **more))


def stream(*chunks: bytes, leaves: bool = True) -> Reply:
    """The daemon's stream, with what it says when nothing happens."""
    return Reply(chunks=(b": listening\n\n", *chunks), leaves=leaves)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """A daemon that tells of two attempts and stays."""
    async with a_door(tmp_path / "control.sock") as opened:
        opened.replies[ATTEMPTS] = stream(told(), told("retry"), leaves=False)
        yield opened


async def test_it_ends_after_so_many(door: Door) -> None:
    """One line for each attempt."""
    result = await door.run("tail", "--count", "2")
    outcomes = [line.split()[1] for line in result.stdout.splitlines()]
    assert (result.exit_code, outcomes) == (0, ["delivered", "retry"])


async def test_programs_get_an_object_a_line(door: Door) -> None:
    """With the names of the log."""
    result = await door.run("tail", "-n", "1", "--json")
    assert json.loads(result.stdout)["httpStatus"] == 200


async def test_a_daemon_that_leaves_is_told(door: Door) -> None:
    """One sentence, and a failure, for nothing more will come."""
    door.replies[ATTEMPTS] = stream(told())
    result = await door.run("tail")
    assert (result.exit_code, result.stdout.count("\n"), result.stderr) == (
        1,
        1,
        "Error: The daemon has left.\n",
    )


async def test_what_was_missed_is_counted(door: Door) -> None:
    """On standard error, so that what is piped on stays whole."""
    door.replies[ATTEMPTS] = stream(b"event: missed\ndata: 12\n\n", told(), leaves=False)
    result = await door.run("tail", "-n", "1", "--json")
    assert (result.stdout.count("\n"), result.stderr) == (
        1,
        "(12 attempts not shown: too fast)\n",
    )


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ("--subscription crm --kind hangup", "subscription=crm&kind=hangup"),
        ("--call a/b --endpoint crm.example.com", "call=a%2Fb&endpoint=crm.example.com"),
        ("--outcome retry --outcome gone", "outcome=retry&outcome=gone"),
        (
            "--failures",
            "outcome=retry&outcome=refused&outcome=rejected&outcome=gone&outcome=localfault",
        ),
    ],
)
async def test_filters_are_the_daemons(door: Door, options: str, query: str) -> None:
    """What is not wanted is not sent."""
    await door.run("tail", "-n", "1", *options.split())
    assert door.asked[-1] == f"{ATTEMPTS}?{query}"


async def test_an_unknown_subscription_is_not_waited_for(door: Door) -> None:
    """It would be waited for in vain."""
    result = await door.run("tail", "--subscription", "cmr")
    assert (result.exit_code, 'did you mean "crm"?' in result.stderr) == (1, True)


async def test_the_reports_of_a_subscription_can_be_followed(door: Door) -> None:
    """They go under its name with `!report` behind it."""
    assert (await door.run("tail", "-n", "1", "--subscription", "crm!report")).exit_code == 0


@pytest.mark.parametrize(
    "options", ["--count 0", "--follow -n 3", "--failures --outcome gone", "--outcome lost"]
)
async def test_what_contradicts_itself_is_wrong_usage(door: Door, options: str) -> None:
    """The daemon is not asked."""
    result = await door.run("tail", *options.split())
    assert (result.exit_code, door.asked) == (2, [])


async def following(door: Door, end: Callable[[trio.Process], object]) -> tuple[int, bytes]:
    """Follow in a process of its own; `end` it once it has shown two attempts."""
    command = [sys.executable, "-m", "callpost", "tail", "--control", str(door.path)]
    with trio.fail_after(30):
        process = await trio.lowlevel.open_process(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stderr is not None
        shown = b""
        while shown.count(b"\n") < 2:
            shown += await process.stdout.receive_some()
        end(process)
        complaint = b"".join([piece async for piece in process.stderr])
        return await process.wait(), complaint


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_ends_it_silently(door: Door, ending: signal.Signals) -> None:
    """It is how one leaves, and no fault."""
    assert await following(door, lambda process: process.send_signal(ending)) == (0, b"")


async def test_a_closed_pipe_ends_it_silently(door: Door) -> None:
    """`callpost tail | head -2` is no fault either."""
    many = [told() for _ in range(1_000)]
    door.replies[ATTEMPTS] = stream(*many, leaves=False)

    def close(process: trio.Process) -> None:
        assert isinstance(process.stdout, trio.lowlevel.FdStream)
        process.stdout.close()

    assert await following(door, close) == (0, b"")


async def test_a_pipe_gets_plain_text(door: Door) -> None:
    """No colours, and every column."""
    door.replies[ATTEMPTS] = stream(told())
    command = [sys.executable, "-m", "callpost", "tail", "-n", "1", "--control", str(door.path)]
    run = await trio.run_process(command, capture_stdout=True)
    assert (b"\x1b" in run.stdout, run.stdout.split()[-1]) == (False, b"crm.example.com")


@pytest.mark.parametrize("command", ["status", "subscriptions"])
async def test_a_listing_into_a_closed_pipe_is_silent(door: Door, command: str) -> None:
    """Nobody reads, so nobody is told."""
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-m", "callpost", command, "--control", str(door.path)]
    with trio.fail_after(30):
        run = await trio.run_process(line, stdout=writing, capture_stderr=True, check=False)
    os.close(writing)
    assert (run.returncode, run.stderr) == (0, b"")
