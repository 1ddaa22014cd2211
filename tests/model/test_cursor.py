"""Cursors: what goes in comes out, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from callpost.model.cursor import Number, cursor_of, place_of
from callpost.model.unknown import BadCursor


class Here(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="here"):
    """A place."""

    at: float
    number: Number


class There(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="there"):
    """A place in another listing."""

    at: float
    number: Number


@given(at=st.floats(allow_nan=False, allow_infinity=False), number=st.integers(0, (1 << 62) - 1))
def test_a_place_survives_its_cursor(at: float, number: int) -> None:
    """To the last bit."""
    assert place_of(cursor_of(Here(at, number)), Here) == Here(at, number)


@given(text=st.text(max_size=40))
def test_any_other_text_is_refused(text: str) -> None:
    """Whatever a client makes up."""
    with pytest.raises(BadCursor):
        place_of(text, Here)


@pytest.mark.parametrize(
    "cursor",
    [
        cursor_of(There(1.0, 2)),
        cursor_of(Here(1.0, -1)),
        cursor_of(Here(1.0, 1 << 63)),
        cursor_of(Here(1.0, 2)) + "=",
        cursor_of(Here(1.0, 2)) + "!",
        f" {cursor_of(Here(1.0, 2))}",
    ],
)
def test_a_cursor_of_another_kind_is_refused(cursor: str) -> None:
    """Of another listing, with numbers that no row has, or written in another way."""
    with pytest.raises(BadCursor):
        place_of(cursor, Here)
