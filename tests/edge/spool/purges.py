"""What the tests of purges have in common: a spool with calls in every state, and a look at it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from callpost.edge.spool import SqliteSpool
from callpost.model.delivery import Arrival
from callpost.model.event import CallEvent, encode
from callpost.model.purge import Criteria, Purged
from callpost.model.report import Report, StoredReport
from edge.spool.replaying import enrolled
from spool_nouns import arrival, deferred, died, done, pending, settled

NOW = 1_000_000.0
NUMBER = "+4526110203"


def call_arrival(
    event_id: str,
    *owners: int,
    call: str,
    caller: str = "",
    customer: str = "",
    at: float = NOW - 60.0,
    kind: str = "newCall",
    name: str = "",
) -> Arrival:
    """An event with a body such as the intake writes."""
    event = CallEvent(
        event="hangup" if kind == "hangup" else "newCall",
        call_id=call,
        from_=caller or None,
        to="+4570305050",
        id=event_id,
        customer=customer or None,
        from_name=name or None,
    )
    return arrival(event_id, *owners, call=call, customer=customer, at=at, body=encode(event))


def report_about(event_id: str, owner: int, *, call: str, at: float = NOW - 50.0) -> Arrival:
    """A delivery report about an event."""
    report = Report(
        type="delivery.dead",
        subscription="crm",
        event_id=event_id,
        call_id=call,
        seq=1,
        reason="rejected",
        attempts=1,
        time="2026-11-21T16:40:00.000Z",
    )
    report_id = f"rpt_{event_id}"
    body = msgspec.json.encode(StoredReport(id=report_id, report=report))
    return arrival(report_id, owner, call=call, at=at, body=body)


async def fill(spool: SqliteSpool) -> list[int]:
    """Two subscriptions; a call for each state, of the person and of somebody else."""
    owners = await enrolled(spool, "crm", "popup")
    for whose, caller in (("private", NUMBER), ("others", "+4533334444")):
        for state in ("delivered", "dead", "waiting", "pending"):
            call = f"{whose}-{state}"
            await spool.append(
                [
                    call_arrival(
                        f"{call}-1", *owners, call=call, caller=caller, name=f"name-{whose}"
                    ),
                    call_arrival(f"{call}-2", *owners, call=call, kind="hangup"),
                ]
            )
            for owner in owners:
                await _bring(spool, owner, call, state)
    return owners


async def _bring(spool: SqliteSpool, owner: int, call: str, state: str) -> None:
    for one in pending(spool, owner):
        if f'"callId":"{call}"'.encode() not in one.body:
            continue
        match state:
            case "delivered":
                await settled(spool, done(owner, one))
            case "dead":
                report = report_about(f"{call}-{one.seq}", owner, call=call)
                await settled(spool, died(owner, one, report=report))
            case "waiting" if one.seq == 1:
                await settled(spool, deferred(owner, one, due_at=NOW + 600.0))
            case _:
                pass


async def purge(
    spool: SqliteSpool, *, country: str = "", dry_run: bool = False, **criteria: str | float
) -> Purged:
    """Purge by these criteria."""
    wanted = msgspec.convert(criteria, Criteria)
    return await spool.purging.purge(wanted, country=country, now=NOW, dry_run=dry_run)


def found_in(directory: Path, *needles: str) -> list[tuple[str, str]]:
    """Which of these texts stand where, in the raw bytes of all files."""
    contents = {path.name: path.read_bytes() for path in sorted(directory.iterdir())}
    return [
        (name, needle)
        for name, content in contents.items()
        for needle in needles
        if needle.encode() in content
    ]


def marks(
    whose: str, states: Iterable[str] = ("delivered", "dead", "waiting", "pending")
) -> Sequence[str]:
    """What names the calls that `fill` made of somebody."""
    return [f"{whose}-{state}" for state in states] + [f"name-{whose}"]
