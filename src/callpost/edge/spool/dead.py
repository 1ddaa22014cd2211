"""Dead letters as an operator reads them, the newest first.

A selection that few letters meet is looked for in slices, each a short statement, so that the
write-ahead log can be reused between two of them. Needs no loop.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from msgspec import Struct

from callpost.edge.spool.choice import Choice, kind_of
from callpost.model.cursor import Number, cursor_of, place_of
from callpost.model.instant import utc_text_within
from callpost.model.replay import Selection
from callpost.model.story import DeadDelivery, DeadPage

# Letters that one statement looks at: some 20 ms.
_SLICE: Final = 10_000
# With more letters than these it is quicker to meet a subscription's among all than to sort them.
_SORTED_MAX: Final = 20_000

_COLUMNS: Final = """d.died_at, d.number, d.subscription, coalesce(n.name, ''), e.id, c.call_id,
    s.customer, e.body, d.seq, d.reason, d.last, d.attempts, e.accepted_at"""
_TOLD: Final = """cross join calls c on c.call = e.call
    cross join scopes s on s.scope = e.scope
    left join subscriptions n on n.id = d.subscription"""
# The kinds are given as the beginnings of the bodies that have them.
_WANTED: Final = """(:owners is null or d.subscription in (select value from json_each(:owners)))
    and (:scopes is null or e.scope in (select value from json_each(:scopes)))
    and (:since is null or e.accepted_at >= :since)
    and (:until is null or e.accepted_at < :until)
    and (:kinds is null or exists (select 1 from json_each(:kinds) k
            where substr(e.body, 1, length(k.value)) = cast(k.value as blob)))"""
_BELOW: Final = "(d.died_at, d.number, d.subscription) < (:died_at, :number, :owner)"
_ORDER: Final = "order by d.died_at desc, d.number desc, d.subscription desc"
_OF_SLICE: Final = f"select d.* from dead d where {_BELOW} {_ORDER} limit :slice"  # noqa: S608 - from constants, as all here
NEWEST: Final = f"""select {_COLUMNS}
    from ({_OF_SLICE}) d cross join events e on e.number = d.number {_TOLD}
    where {_WANTED} {_ORDER} limit :limit"""  # noqa: S608 - likewise
SLICE_END: Final = f"""select d.died_at, d.number, d.subscription from dead d
    where {_BELOW} {_ORDER} limit 1 offset :slice - 1"""  # noqa: S608 - likewise
NEWEST_OF: Final = f"""select {_COLUMNS}
    from dead d indexed by dead_by_subscription cross join events e on e.number = d.number {_TOLD}
    where d.subscription = :of and {_BELOW} and {_WANTED} {_ORDER} limit :limit"""  # noqa: S608 - likewise
NEWEST_AMONG: Final = f"""select {_COLUMNS}
    from json_each(:numbers) j cross join events e on e.number = j.value
    cross join dead d on d.number = e.number {_TOLD}
    where {_BELOW} and {_WANTED} {_ORDER} limit :limit"""  # noqa: S608 - likewise
COUNT: Final = "select count(*) from dead"
COUNT_OF: Final = "select count(*) from dead where subscription = :of"
COUNT_AMONG: Final = f"""select count(*)
    from json_each(:numbers) j cross join events e on e.number = j.value
    cross join dead d on d.number = e.number where {_WANTED}"""  # noqa: S608 - likewise
COUNT_WANTED_OF: Final = f"""select count(*)
    from dead d indexed by dead_by_subscription cross join events e on e.number = d.number
    where d.subscription = :of and {_WANTED}"""  # noqa: S608 - likewise
COUNT_IN_SLICE: Final = f"""select count(*)
    from ({_OF_SLICE}) d cross join events e on e.number = d.number where {_WANTED}"""  # noqa: S608 - likewise

_Values = Mapping[str, str | float | None]


class _Place(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="dead"):
    """A letter's place in the list, and how many letters the listing has."""

    died_at: float
    number: Number
    owner: Number
    total: Number


# Above everything that ever died.
_TOP: Final = _Place(float("inf"), 0, 0, 0)


