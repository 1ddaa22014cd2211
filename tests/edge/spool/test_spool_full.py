"""When there is no more room: events are refused, nothing that was accepted is lost."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from callpost.edge.spool import NotWritten, SqliteSpool
from callpost.model.card import CardsChanged
from callpost.model.delivery import Accepted, NotAccepted
from callpost.model.limits import MIB, SpoolLimits
from edge.spool.spool_on_disk import OpenSqlite
from spool_nouns import arrival, deferred, done, pending, released, settled

TESTS = Path(__file__).parents[2]
FULL = NotAccepted("spool_full", "The spool is full: it has reached its max_bytes.")


async def fill(spool: SqliteSpool) -> NotAccepted:
    """Append until an event is refused."""
    for n in range(10_000):
        [receipt] = await spool.append([arrival(f"fill-{n}", 1, body=b"x" * 20_000)])
        if isinstance(receipt, NotAccepted):
            return receipt
    raise AssertionError


class TestMaxBytes:
    """A spool of 1 MiB."""

    @pytest.fixture
    def limits(self) -> SpoolLimits:
        """Little room, and nothing kept."""
        return SpoolLimits(max_bytes=MIB, retain_s=0.0)

    async def test_an_event_beyond_max_bytes_is_refused(self, spool: SqliteSpool) -> None:
        """With a sentence for the producer; what was accepted is there."""
        assert await fill(spool) == FULL
        assert 0.8 * MIB < spool.used_bytes() < 1.3 * MIB

    async def test_every_event_of_a_refused_append_gets_an_answer(self, spool: SqliteSpool) -> None:
        """One for each."""
        await fill(spool)
        assert await spool.append([arrival("x"), arrival("y")]) == [FULL, FULL]

    async def test_settlements_are_written_all_the_same(self, spool: SqliteSpool) -> None:
        """Outcomes make room, they never wait for it."""
        await fill(spool)
        before = pending(spool, 1)
        assert await settled(spool, done(1, before[0]))
        assert pending(spool, 1) == before[1:]

    async def test_the_operator_is_told_until_there_is_room(self, spool: SqliteSpool) -> None:
        """With a word for programs, the producer's sentence, and since when."""
        assert spool.counts.trouble is None
        await fill(spool)
        trouble = spool.counts.trouble
        assert trouble is not None
        assert (trouble.code, trouble.sentence) == ("spool_full", FULL.message)
        assert trouble.since is not None
        for one in pending(spool, 1):
            assert await settled(spool, done(1, one))
        await spool.trim(1e9)
        assert isinstance((await spool.append([arrival("z")]))[0], Accepted)
        assert spool.counts.trouble is None

    async def test_events_are_accepted_again_once_there_is_room(self, spool: SqliteSpool) -> None:
        """When retention has taken what was delivered."""
        await fill(spool)
        for delivery in pending(spool, 1):
            await settled(spool, done(1, delivery))
        await spool.trim(2_000.0)
        [receipt] = await spool.append([arrival("again", 1)])
        assert isinstance(receipt, Accepted)

    async def test_the_log_tells_it_once(
        self, spool: SqliteSpool, log_lines: list[dict[str, object]]
    ) -> None:
        """However many events are refused, and whatever is settled meanwhile."""
        await fill(spool)
        await settled(spool, done(1, pending(spool, 1)[0]))
        await fill(spool)
        assert [line["event"] for line in log_lines] == ["spool.degraded"]


async def test_an_event_that_cannot_be_written_is_refused(
    spool: SqliteSpool, let_files_grow_to: Callable[[int], None]
) -> None:
    """With what the disk said; nothing of it is kept."""
    let_files_grow_to(MIB)
    refusal = await fill(spool)
    kept = pending(spool, 1)
    assert refusal == NotAccepted("spool_error", "The spool cannot be written: disk I/O error.")
    assert [one.seq for one in kept] == list(range(1, len(kept) + 1))


async def test_seq_has_no_hole_after_a_refusal(
    spool: SqliteSpool, let_files_grow_to: Callable[[int], None]
) -> None:
    """What was refused was never counted."""
    let_files_grow_to(MIB)
    await fill(spool)
    before = pending(spool, 1)
    let_files_grow_to(0)
    await spool.append([arrival("again", 1)])
    last = pending(spool, 1)[-1]
    assert last.seq == len(before) + 1
    assert last.number > before[-1].number


