"""Dead letters as an operator reads them, the newest first.

Needs no loop, and may take long where few of many are wanted: a daemon reads them in a thread.
"""

import json
import sqlite3
from typing import Any, Final

from msgspec import Struct

from callpost.edge.spool.choice import Choice, kind_of
from callpost.model.replay import Selection

_COLUMNS: Final = """d.died_at, d.number, d.subscription, coalesce(n.name, ''), e.id, c.call_id,
    s.customer, d.seq, d.reason, d.last, d.attempts, e.scope, e.accepted_at, e.body"""
_TOLD: Final = """cross join calls c on c.call = e.call
    cross join scopes s on s.scope = e.scope
    left join subscriptions n on n.id = d.subscription"""
NEWEST: Final = f"""select {_COLUMNS}
    from dead d cross join events e on e.number = d.number {_TOLD}
    where (d.died_at, d.number, d.subscription) < (?, ?, ?)
    order by d.died_at desc, d.number desc, d.subscription desc"""  # noqa: S608 - from constants
NEWEST_AMONG: Final = f"""select {_COLUMNS}
    from json_each(?) j cross join events e on e.number = j.value
    cross join dead d on d.number = e.number {_TOLD}
    where (d.died_at, d.number, d.subscription) < (?, ?, ?)
    order by d.died_at desc, d.number desc, d.subscription desc"""  # noqa: S608 - likewise


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A delivery that ended undelivered.

    `kind` is "" for a delivery report. `owner` is the subscription's number, `number` the
    event's: with `died_at` they are the letter's place in the list.
    """

    subscription: str
    event_id: str
    call_id: str
    customer: str
    kind: str
    seq: int
    reason: str
    last: str
    attempts: int
    died_at: float
    number: int
    owner: int


def read_dead(
    connection: sqlite3.Connection,
    selection: Selection,
    *,
    limit: int,
    after: DeadLetter | None,
) -> list[DeadLetter]:
    """Return up to `limit` of those selected that follow `after`."""
    choice = Choice.of(connection, selection)
    place: tuple[float, int, int] = (float("inf"), 0, 0)
    if after is not None:
        place = (after.died_at, after.number, after.owner)
    if choice.numbers is None:
        rows = connection.execute(NEWEST, place)
    else:
        rows = connection.execute(NEWEST_AMONG, (json.dumps(list(choice.numbers)), *place))
    letters: list[DeadLetter] = []
    for *letter, scope, accepted_at, body in rows:
        if len(letters) == limit:
            break
        kind = kind_of(body)
        if choice.has_subscription(letter[2]) and choice.has_event(
            scope=scope, accepted_at=accepted_at, kind=kind
        ):
            letters.append(_letter(letter, kind))
    rows.close()
    return letters


def _letter(row: list[Any], kind: str) -> DeadLetter:
    died_at, number, owner, name, event_id, call_id, customer, seq, reason, last, attempts = row
    return DeadLetter(
        subscription=name,
        event_id=event_id,
        call_id=call_id,
        customer=customer,
        kind=kind,
        seq=seq,
        reason=reason,
        last=last,
        attempts=attempts,
        died_at=died_at,
        number=number,
        owner=owner,
    )
