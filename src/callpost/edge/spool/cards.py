"""What clients have made over the API, a row for each card; see model/card.

A card is kept whole, as JSON. One that nobody can read any more costs no start: it is told of and
passed over, and stays where it is.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from callpost.model.card import Card, CardsChanged

# Blobs: text that is damaged is to cost no more than its card.
ALL: Final = "select cast(dialect as blob), cast(id as blob), written from cards"
_TAKE: Final = "delete from cards where dialect = ? and id = ?"
_PUT: Final = """insert into cards (dialect, id, written) values (?, ?, ?)
    on conflict (dialect, id) do update set written = excluded.written"""


def read_cards(rows: Iterable[Sequence[object]], log: FilteringBoundLogger) -> tuple[Card, ...]:
    """The cards of the rows of `ALL`, oldest first."""
    cards: list[Card] = []
    for dialect, id_, written in rows:
        if (card := card_of(written)) is None:
            log.error("card.unreadable", dialect=_text(dialect), id=_text(id_))
        else:
            cards.append(card)
    return tuple(sorted(cards, key=lambda card: (card.created_at, card.id)))


def card_of(written: object) -> Card | None:
    """The card that was written so; None where nobody can have written it."""
    if not isinstance(written, bytes):
        return None
    try:
        return msgspec.json.decode(written, type=Card)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def writing(changed: CardsChanged) -> Callable[[sqlite3.Connection], None]:
    """What writes all of it within one transaction; the bytes are made here, before it."""
    taken = [(card.dialect, card.id) for card in changed.taken]
    put = [(card.dialect, card.id, msgspec.json.encode(card)) for card in changed.put]

    def write(connection: sqlite3.Connection) -> None:
        connection.executemany(_TAKE, taken)
        connection.executemany(_PUT, put)

    return write
