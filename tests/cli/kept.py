"""A state directory as a daemon leaves it: calls that were delivered, that died, that wait."""

from pathlib import Path

import trio

from callpost.edge.logs import collecting_log
from callpost.edge.spool import open_spool
from callpost.model.delivery import Pause, Standing, StandingChanged
from callpost.model.event import CallEvent, encode
from callpost.model.limits import SpoolLimits
from callpost.model.vocabulary import Kind
from spool_nouns import arrival, deferred, died, done, pending, settled

AT = 1_795_000_000.0
DIGITS = "4711"


def a_body(kind: Kind, call: str) -> bytes:
    """An event with parties."""
    event = CallEvent(
        event=kind,
        call_id=call,
        id=f"{call}-{kind}",
        from_="+4526110203",
        to="sip:alice.smith@pbx.example",
        direction="in",
        dtmf=DIGITS if kind == "dtmf" else None,
    )
    return encode(event)


async def fill(directory: Path, *, paused: Pause = "") -> None:
    """One call that was delivered to `crm`, is dead for `audit`, and whose end waits.

    `paused` says who has paused `crm`.
    """
    spool = open_spool(directory, limits=SpoolLimits(), log=collecting_log(lambda _: None))
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            await nursery.start(spool.run)
            known = await spool.enroll(["crm", "audit"], now=AT)
            crm, audit = known["crm"].number, known["audit"].number
            kinds: tuple[Kind, ...] = ("newCall", "dtmf", "hangup")
            for place, kind in enumerate(kinds):
                event = arrival(
                    f"c/1-{kind}",
                    crm,
                    audit,
                    call="c/1",
                    customer="acme",
                    source="pbx",
                    at=AT + place,
                    body=a_body(kind, "c/1"),
                    expires_at=AT + 900,
                )
                await spool.append([event])
            for delivery in pending(spool, crm)[:2]:
                await settled(spool, done(crm, delivery))
            for delivery in pending(spool, audit):
                await settled(spool, died(audit, delivery, reason="expired", died_at=AT + 60))
            await settled(spool, deferred(crm, pending(spool, crm)[0], due_at=AT + 30))
            standing = Standing(paused=paused)
            await settled(spool, StandingChanged(subscription=crm, standing=standing))
            spool.finish()


def configured(directory: Path) -> Path:
    """A configuration whose daemon is not running; the state is in `state`."""
    config = directory / "callpost.toml"
    config.write_text(
        f'state_directory = "{directory}/state"\nruntime_directory = "{directory}/run"\n'
    )
    return config
