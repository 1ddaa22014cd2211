"""Files in the state directory, beside the spool, that hold what passed through it.

Copies of damaged spools are removed whole, for nobody can say what is in them; what an operator
wrote himself is only told of, and so is what clients have made over the API.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from callpost.edge.spool.files import DATABASE, flush_directory
from callpost.model.card import Card
from callpost.model.party import Party
from callpost.model.purge import Criteria

# Whatever a salvage has put aside, or not finished; the database and its log have no dot.
_COPIES: Final = f"{DATABASE}.*"
_LAST_GOOD: Final = "config.last-good"


def copies(directory: Path) -> list[Path]:
    """The copies of damaged spools, with their logs."""
    return sorted(directory.glob(_COPIES))


def remove_copies(directory: Path) -> list[Path]:
    """Remove them; returns those that could not be."""
    left = []
    for path in copies(directory):
        try:
            path.unlink(missing_ok=True)
        except OSError:
            left.append(path)
    flush_directory(directory)
    return left


def configured(directory: Path, criteria: Criteria, party: Party | None) -> str:
    """Say in a sentence that the configuration names who is meant; "" where it does not."""
    path = directory / _LAST_GOOD
    try:
        kept = path.read_bytes()
    except OSError:
        return ""
    if _names(kept, criteria, party):
        return f"{path}: the configuration seems to name who is meant; change its files and reload."
    return ""


def carded(cards: Iterable[Card], criteria: Criteria, party: Party | None) -> list[str]:
    """Say in a sentence, if any, that what was made over the API names who is meant."""
    said = (msgspec.json.encode([one.customer, one.scope, one.said]) for one in cards)
    count = sum(_names(one, criteria, party) for one in said)
    if not count:
        return []
    what = "subscription or rule" if count == 1 else "subscriptions or rules"
    them = "it" if count == 1 else "them"
    who = f"{count:,} {what} made over the API {'seems' if count == 1 else 'seem'}"
    return [f"{who} to name who is meant; change {them} there, or take {them} away."]


def _names(text: bytes, criteria: Criteria, party: Party | None) -> bool:
    # Criteria hold together: a customer of whom only a part goes stays one.
    is_customer = criteria.names == ("customer",) and _stands_in(text, criteria.customer)
    return is_customer or (party is not None and party.is_named_in(text))


def _stands_in(text: bytes, name: str) -> bool:
    """As a whole, not as a part of another name."""
    return re.search(rb"(?<![\w.-])%b(?![\w.-])" % re.escape(name.encode()), text) is not None
