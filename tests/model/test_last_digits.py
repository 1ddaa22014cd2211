"""How parties of a call are shown: never more than their last three characters."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.last_digits import last_digits
from callpost.model.last_digits import shown as as_wanted


@pytest.mark.parametrize(
    ("party", "shown"),
    [
        (None, ""),
        ("", ""),
        ("anonymous", "anonymous"),
        ("+4526110203", "…203"),
        ("+45 26 11 02 03", "…203"),
        ("(030) 90-18 20", "…820"),
        ("26110203;ext=55512", "…203"),
        ("12345", "…345"),
        ("1001", "1001"),
        ("210", "210"),
        ("0003*210", "…210"),
        ("alice.smith", "…ith"),
        ("sip:+4526110203@pbx.example:5060;user=phone", "sip:…203@pbx.example:5060"),
        ("SIPS:alice.smith:secret@pbx.example?subject=x", "sips:…ith@pbx.example"),
        ("sip:bob@pbx.example", "sip:bob@pbx.example"),
        ('"Bob B." <sip:4526110203@pbx.example>;tag=1', "sip:…203@pbx.example"),
        ("4526110203@pbx.example", "…203@pbx.example"),
        ("tel:+4526110203;phone-context=+45", "tel:…203"),
    ],
)
def test_a_party_is_shown_by_its_end(party: str | None, shown: str) -> None:
    """Numbers, URIs and names; extensions of up to four characters stay."""
    assert last_digits(party) == shown


@given(digits=st.text("0123456789", min_size=5, max_size=20), plus=st.sampled_from(["", "+", "00"]))
def test_of_a_number_three_digits_are_left(digits: str, plus: str) -> None:
    """However it is written."""
    assert last_digits(plus + digits) == f"…{digits[-3:]}"


@given(party=st.text(max_size=60).filter(lambda text: "@" not in text))
def test_no_text_shows_more_than_it_may(party: str) -> None:
    """A scheme, and four characters at the most."""
    shown = last_digits(party).removeprefix("sips:").removeprefix("sip:").removeprefix("tel:")
    assert party == "anonymous" or len(shown) <= 4


@pytest.mark.parametrize(
    ("numbers", "told"), [("full", "+4526110203"), ("masked", "…203"), ("none", "")]
)
def test_a_number_is_shown_as_the_operator_wants(
    numbers: Literal["full", "masked", "none"], told: str
) -> None:
    """Whole, by its last digits, or not at all."""
    assert as_wanted("+4526110203", numbers) == told


def test_where_no_number_is_none_is_shown() -> None:
    """In no way."""
    assert {as_wanted(None, "full"), as_wanted(None, "masked"), as_wanted(None, "none")} == {""}