async def test_settlements_wait_until_they_can_be_written(
    spool: SqliteSpool,
    let_files_grow_to: Callable[[int], None],
    log_lines: list[dict[str, object]],
) -> None:
    """They are tried again, in their order, and confirmed when they are on disk."""
    await spool.append([arrival("a", 1), arrival("b", 1, call="2")])
    first, second = pending(spool, 1)
    let_files_grow_to(1)
    heard: list[str] = []
    confirmed = trio.Event()
    spool.settle(deferred(1, first), lambda _: heard.append("deferred"))
    spool.settle(done(1, second), lambda _: heard.append("done"))
    spool.settle(released(1, second), lambda _: confirmed.set())
    # An append in the same moment is refused; that is how this test knows of the failure.
    [receipt] = await spool.append([arrival("c", 1)])
    heard.append("refused" if isinstance(receipt, NotAccepted) else "accepted")
    let_files_grow_to(0)
    await confirmed.wait()
    assert heard == ["refused", "deferred", "done"]
    assert [(one.seq, one.rounds) for one in pending(spool, 1)] == [(1, 1)]
    await spool.append([arrival("d", 1)])
    assert [line["event"] for line in log_lines] == [
        "spool.degraded",
        "spool.reopened",
        "spool.recovered",
    ]


async def test_a_change_of_cards_does_not_wait_for_the_disk(
    spool: SqliteSpool, let_files_grow_to: Callable[[int], None]
) -> None:
    """While outcomes are tried again whoever asked is told: a reload would hang with it."""
    await spool.append([arrival("a", 1)])
    let_files_grow_to(1)
    spool.settle(done(1, pending(spool, 1)[0]))
    await spool.append([arrival("b", 1)])
    with trio.fail_after(5), pytest.raises(NotWritten, match="cannot be written"):
        await spool.write_cards(CardsChanged())
    let_files_grow_to(0)


async def test_reads_and_writes_go_on_over_new_connections(
    spool: SqliteSpool, let_files_grow_to: Callable[[int], None]
) -> None:
    """After an I/O error both connections are replaced, and nothing that was told is lost."""
    await spool.append([arrival("a", 1)])
    connections = spool._writer._connections
    writing, reading = connections.writing, connections.reader._connection
    let_files_grow_to(1)
    await spool.append([arrival("b", 1)])
    let_files_grow_to(0)
    await spool.append([arrival("c", 1)])
    assert [one.seq for one in pending(spool, 1)] == [1, 2]
    assert connections.writing is not writing
    assert connections.reader._connection is not reading


async def test_what_cannot_be_written_at_the_end_is_given_up(
    open_sqlite: OpenSqlite,
    let_files_grow_to: Callable[[int], None],
    log_lines: list[dict[str, object]],
) -> None:
    """A stop does not wait for a disk; the log says how much will come again."""
    async with open_sqlite() as spool:
        await spool.append([arrival("a", 1)])
        let_files_grow_to(1)
        spool.settle(done(1, pending(spool, 1)[0]))
    let_files_grow_to(0)
    async with open_sqlite() as spool:
        assert len(pending(spool, 1)) == 1
    assert [(line["event"], line.get("settlements")) for line in log_lines] == [
        ("spool.degraded", None),
        ("spool.reopened", None),
        ("spool.abandoned", 1),
    ]


async def test_settlements_that_pile_up_are_noticed(
    spool: SqliteSpool, let_files_grow_to: Callable[[int], None]
) -> None:
    """So that no more work is begun until the disk takes them."""
    await spool.append([arrival("a", 1)])
    [delivery] = pending(spool, 1)
    let_files_grow_to(1)
    for _ in range(10_000):
        spool.settle(done(1, delivery))
    await spool.append([arrival("b", 1)])
    clogged = spool.clogged
    let_files_grow_to(0)
    await settled(spool, done(1, delivery))
    assert (clogged, spool.clogged) == (True, False)


def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    """On a file system that is really full: outcomes take the ballast's place, events wait."""
    unshare = shutil.which("unshare")
    inside = [str(unshare), "--user", "--map-root-user", "--mount"]
    if unshare is None or subprocess.run([*inside, "true"], check=False).returncode != 0:
        pytest.skip("needs a user namespace with mounts of its own")
    child = subprocess.run(
        [*inside, sys.executable, str(Path(__file__).parent / "fill_disk.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert json.loads(child.stdout) == {
        "started": ["spool.ballast_dropped"],
        "error": "spool_full",
        "message": "The spool cannot be written: the disk is full.",
        "lost": 0,
        "settled": True,
        "refused": True,
        "again": True,
        "log": [
            "spool.degraded",
            "spool.ballast_dropped",
            "spool.ballast_restored",
            "spool.recovered",
        ],
    }
