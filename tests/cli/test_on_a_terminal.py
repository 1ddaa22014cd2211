"""The live commands on a real terminal: colours, widths, and the keys of `callpost top`."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from msgspec.structs import replace

from callpost.model.purge import Purged
from callpost.model.story import DeadDelivery, DeadPage
from conditions import BAD_DAY, WELL
from operators_door import Door, Reply, a_door

# Colours are spelled in SGR sequences (ECMA-48, section 8.3.117): 30 to 37 and 90 to 97.
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])m")
ENTERED = b"\x1b[?1049h"
LEFT = b"\x1b[?1049l"
DEAD = DeadDelivery(
    subscription="crm",
    event_id="evt_01937b1e5c6f7d3a9b2c4d5e6f708192",
    call_id="4f1c-2205",
    customer="",
    kind="newCall",
    seq=1,
    reason="attempts_exhausted",
    last="http_503",
    attempts=12,
    accepted_at="2020-11-21T10:30:10.000Z",
    died_at="2020-11-21T10:35:00.000Z",
)
OFTEN = ("top", "--interval", "0.2")


@dataclass
class Terminal:
    """A terminal in which a command runs, seen from the other side."""

    keyboard: int
    process: trio.Process
    shown: bytes = b""

    async def until(self, seen: Callable[[bytes], bool]) -> None:
        """Read what is shown until it is as it should be."""
        with trio.fail_after(20):
            while not seen(self.shown):
                await trio.lowlevel.wait_readable(self.keyboard)
                self.shown += os.read(self.keyboard, 65_536)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.keyboard, keys)

    def resize(self, columns: int, lines: int) -> None:
        """Pull at the corner of the window."""
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.keyboard, termios.TIOCSWINSZ, size)

    async def ended(self) -> int:
        """Read to the end; returns the exit status."""
        with trio.fail_after(20):
            while True:
                await trio.lowlevel.wait_readable(self.keyboard)
                try:
                    self.shown += os.read(self.keyboard, 65_536)
                except OSError:  # Linux tells so that nobody has the other side open any more.
                    return await self.process.wait()


@asynccontextmanager
async def on_a_terminal(
    door: Door, *arguments: str, columns: int = 80, env: Mapping[str, str] | None = None
) -> AsyncIterator[Terminal]:
    """Run a command in a terminal of 24 lines."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-m", "callpost", *arguments, "--control", str(door.path)]
    usual = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "NO_COLOR"}}
    process = await trio.lowlevel.open_process(
        command,
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env={**usual, "TERM": "xterm-256color", **(env or {})},
        # So that the terminal is its own, and tells it of its size.
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(inner)
    try:
        yield Terminal(outer, process)
    finally:
        if process.returncode is None:
            process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
        os.close(outer)


def plain(shown: bytes) -> str:
    """Without what moves and colours."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """A daemon on a bad day."""
    async with a_door(tmp_path / "control.sock") as opened:
        opened.replies["GET /v1/status"] = Reply(BAD_DAY)
        yield opened


async def test_a_terminal_gets_colours(door: Door) -> None:
    """Bad is seen from afar."""
    async with on_a_terminal(door, "status") as terminal:
        status = await terminal.ended()
    assert (status, COLOUR.search(terminal.shown) is not None) == (1, True)


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
async def test_who_wants_no_colours_gets_none(door: Door, env: dict[str, str]) -> None:
    """As no-color.org has it, and for terminals that know none."""
    async with on_a_terminal(door, "status", env=env) as terminal:
        await terminal.ended()
    assert COLOUR.search(terminal.shown) is None


@pytest.mark.parametrize("command", ["status", "subscriptions"])
async def test_nothing_is_wider_than_a_narrow_terminal(door: Door, command: str) -> None:
    """Half a screen is enough."""
    async with on_a_terminal(door, command, columns=60) as terminal:
        await terminal.ended()
    assert max(map(len, plain(terminal.shown).splitlines())) <= 60


@pytest.mark.parametrize("columns", [80, 120, 160])
async def test_the_id_of_a_dead_letter_is_whole_or_not_there(door: Door, columns: int) -> None:
    """In pieces it could be neither read nor copied."""
    door.replies["GET /v1/dead-letters"] = Reply(DeadPage(deliveries=(DEAD,), total=1, next=""))
    async with on_a_terminal(door, "dead", columns=columns) as terminal:
        await terminal.ended()
    shown = plain(terminal.shown)
    assert (DEAD.event_id in shown, "evt_" in shown) == (columns == 160, columns == 160)


async def test_top_shows_a_frame_and_q_ends_it(door: Door) -> None:
    """The screen is as before, and so is the keyboard."""
    async with on_a_terminal(door, "top") as terminal:
        before = termios.tcgetattr(terminal.keyboard)
        await terminal.until(lambda shown: b"q quits" in shown)
        terminal.type(b"q")
        status = await terminal.ended()
        after = termios.tcgetattr(terminal.keyboard)
    in_order = terminal.shown.index(ENTERED) < terminal.shown.index(LEFT)
    assert (status, in_order, after == before) == (0, True, True)


async def test_top_sorts_otherwise_at_s(door: Door) -> None:
    """The order is told at the bottom."""
    async with on_a_terminal(door, "top") as terminal:
        await terminal.until(lambda shown: b"sorted by rate" in shown)
        terminal.type(b"s")
        await terminal.until(lambda shown: b"sorted by lag" in shown)
        terminal.type(b"q")
        assert await terminal.ended() == 0


async def test_top_looks_again_and_again(door: Door) -> None:
    """What changes is seen without a key."""
    async with on_a_terminal(door, *OFTEN) as terminal:
        await terminal.until(lambda shown: b"degraded" in shown)
        door.replies["GET /v1/status"] = Reply(replace(WELL, attempts=WELL.attempts + 1))
        await terminal.until(lambda shown: b"healthy" in shown)
        terminal.type(b"q")
        assert await terminal.ended() == 0


async def test_top_follows_the_size_of_the_terminal(door: Door) -> None:
    """At once, at sixty columns too."""
    async with on_a_terminal(door, "top", "--interval", "60", columns=120) as terminal:
        await terminal.until(lambda shown: b"FLYING" in shown and b"q quits" in shown)
        terminal.shown = b""
        terminal.resize(60, 20)
        await terminal.until(lambda shown: b"q quits" in shown)
        terminal.type(b"q")
        await terminal.ended()
    assert "ENDPOINT" not in plain(terminal.shown)


async def test_top_outlives_the_daemon(door: Door) -> None:
    """The reason stands in the first line, and it goes on when the daemon is back."""
    async with on_a_terminal(door, *OFTEN, columns=120) as terminal:
        await terminal.until(lambda shown: b"q quits" in shown)
        answer = door.replies.pop("GET /v1/status")
        await terminal.until(lambda shown: b"There is no such." in shown)
        terminal.shown = b""
        door.replies["GET /v1/status"] = answer
        await terminal.until(lambda shown: b"degraded" in shown)
        terminal.type(b"q")
        assert await terminal.ended() == 0


async def test_ctrl_c_ends_top_silently(door: Door) -> None:
    """Nothing is left on the screen."""
    async with on_a_terminal(door, "top") as terminal:
        await terminal.until(lambda shown: b"q quits" in shown)
        terminal.type(b"\x03")
        status = await terminal.ended()
    assert (status, plain(terminal.shown.partition(LEFT)[2]).strip()) == (0, "")


@pytest.mark.parametrize(
    ("answer", "status", "asked"), [(b"y\n", 0, [True, False]), (b"n\n", 1, [True])]
)
async def test_a_purge_asks_first(
    door: Door, answer: bytes, status: int, asked: list[bool]
) -> None:
    """It says how much there is; without a yes nothing is removed."""
    door.replies["POST /v1/purge"] = Reply(Purged(events=12, calls=2))
    async with on_a_terminal(door, "purge", "--number", "+4526110203") as terminal:
        await terminal.until(lambda shown: b"[y/N]" in shown)
        terminal.type(answer)
        found = await terminal.ended()
    bodies = [body for body in door.bodies if isinstance(body, dict) and "dryRun" in body]
    assert (found, [body["dryRun"] for body in bodies]) == (status, asked)


async def test_a_purge_that_is_told_yes_does_not_ask(door: Door) -> None:
    """As in a script."""
    door.replies["POST /v1/purge"] = Reply(Purged(events=12))
    async with on_a_terminal(door, "purge", "--call", "1", "--yes") as terminal:
        status = await terminal.ended()
    assert (status, b"[y/N]" in terminal.shown, b"Purged: 12 events" in terminal.shown) == (
        0,
        False,
        True,
    )
