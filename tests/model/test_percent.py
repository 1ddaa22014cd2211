"""Percent-encoding, against the standard library's."""

from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from callpost.model.percent import form_encoded, query_encoded

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS)
def test_a_query_is_encoded_by_rfc_3986(text: str) -> None:
    """Unreserved characters stay, every other octet becomes %XX."""
    assert query_encoded(text) == quote(text, safe="")


@given(TEXTS)
def test_a_form_is_encoded_by_the_whatwg_rules(text: str) -> None:
    """A form differs from RFC 3986 in the space, the asterisk and the tilde."""
    assert form_encoded(text) == quote_plus(text, safe="*").replace("~", "%7E")


def test_every_ascii_character_is_encoded_in_a_query_as_the_standard_library_does() -> None:
    """All 128 at once, so that none is left to chance."""
    text = "".join(map(chr, range(128)))
    assert query_encoded(text) == quote(text, safe="")


def test_every_ascii_character_is_encoded_in_a_form_as_the_standard_library_does() -> None:
    """All 128 at once, so that none is left to chance."""
    text = "".join(map(chr, range(128)))
    assert form_encoded(text) == quote_plus(text, safe="*").replace("~", "%7E")
