"""Pages of what is listed by name: stable however much is made or taken away in between."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct

from callpost.model.cursor import cursor_of, place_of
from callpost.model.unknown import BadCursor

# A page is made in one go, some 0.1 ms for each of its items.
Limit = Annotated[int, Meta(ge=1, le=1_000, description="At most so many")]
Customer = Annotated[str, Meta(description="A customer; none: all")]
Cursor = Annotated[str, Meta(description="Go on from here: `next` of the page before")]
T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """Some of the items; `total` are all, `next` is the cursor of what follows, "" at the end."""

    items: list[T]
    total: int
    next: str


class _Place(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="listed"):
    """The last item of a page, by what its listing is sorted by."""

    listing: str
    mark: tuple[str, ...]


def page_of(
    items: Sequence[T],
    mark: Callable[[T], tuple[str, ...]],
    *,
    listing: str,
    limit: int,
    cursor: str,
) -> Page[T]:
    """The items after the cursor, in the order of their marks; raises BadCursor."""
    after = place_of(cursor, _Place) if cursor else None
    if after is not None and after.listing != listing:
        raise BadCursor(cursor)
    left = sorted((one for one in items if after is None or mark(one) > after.mark), key=mark)
    shown = left[:limit]
    follows = cursor_of(_Place(listing, mark(shown[-1]))) if len(left) > limit else ""
    return Page(shown, len(items), follows)
