"""Cursors: where a listing goes on, as a text that its reader only hands back.

A cursor belongs to one listing; every other text is a `BadCursor`.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from callpost.model.unknown import BadCursor

# What SQLite takes for a number of a row.
Number = Annotated[int, Meta(ge=0, le=(1 << 62) - 1)]
_Place = TypeVar("_Place", bound=Struct)


def cursor_of(place: Struct) -> str:
    """The cursor of a place; its noun has a tag of its own."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str, shape: type[_Place]) -> _Place:
    """The place that the cursor was made from, or `BadCursor`."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place = msgspec.json.decode(text, type=shape)
    except ValueError:
        raise BadCursor(cursor) from None
    # The decoder of base64 passes over what does not belong there.
    if cursor_of(place) != cursor:
        raise BadCursor(cursor)
    return place
