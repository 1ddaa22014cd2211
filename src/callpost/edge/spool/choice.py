"""A selection made ready for the tables: names have become numbers, once.

An event id and a callId name few events, which are found by their indexes; the other criteria
are asked of each row.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Self

import msgspec
from msgspec import Struct

from callpost.model.replay import Selection

NAMED: Final = """select id from subscriptions
    where name in (select value from json_each(?))"""
SCOPES: Final = """select scope from scopes
    where customer in (select value from json_each(?))"""
OF_ID: Final = "select number from events where id = ?"
OF_CALL: Final = """select e.number from calls c cross join events e on e.call = c.call
    where c.call_id = ?"""


class _Head(Struct, frozen=True):
    event: str = ""


_HEAD: Final = msgspec.json.Decoder(_Head)


class Choice(Struct, frozen=True, kw_only=True):
    """None does not restrict; `numbers` are events', in order."""

    subscriptions: frozenset[int] | None
    scopes: frozenset[int] | None
    numbers: Sequence[int] | None
    selection: Selection

    @classmethod
    def of(cls, connection: sqlite3.Connection, selection: Selection) -> Self:
        """Look the names up; what is not known selects nothing."""
        among = selection.among
        names = None if among is None else among.subscriptions
        customers = None if among is None else among.customers
        return cls(
            subscriptions=_known(connection, NAMED, selection.subscription, names),
            scopes=_known(connection, SCOPES, selection.customer, customers),
            numbers=_numbers(connection, selection),
            selection=selection,
        )

    @property
    def is_empty(self) -> bool:
        """Say whether a name that nobody knows selects nothing."""
        return frozenset() in {self.subscriptions, self.scopes} or self.numbers == []

    @property
    def asks_events(self) -> bool:
        """Say whether each event is asked whether it is meant."""
        wanted = self.selection
        times = (wanted.since, wanted.until)
        return self.scopes is not None or times != (None, None) or bool(wanted.kinds)

    @property
    def looks_at_each(self) -> bool:
        """Say whether one has to be looked at before it is known to be meant."""
        return self.asks_events or self.subscriptions is not None

    def has_event(self, *, scope: int, accepted_at: float, kind: str) -> bool:
        """Say whether an event meets the criteria that are asked of each."""
        wanted = self.selection
        return (
            (self.scopes is None or scope in self.scopes)
            and (wanted.since is None or accepted_at >= wanted.since)
            and (wanted.until is None or accepted_at < wanted.until)
            and (not wanted.kinds or kind in wanted.kinds)
        )

    def has_subscription(self, subscription: int) -> bool:
        """Say whether the subscription is one that was asked for."""
        return self.subscriptions is None or subscription in self.subscriptions


def kind_of(body: bytes) -> str:
    """Read the kind out of an event; a delivery report has none, ""."""
    try:
        return _HEAD.decode(body).event
    except msgspec.DecodeError:
        return ""


def _known(
    connection: sqlite3.Connection, sql: str, name: str, among: Collection[str] | None
) -> frozenset[int] | None:
    """The numbers of one name, or of all of those that it must be among; None is everybody."""
    if not name:
        return None if among is None else ids_of(connection, sql, among)
    return ids_of(connection, sql, [name] if among is None or name in among else [])


def ids_of(connection: sqlite3.Connection, sql: str, names: Collection[str]) -> frozenset[int]:
    """The numbers that are known under these names."""
    found = connection.execute(sql, (json.dumps(list(names)),))
    return frozenset(number for (number,) in found)


def _numbers(connection: sqlite3.Connection, selection: Selection) -> Sequence[int] | None:
    criteria: Mapping[str, str] = {OF_ID: selection.event_id, OF_CALL: selection.call_id}
    found = [_found(connection, sql, value) for sql, value in criteria.items()]
    sets = [numbers for numbers in found if numbers is not None]
    return sorted(frozenset.intersection(*sets)) if sets else None


def _found(connection: sqlite3.Connection, sql: str, value: str) -> frozenset[int] | None:
    if not value:
        return None
    return frozenset(number for (number,) in connection.execute(sql, (value,)))
