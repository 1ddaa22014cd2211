"""Subscriptions and forward rules as they are answered: the table, and what is known of it.

Secrets are masked in every answer. An ETag is another one whenever the document is.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from callpost.api.own.secrets import masked
from callpost.api.ports import Listed
from callpost.model.caller import Caller
from callpost.model.card import Card
from callpost.model.instant import utc_text

Document = dict[str, object]
# What a document has beside its table; sent back it is ignored, but for the first two.
READ_ONLY: Final = frozenset({"origin", "created_at", "modified_at", "state", "id"})
FILE: Final = "file"


def subscription_document(listed: Listed, state: str) -> Document:
    """One subscription."""
    is_of_file = listed.origin == FILE
    return {
        "name": listed.name,
        "customer": listed.customer,
        "origin": listed.origin,
        **_times(listed.card),
        "state": state,
        # Of what its dialect can no longer read there is no table.
        "url": "",
        **masked(listed.table, of_file=is_of_file),
    }


def rule_document(listed: Listed) -> Document:
    """One forward rule."""
    return {
        "id": id_of(listed),
        "customer": listed.customer,
        "origin": listed.origin,
        **_times(listed.card),
        "state": "left_out" if listed.left_out else "active",
        **listed.table,
    }


def id_of(rule: Listed) -> str:
    """The id of a rule; that of a file is known by whose number it is about."""
    if rule.origin != FILE:
        return rule.name
    mark = f"{rule.customer}\n{rule.table.get('number', '')}"
    return f"{FILE}.{hashlib.sha256(mark.encode()).hexdigest()[:24]}"


def listed_of(card: Card) -> Listed:
    """A card of callpost's own dialect as the roster lists it."""
    return Listed(
        name=card.id, origin=card.dialect, customer=card.customer, table=card.said, card=card
    )


def table_of(document: Mapping[str, object]) -> Document:
    """What of a document is the table."""
    known = {*READ_ONLY, "name", "customer"}
    return {key: value for key, value in document.items() if key not in known}


def etag_of(document: Document, card: Card | None) -> str:
    """A strong ETag (RFC 9110, section 8.8.3); a secret that has changed shows by the revision."""
    marks = msgspec.json.encode([document, card and card.revision])
    return f'"{hashlib.sha256(marks).hexdigest()[:20]}"'


def sees(caller: Caller, listed: Listed | Card) -> bool:
    """Whether it is there for the caller."""
    return caller.acts_for(listed.customer)


def _times(card: Card | None) -> Document:
    if card is None:
        return {}
    return {"created_at": utc_text(card.created_at), "modified_at": utc_text(card.modified_at)}
