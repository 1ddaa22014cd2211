"""Text from outside on a terminal."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from callpost.model.terminal import escaped


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
