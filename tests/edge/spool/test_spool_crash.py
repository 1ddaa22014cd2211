"""kill -9: what was confirmed is there, what was not is whole or absent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.spool.spool_on_disk import OpenSqlite, Query
from spool_nouns import arrival, pending

TESTS = Path(__file__).parents[2]


def killed_after(directory: Path, lines: int) -> dict[str, set[int]]:
    """Run the producers, kill them in full flight; return the confirmed numbers by word."""
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "producers.py"), str(directory)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert child.stdout is not None
    with child, child.stdout as output:
        said = [output.readline() for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
        said += output.readlines()
    confirmed: dict[str, set[int]] = {"stored": set(), "done": set()}
    for word, number in (line.split() for line in said):
        confirmed[word.decode()].add(int(number))
    return confirmed


@pytest.mark.parametrize("lines", [50, 400, 1_000])
async def test_what_was_confirmed_survives_a_kill(
    directory: Path, open_sqlite: OpenSqlite, query: Query, lines: int
) -> None:
    """Every receipt is kept, nothing that was settled comes back, and no event is half there."""
    confirmed = killed_after(directory, lines)
    async with open_sqlite() as spool:
        events = {number for (number,) in query("select number from events")}
        waiting = {one.number for one in pending(spool, 1)}
    assert confirmed["stored"] <= events
    assert not confirmed["done"] & waiting
    assert len(events) % 5 == 0


async def test_a_killed_spool_goes_on_counting(
    directory: Path, open_sqlite: OpenSqlite, query: Query
) -> None:
    """Numbers are not given twice and no call has a hole or a repeat in its seq."""
    killed_after(directory, 200)
    async with open_sqlite() as spool:
        [(newest,)] = query("select max(number) from events")
        [(told, last_id)] = query(
            "select seq, last_id from counters join calls using (call) where call_id = 'a'"
        )
        stored = query("select number from events join calls using (call) where call_id = 'a'")
        await spool.append([arrival("after", 1, call="a")])
        last = pending(spool, 1)[-1]
    assert isinstance(newest, int)
    assert last.number > newest
    assert (last.seq, last.previous_id, told) == (len(stored) + 1, last_id, len(stored))


async def test_a_killed_daemon_does_not_keep_the_lock(
    directory: Path, open_sqlite: OpenSqlite
) -> None:
    """The next one starts at once."""
    killed_after(directory, 1)
    async with open_sqlite() as spool:
        assert spool.newest_stamp() > 0
