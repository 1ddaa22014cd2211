"""What the tests of replays have in common: subscriptions, endings, and a replay of them."""

from callpost.edge.spool import SqliteSpool
from callpost.model.delivery import Delivery
from callpost.model.replay import Replayed, Selection
from spool_nouns import died, done, pending, settled

ALL = Selection()
NOW = 5_000.0


def ages(_: int, kind: str) -> float:
    """How long a replay is tried, by kind."""
    return {"newCall": 60.0, "hangup": 600.0, "": 900.0}[kind]


async def replay(
    spool: SqliteSpool, selection: Selection = ALL, *, dry_run: bool = False
) -> Replayed:
    """Replay with those ages."""
    return await spool.replay(selection, now=NOW, max_age_s=ages, dry_run=dry_run)


async def enrolled(spool: SqliteSpool, *names: str) -> list[int]:
    """The numbers of subscriptions that are there."""
    known = await spool.enroll(names, now=1.0)
    return [known[name].number for name in names]


async def kill_all(spool: SqliteSpool, owner: int) -> list[Delivery]:
    """Make dead letters of everything pending, and return what it was."""
    deliveries = pending(spool, owner)
    for delivery in deliveries:
        spool.settle(died(owner, delivery))
    await settled(spool, died(owner, deliveries[-1]))
    return deliveries


async def deliver_all(spool: SqliteSpool, owner: int) -> None:
    """Everything pending is delivered."""
    for delivery in pending(spool, owner):
        await settled(spool, done(owner, delivery))
