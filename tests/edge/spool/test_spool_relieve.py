"""What a spool that is nearly full lets go of, in which order, and how it tells of it."""

import pytest

from callpost.edge.spool import SqliteSpool
from callpost.model.delivery import Standing, StandingChanged
from callpost.model.limits import MIB, SpoolLimits
from spool_nouns import arrival, died, done, pending, settled

LogLines = list[dict[str, object]]


@pytest.fixture
def limits() -> SpoolLimits:
    """Little room, and ages that nothing here reaches."""
    return SpoolLimits(max_bytes=2 * MIB)


async def enrolled(spool: SqliteSpool) -> tuple[int, int]:
    """Two subscriptions, the first of which is paused."""
    known = await spool.enroll(["crm", "popup"], now=1.0)
    paused = StandingChanged(subscription=known["crm"].number, standing=Standing(paused="auto"))
    await settled(spool, paused)
    return known["crm"].number, known["popup"].number


async def fill(spool: SqliteSpool, *owners: int) -> int:
    """Append events of 20,000 bytes until little room is left; return how many."""
    count = 0
    while spool.used_bytes() < 1.9 * MIB:
        await spool.append([arrival(str(count), *owners, call=str(count), body=b"x" * 20_000)])
        count += 1
    return count


def steps(log_lines: LogLines) -> list[object]:
    """The steps that were told."""
    return [line["step"] for line in log_lines if line["event"] == "spool.relieved"]


async def test_deliveries_of_paused_subscriptions_go_last(
    spool: SqliteSpool, log_lines: LogLines
) -> None:
    """After what was delivered and what is dead, of which nothing is left then."""
    paused, other = await enrolled(spool)
    await spool.append([arrival("made", other, body=b"x" * 20_000)])
    await settled(spool, done(other, pending(spool, other)[0]))
    await spool.append([arrival("dead", other, body=b"x" * 20_000)])
    await settled(spool, died(other, pending(spool, other)[0]))
    await fill(spool, paused)
    trimmed = await spool.trim(1_000.0)
    assert steps(log_lines) == ["delivered", "dead", "paused"]
    assert (trimmed.tight, trimmed.dead, trimmed.paused > 0) == (False, 1, True)


async def test_they_stay_while_other_things_can_go(spool: SqliteSpool, log_lines: LogLines) -> None:
    """Nothing pending goes for as long as a dead letter is kept."""
    paused, other = await enrolled(spool)
    await fill(spool, other)
    for delivery in pending(spool, other):
        await settled(spool, died(other, delivery))
    await spool.append([arrival("kept", paused)])
    await spool.trim(1_000.0)
    assert (spool.pending_of(paused), steps(log_lines)) == (1, ["dead"])


async def test_the_oldest_of_them_go_and_no_more_than_needed(spool: SqliteSpool) -> None:
    """What is left are the newest."""
    paused, _ = await enrolled(spool)
    count = await fill(spool, paused)
    before = pending(spool, paused)
    trimmed = await spool.trim(1_000.0)
    left = pending(spool, paused)
    assert left == before[trimmed.paused :]
    assert 0 < trimmed.paused < count


async def test_of_several_paused_ones_the_oldest_go_first(spool: SqliteSpool) -> None:
    """Whoever they are for."""
    older, newer = await enrolled(spool)
    paused = StandingChanged(subscription=newer, standing=Standing(paused="operator"))
    await settled(spool, paused)
    await spool.append([arrival(f"old-{n}", older, body=b"x" * 20_000) for n in range(40)])
    count = await fill(spool, newer)
    await spool.trim(1_000.0)
    assert spool.pending_of(older) < 40
    assert spool.pending_of(newer) == count


async def test_nobody_elses_deliveries_go(spool: SqliteSpool) -> None:
    """An event that another subscription waits for stays for that one."""
    paused, other = await enrolled(spool)
    count = await fill(spool, paused, other)
    trimmed = await spool.trim(1_000.0)
    assert (spool.pending_of(paused), spool.pending_of(other)) == (0, count)
    assert (trimmed.paused, trimmed.events, trimmed.tight) == (count, 0, True)


async def test_the_log_counts_what_was_lost_by_whom(
    spool: SqliteSpool, log_lines: LogLines
) -> None:
    """One warning for each subscription."""
    paused, _ = await enrolled(spool)
    await fill(spool, paused)
    trimmed = await spool.trim(1_000.0)
    assert [line for line in log_lines if line["event"] == "spool.relieved"] == [
        {
            "level": "warning",
            "event": "spool.relieved",
            "step": "paused",
            "subscription": "crm",
            "deliveries": trimmed.paused,
        }
    ]


async def test_a_resumed_subscription_keeps_its_deliveries(spool: SqliteSpool) -> None:
    """What counts is the standing it has now."""
    paused, _ = await enrolled(spool)
    await settled(spool, StandingChanged(subscription=paused, standing=Standing()))
    count = await fill(spool, paused)
    await spool.trim(1_000.0)
    assert spool.pending_of(paused) == count
