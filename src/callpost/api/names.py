"""Names that other systems allow, made into names of subscriptions: legal, and each only once."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from callpost.api.translated import Table
from callpost.model.card import NAME_PREFIXES

_MAX_CHARS: Final = 64
_ILLEGAL: Final = re.compile(r"[^a-z0-9_.]+")


class Names:
    """Gives out names; `taken` are in use already."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def given(self, wish: str) -> str:
        """The legal name that is most like the wish and still free."""
        name = legal(wish)
        number = 1
        free = name
        while free in self._taken:
            number += 1
            free = f"{name[: _MAX_CHARS - 1 - len(str(number))]}-{number}"
        self._taken.add(free)
        return free


def named(wish: str) -> Table:
    """The name for a table; where it has to become another one, `note` keeps how it was.

    No control character can stand in a note, and nobody can read one.
    """
    keeps = legal(wish) != wish and wish.isprintable()
    return {"name": wish, "note": wish} if keeps else {"name": wish}


def shown_name(table: Table) -> str:
    """The name in the other system: the one in `note`, if the table is still called after it."""
    name, note = str(table.get("name", "a subscription")), str(table.get("note", ""))
    return note if note and legal(note) == name else name


def legal(wish: str) -> str:
    """1 to 64 of a-z 0-9 - _ and . for any text; accents are dropped, all else becomes `-`."""
    plain = unicodedata.normalize("NFKD", wish).encode("ascii", "ignore").decode()
    name = _ILLEGAL.sub("-", plain.lower()).strip("-")[:_MAX_CHARS].strip("-") or "imported"
    # What begins so is for what is made over the API.
    return name.replace(".", "-", 1) if name.startswith(NAME_PREFIXES) else name
