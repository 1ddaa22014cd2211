"""A spool with something of everything in it, made once and copied by each test that damages it."""

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import trio

from callpost.edge.logs import collecting_log
from callpost.edge.spool import SqliteSpool, open_spool
from callpost.model.card import Card, CardsChanged
from callpost.model.delivery import Arrival, Delivery, Standing, StandingChanged
from callpost.model.limits import SpoolLimits
from spool_nouns import arrival, deferred, died, done, pending, settled

LIMITS: Final = SpoolLimits()
NAMES: Final = ("crm", "popup", "billing")
TABLES: Final = (
    *("subscriptions", "scopes", "calls", "counters", "deliveries"),
    *("deferred", "dead", "events", "attempts", "cards"),
)
_KINDS: Final = ("newCall", "answer", "hangup")

Rows = dict[str, set[tuple[object, ...]]]


@dataclass(frozen=True)
class Wholes:
    """The same spool twice: `closed` as a stop leaves it, `killed` with its write-ahead log."""

    closed: Path
    killed: Path
    rows: Rows
    next_number: int


def make_wholes(directory: Path, *, calls: int) -> Wholes:
    """Some calls of three events each; every third of the deliveries done, dead, deferred."""
    running, killed = directory / "closed", directory / "killed"
    trio.run(partial(_fill, running, killed, calls=calls))
    rows = rows_of(running)
    [(next_number,)] = ask(running, "select value from meta where key = 'next_number'")
    assert isinstance(next_number, int)
    return Wholes(running, killed, rows, next_number)


def rows_of(directory: Path) -> Rows:
    """Every row of every table."""
    return {table: set(ask(directory, f"select * from {table}")) for table in TABLES}  # noqa: S608 - ours


def ask(directory: Path, sql: str) -> list[tuple[object, ...]]:
    """Ask the database itself."""
    with closing(sqlite3.connect(directory / "spool.db", isolation_level=None)) as connection:
        return connection.execute(sql).fetchall()


def opened(directory: Path, log: list[dict[str, object]]) -> SqliteSpool:
    """Open it as a daemon does; what is logged goes to `log`."""
    lines = collecting_log(lambda fields: log.append(dict(fields)))
    return open_spool(directory, limits=LIMITS, log=lines)


def overwrite(path: Path, dice: random.Random, *, size_bytes: int) -> None:
    """Garbage of that size at some place of the file."""
    with path.open("r+b") as file:
        file.seek(dice.randrange(max(1, path.stat().st_size - size_bytes)))
        file.write(dice.randbytes(size_bytes))


async def _fill(running: Path, killed: Path, *, calls: int) -> None:
    spool = opened(running, [])
    async with trio.open_nursery() as nursery:
        await nursery.start(spool.run)
        enrolled = await spool.enroll(NAMES, now=1.0)
        owners = [enrolled[name].number for name in NAMES]
        await settled(
            spool, StandingChanged(subscription=owners[1], standing=Standing(paused="operator"))
        )
        await spool.write_cards(CardsChanged(put=tuple(map(_card, range(60)))))
        # Half of it is in the database when the copy is made, half in the log.
        await _append(spool, owners, range(calls // 2))
        await _settle(spool, owners)
        with closing(sqlite3.connect(running / "spool.db")) as connection:
            connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        for first in range(calls // 2, calls, 10):
            await _append(spool, owners, range(first, min(first + 10, calls)))
        shutil.copytree(running, killed)
        spool.finish()


async def _append(spool: SqliteSpool, owners: list[int], calls: range) -> None:
    await spool.append([_event(kind, call, owners) for kind in _KINDS for call in calls])


def _event(kind: str, call: int, owners: list[int]) -> Arrival:
    event_id = f"{kind}-{call}"
    # Now and then one that takes pages of its own.
    filler = "x" * (9_000 if call % 17 == 0 else 1 + call % 40)
    body = f'{{"event":"{kind}","callId":"call-{call}","id":"{event_id}","source":"pbx-{call % 2}"'
    body += f',"data":{{"filler":"{filler}"}}}}'
    matched = owners[: 1 + call % len(owners)]
    return arrival(
        event_id, *matched, call=f"call-{call}", source=f"pbx-{call % 2}", body=body.encode()
    )


def _card(number: int) -> Card:
    return Card(
        dialect="api",
        id=f"{number:08x}",
        customer="acme",
        said={"url": "https://crm.example.com/" + "x" * 200},
        created_at=float(number),
        modified_at=float(number),
    )


async def _settle(spool: SqliteSpool, owners: list[int]) -> None:
    for owner in owners:
        heads: dict[int, Delivery] = {}
        for one in pending(spool, owner):
            heads.setdefault(one.call, one)
        for place, head in enumerate(heads.values()):
            await settled(spool, (done, died, deferred)[place % 3](owner, head))
