"""Text from outside on a terminal."""

import unicodedata

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.terminal import escaped, escaped_json, visible
from callpost.model.unseen import unseen


def test_an_escape_sequence_is_spelled_out() -> None:
    """A caller's name cannot colour the screen."""
    assert escaped("a\x1b[31mb") == "a\\x1b[31mb"


def test_a_bidi_override_is_spelled_out() -> None:
    """A caller's name cannot reorder what is read."""
    assert escaped("abc\u202ecba") == "abc\\u202ecba"


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    """Whatever comes, what is shown has no control characters."""
    assert not any(unicodedata.category(char) == "Cc" for char in escaped(text))


def test_what_cannot_be_seen_in_a_name_is_spelled_out() -> None:
    """Two names that look alike are told apart: no-break and zero-width spaces, unassigned."""
    assert visible("zammad \u00e9") == "zammad \u00e9"
    assert visible("\u200bzammad\xa0\ud7fc") == "\\u200bzammad\\xa0\\ud7fc"
    assert visible("acme\u3164\u2800\ufe0f") == "acme\\u3164\\u2800\\ufe0f"


@given(st.text(alphabet=st.characters()))
def test_a_visible_name_can_be_printed(text: str) -> None:
    """Half a pair of surrogates as well."""
    assert visible(text).isprintable()


@given(st.text(alphabet=st.characters()))
def test_a_visible_name_has_nothing_that_cannot_be_seen(text: str) -> None:
    """Printable or not."""
    assert not unseen(visible(text))


@given(st.text())
def test_escaped_json_says_the_same(text: str) -> None:
    """To a program; to a terminal it says nothing but what it shows."""
    document = escaped_json(msgspec.json.encode({"name": text}))
    assert msgspec.json.decode(document) == {"name": text}
    assert escaped(document.decode()) == document.decode()


def test_a_right_to_left_name_is_numbers_in_json() -> None:
    """So that a line of the log reads from left to right; letters stay as they are."""
    assert (
        escaped_json('"\u202e\x9b\x7f\u05d0"'.encode()) == '"\\u202e\\u009b\\u007f\u05d0"'.encode()
    )
