"""kill -9 in the middle of a replay: whole chunks are queued, the rest when it is asked again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from callpost.model.replay import Selection
from edge.spool.replays import DEAD_LETTERS, MIDDLE
from edge.spool.spool_on_disk import OpenSqlite
from spool_nouns import done, pending, settled

TESTS = Path(__file__).parents[2]


def kill_in_the_middle(directory: Path) -> None:
    """Run the replay and kill it with a transaction open."""
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "replays.py"), str(directory)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert child.stdout is not None
    with child, child.stdout as output:
        assert output.readline() == b"in the middle\n"
        child.send_signal(signal.SIGKILL)


async def test_a_replay_that_was_killed_is_finished_by_the_next(
    directory: Path, open_sqlite: OpenSqlite
) -> None:
    """Each dead letter is queued exactly once, and forgotten only when it has been delivered."""
    kill_in_the_middle(directory)
    async with open_sqlite() as spool:
        owner = (await spool.enroll(["crm"], now=1.0))["crm"].number
        queued = spool.pending_of(owner)
        assert (queued, queued % 1_000) == (MIDDLE - MIDDLE % 1_000, 0)
        assert spool.dead_count() == DEAD_LETTERS
        await spool.replay(Selection(), now=3_000.0, max_age_s=lambda _, __: 60.0)
        again = pending(spool, owner)
        assert [one.number for one in again] == sorted({one.number for one in again})
        assert (len(again), spool.dead_count()) == (DEAD_LETTERS, DEAD_LETTERS)
        for delivery in again[1:]:
            spool.settle(done(owner, delivery))
        await settled(spool, done(owner, again[-1]))
        assert spool.dead_count() == 1
        await settled(spool, done(owner, again[0]))
        assert (spool.dead_count(), spool.pending_of(owner)) == (0, 0)