def read_dead(
    connection: sqlite3.Connection, selection: Selection, *, limit: int, cursor: str
) -> DeadPage:
    """Read up to `limit` of those selected, on from `cursor` ("": from the newest).

    The total is that of the first page. Raises BadCursor.
    """
    after = place_of(cursor, _Place) if cursor else None
    choice = Choice.of(connection, selection)
    if choice.is_empty:
        return DeadPage(deliveries=(), total=0, next="")
    values = _values(choice)
    total = _total(connection, choice, values) if after is None else after.total
    rows = _rows(connection, choice, values | _place(after or _TOP), limit + 1)
    follows = ""
    if len(rows) > limit:
        died_at, number, owner, *_ = rows[limit - 1]
        follows = cursor_of(_Place(died_at, number, owner, total))
    return DeadPage(deliveries=tuple(map(_told, rows[:limit])), total=total, next=follows)


def _values(choice: Choice) -> dict[str, str | float | None]:
    wanted = choice.selection
    begins = [f'{{"event":"{kind}"' for kind in wanted.kinds]
    return {
        "numbers": _listed(choice.numbers),
        "owners": _listed(choice.subscriptions),
        "scopes": _listed(choice.scopes),
        "since": wanted.since,
        "until": wanted.until,
        "kinds": json.dumps(begins) if begins else None,
        "slice": _SLICE,
    }


def _listed(numbers: Sequence[int] | frozenset[int] | None) -> str | None:
    return None if numbers is None else json.dumps(list(numbers))


def _place(place: _Place) -> dict[str, str | float | None]:
    return {"died_at": place.died_at, "number": place.number, "owner": place.owner}


def _rows(
    connection: sqlite3.Connection, choice: Choice, values: _Values, limit: int
) -> list[tuple[Any, ...]]:
    if choice.numbers is not None:
        return connection.execute(NEWEST_AMONG, {**values, "limit": limit}).fetchall()
    if (owners := _few_letters_of(connection, choice)) is not None:
        of_each = [
            connection.execute(NEWEST_OF, {**values, "of": owner, "limit": limit}).fetchall()
            for owner in owners
        ]
        return sorted(chain.from_iterable(of_each), key=_place_in, reverse=True)[:limit]
    reach = _SLICE if choice.looks_at_each else limit
    rows: list[tuple[Any, ...]] = []
    for part in _slices(connection, {**values, "slice": reach}):
        rows += connection.execute(NEWEST, {**part, "limit": limit - len(rows)})
        if len(rows) == limit:
            break
    return rows


def _slices(connection: sqlite3.Connection, values: _Values) -> Iterator[_Values]:
    """The places at which slices begin, each with the other values."""
    while True:
        yield values
        ends = connection.execute(SLICE_END, values).fetchall()
        if not ends:
            return
        values = {**values, **dict(zip(("died_at", "number", "owner"), ends[0], strict=True))}


def _total(connection: sqlite3.Connection, choice: Choice, values: _Values) -> int:
    if choice.numbers is not None:
        return _count(connection, COUNT_AMONG, values)
    if not choice.asks_events:
        owners = choice.subscriptions
        return _count(connection, COUNT, values) if owners is None else _all_of(connection, owners)
    if (few := _few_letters_of(connection, choice)) is not None:
        return sum(_count(connection, COUNT_WANTED_OF, {**values, "of": one}) for one in few)
    parts = _slices(connection, {**values, **_place(_TOP)})
    return sum(_count(connection, COUNT_IN_SLICE, part) for part in parts)


def _few_letters_of(connection: sqlite3.Connection, choice: Choice) -> frozenset[int] | None:
    """The subscriptions that are meant, if it is quicker to look at their letters alone."""
    owners = choice.subscriptions
    if owners is None or _all_of(connection, owners) > _SORTED_MAX:
        return None
    return owners


def _all_of(connection: sqlite3.Connection, owners: Iterable[int]) -> int:
    return sum(_count(connection, COUNT_OF, {"of": owner}) for owner in owners)


def _place_in(row: tuple[Any, ...]) -> tuple[float, int, int]:
    died_at, number, owner, *_ = row
    return died_at, number, owner


def _count(connection: sqlite3.Connection, sql: str, values: _Values) -> int:
    [(count,)] = connection.execute(sql, values).fetchall()
    return int(count)


def _told(row: tuple[Any, ...]) -> DeadDelivery:
    died_at, _, _, name, event_id, call_id, customer, body, seq, reason, last, attempts, at = row
    return DeadDelivery(
        subscription=name,
        event_id=event_id,
        call_id=call_id,
        customer=customer,
        kind=kind_of(body),
        seq=seq,
        reason=reason,
        last=last,
        attempts=attempts,
        accepted_at=utc_text_within(at),
        died_at=utc_text_within(died_at),
    )
