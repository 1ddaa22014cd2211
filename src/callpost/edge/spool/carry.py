"""Reads the rows of a damaged table around the pages that cannot be read.

In the order of the key; where a row does not come, the next key from which one does is searched
for. A row that nobody can have written counts as damage too.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, product
from typing import Any, Final

from msgspec import MsgspecError, Struct

from callpost.edge.spool.cards import card_of
from callpost.model.letter import letter_of

Row = tuple[Any, ...]
Key = tuple[int, ...]

_CHUNK: Final = 1_000
# Keys tried behind a bad page, in steps so small that no page with rows on it is missed; then in
# steps that double, so that a table of a billion is crossed all the same.
_STEP: Final = 4
_SMALL_STEPS: Final = 2_000
_LAST: Final = 1 << 62


class Part(Struct, frozen=True):
    """One table: columns, what each holds, and how many of them are its key.

    i is a whole number, t a text, r a number, b the body of an event, c a card; in capitals it
    may be absent. Behind damage the key's column `along` is counted up, then those before it.
    """

    table: str
    columns: tuple[str, ...]
    sorts: str
    keys: int
    along: int = 0


def _part(table: str, columns: str, sorts: str, keys: int, along: int = 0) -> Part:
    return Part(table, tuple(columns.split()), sorts, keys, along)


SUBSCRIPTIONS: Final = _part("subscriptions", "id name state", "itt", 1)
SCOPES: Final = _part("scopes", "scope customer source", "itt", 1)
CALLS: Final = _part("calls", "call scope call_id last_at", "iitr", 1)
COUNTERS: Final = _part("counters", "call subscription seq last_id", "iiit", 2)
DELIVERIES: Final = _part(
    "deliveries",
    "subscription position number call seq previous_id rounds attempts expires_at replayed_at",
    "iiiiitiirR",
    2,
    1,
)
DEFERRED: Final = _part("deferred", "subscription position call due_at", "iiir", 2, 1)
DEAD: Final = _part(
    "dead",
    "number subscription call seq previous_id reason rounds attempts died_at last",
    "iiiittiirt",
    2,
)
EVENTS: Final = _part("events", "number id scope call matched accepted_at body", "itiiirb", 1)
ATTEMPTS: Final = _part(
    "attempts",
    "number subscription attempt at place outcome reason http_status total_ms seq previous_id",
    "iiirtttIrIT",
    3,
)

CARDS: Final = _part("cards", "card dialect id written", "ittc", 1)

_TYPES: Final = {"i": int, "t": str, "r": float, "b": bytes, "c": bytes}


class Carrier:
    """Walks one table; `holes` counts the places where rows did not come."""

    def __init__(self, connection: sqlite3.Connection, part: Part) -> None:
        self.holes = 0
        self._connection = connection
        self._part = part
        self._keys = part.keys
        self._along = part.along
        self._contents = [place for place, sort in enumerate(part.sorts) if sort in "bc"]
        self._is_readable = _is_card if "c" in part.sorts else _is_letter
        self._sound = set(product(*(_types(sort) for sort in part.sorts)))
        key = ", ".join(part.columns[: part.keys])
        marks = ", ".join("?" * part.keys)
        select = f"select {self._selected(part)} from {part.table}"  # noqa: S608 - names of ours
        self._following = f"{select} where ({key}) > ({marks}) order by {key} limit {_CHUNK}"
        self._first_from = f"{select} where ({key}) >= ({marks}) order by {key} limit 1"

    def rows(self) -> Iterator[list[Row]]:
        """Every row that can be read, in chunks."""
        after: Key = (-1,) * self._keys
        while True:
            chunk, is_whole = self._chunk(after)
            yield chunk
            if is_whole and len(chunk) < _CHUNK:
                return
            if chunk:
                after = chunk[-1][: self._keys]
            if not is_whole:
                self.holes += 1
                row = self._beyond(after)
                if row is None:
                    return
                yield [row]
                after = row[: self._keys]

    def row(self, key: int) -> Row | None:
        """The row with this key, where it is there and can be read."""
        try:
            row = self._from((key,))
        except sqlite3.DatabaseError:
            return None
        return row if row is not None and row[0] == key else None

    def indexed(self, index: str) -> list[Row]:
        """Rows that an index knows whole, but for what it lacks: that is empty, or 0."""
        names = [name for _, _, name in self._connection.execute(f"pragma index_info({index})")]
        if not names:
            return []
        lacking = {"t": "''", "r": "0.0"}
        known = {*names, *self._part.columns[: self._keys]}
        selected = ", ".join(
            name if name in known else lacking[sort]
            for name, sort in zip(self._part.columns, self._part.sorts, strict=True)
        )
        rows = []
        with suppress(sqlite3.DatabaseError):
            sql = f"select {selected} from {self._part.table} indexed by {index}"  # noqa: S608 - names of ours
            rows += [row for row in self._connection.execute(sql) if self._is_sound(row)]
        return rows

    def _chunk(self, after: Key) -> tuple[list[Row], bool]:
        """The rows that follow, up to one that does not come; False if there is such a one."""
        rows: list[Row] = []
        try:
            for row in self._connection.execute(self._following, after):
                if not self._is_sound(row) or row[: self._keys] <= after:
                    return rows, False
                rows.append(row)
                after = row[: self._keys]
        except sqlite3.DatabaseError:
            return rows, False
        return rows, True

    def _beyond(self, after: Key) -> Row | None:
        """The next row that can be read; None where none is left."""
        row, _ = self._search(after, self._along)
        if row is not None or not self._along:
            return row
        # The page reaches over to the next first column, or further.
        row, bad = self._search(after, 0, step=1)
        if not bad:
            return row
        nearer, _ = self._search((after[0] + bad, -1), self._along)
        return nearer or row

    def _search(self, after: Key, along: int, step: int = _STEP) -> tuple[Row | None, int]:
        """The next row, counting one column up, and the last count at which there was damage."""
        bad = 0
        for good in chain(
            range(1, step * _SMALL_STEPS, step), (step * _SMALL_STEPS << n for n in range(48))
        ):
            try:
                found = self._from(_stepped(after, along, good))
            except sqlite3.DatabaseError:
                bad = good
            else:
                return self._narrowed(after, along, bad, good, found)
        return None, bad

    def _narrowed(
        self, after: Key, along: int, bad: int, good: int, found: Row | None
    ) -> tuple[Row | None, int]:
        while good - bad > 1:
            middle = (bad + good) // 2
            try:
                found = self._from(_stepped(after, along, middle))
            except sqlite3.DatabaseError:
                bad = middle
            else:
                good = middle
        return found, bad

    def _from(self, key: Key) -> Row | None:
        """The first row from `key` on; raises sqlite3.DatabaseError where it does not come."""
        row: Row | None = self._connection.execute(self._first_from, key).fetchone()
        if row is not None and (not self._is_sound(row) or row[: self._keys] < key):
            raise sqlite3.DatabaseError
        return row

    def _is_sound(self, row: Row) -> bool:
        return (
            tuple(map(type, row)) in self._sound
            and all(map(_is_possible, row))
            and all(self._is_readable(row[place]) for place in self._contents)
        )

    def _selected(self, part: Part) -> str:
        """The columns; an older callpost has had fewer of them."""
        found = self._connection.execute(f"pragma table_info({part.table})").fetchall()
        there = {name for _, name, *_ in found}
        absent = {"t": "''"}
        return ", ".join(
            name if name in there else absent.get(sort, "null")
            for name, sort in zip(part.columns, part.sorts, strict=True)
        )


def _is_possible(value: object) -> bool:
    match value:
        case int():
            return 0 <= value < _LAST
        case str():
            # What is beyond the end of a file reads as zeros, and no text of ours has any.
            return "\0" not in value
        case _:
            return True


def _types(sort: str) -> tuple[type, ...]:
    return (_TYPES[sort],) if sort.islower() else (_TYPES[sort.lower()], type(None))


def _stepped(key: Key, along: int, step: int) -> Key:
    return (*key[:along], min(key[along] + step, _LAST), *(-1 for _ in key[along + 1 :]))


def _is_card(written: bytes) -> bool:
    return card_of(written) is not None


def _is_letter(body: bytes) -> bool:
    try:
        letter_of(body)
        # What is passed over there need not be text.
        body.decode()
    except (MsgspecError, UnicodeDecodeError):
        return False
    return True
