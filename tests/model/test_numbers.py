"""Numbers in one form: national and international input, what is no number, what is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.numbers import NumberFormat, Numbers, calling_code, is_country


@pytest.mark.parametrize(
    ("country", "text", "compared"),
    [
        ("DK", "26110203", "4526110203"),
        ("DK", "26 11 02 03", "4526110203"),
        ("DK", "004526110203", "4526110203"),
        ("DK", "4526110203", "4526110203"),
        ("DK", "+4526110203", "4526110203"),
        ("DK", "80123456", "4580123456"),
        ("DE", "030 901820", "4930901820"),
        ("DE", "0049 30 901820", "4930901820"),
        ("DE", "4930901820", "4930901820"),
        ("DE", "33612345678", "33612345678"),
        ("DE", "0800 3301000", "498003301000"),
        ("FR", "01 42 68 53 00", "33142685300"),
        ("FR", "0033142685300", "33142685300"),
        ("FR", "33142685300", "33142685300"),
        ("GB", "020 7946 0958", "442079460958"),
        ("GB", "(020) 7946-0958", "442079460958"),
        ("GB", "00442079460958", "442079460958"),
        ("IT", "06 698 12345", "390669812345"),
        ("IT", "00390669812345", "390669812345"),
        ("IT", "390669812345", "390669812345"),
        ("IT", "347 1234567", "393471234567"),
        ("US", "202-555-0123", "12025550123"),
        ("US", "(202) 555-0123", "12025550123"),
        ("US", "1 202 555 0123", "12025550123"),
        ("US", "011 45 26110203", "4526110203"),
        ("", "+4526110203", "4526110203"),
        ("", "4526110203", "4526110203"),
    ],
)
def test_a_number_is_compared_as_e164(country: str, text: str, compared: str) -> None:
    """Whatever way a number is written in its country, it is one number."""
    assert Numbers(country).compared(text) == compared


@pytest.mark.parametrize("country", ["", "DK", "DE", "FR", "GB", "IT", "US"])
@pytest.mark.parametrize(
    "text",
    [
        "112",
        "911",
        "1813",
        "116117",
        "118",
        "999",
        "sip:alice@pbx.example",
        "sip:26110203@pbx.example",
        "0003*210",
        "210",
        "1001",
        "anonymous",
        "",
        "+",
        "9" * 200,
        "١٢٣٤٥٦٧٨",
        "26110203;ext=5",
    ],
)
def test_what_is_no_number_is_left_alone(country: str, text: str) -> None:
    """Short and service numbers, extensions, URIs and words mean only themselves."""
    numbers = Numbers(country)
    assert (numbers.compared(text), numbers.written(text, "+e164")) == (
        text.removeprefix("+"),
        text,
    )


@pytest.mark.parametrize(
    ("country", "text", "form", "written"),
    [
        ("DK", "26110203", "received", "26110203"),
        ("DK", "26110203", "+e164", "+4526110203"),
        ("DK", "26110203", "e164", "4526110203"),
        ("DK", "+4526110203", "national", "26110203"),
        ("DE", "+4930901820", "national", "030901820"),
        ("GB", "+442079460958", "national", "02079460958"),
        ("IT", "+390669812345", "national", "0669812345"),
        ("US", "+12025550123", "national", "2025550123"),
        ("DK", "+4930901820", "national", "+4930901820"),
        ("", "+4930901820", "national", "030901820"),
        ("", "+4930901820", "e164", "4930901820"),
    ],
)
def test_a_number_is_written_as_the_subscriber_wants_it(
    country: str, text: str, form: NumberFormat, written: str
) -> None:
    """National form is for the own country; a foreign number stays international."""
    assert Numbers(country).written(text, form) == written


@given(text=st.text(max_size=60), country=st.sampled_from(["", "DK", "DE", "IT", "US"]))
def test_any_text_has_one_form_and_keeps_it(text: str, country: str) -> None:
    """Comparing what was compared changes nothing, for any text whatever."""
    numbers = Numbers(country)
    e164 = numbers.written(text, "+e164")
    assert numbers.written(e164, "+e164") == e164


@given(digits=st.text("0123456789", min_size=1, max_size=16))
def test_with_and_without_plus_is_one_number_where_no_country_is_set(digits: str) -> None:
    """Without a country bare digits are international."""
    numbers = Numbers()
    assert numbers.compared(digits) == numbers.compared(f"+{digits}")


def test_what_was_looked_up_is_remembered_within_bounds() -> None:
    """More numbers than are remembered do not make the memory grow."""
    numbers = Numbers()
    for number in range(40_000):
        numbers.compared(f"x{number}")
    assert len(numbers._known) + len(numbers._known_before) <= 2 * 16_384


@pytest.mark.parametrize(
    ("code", "known"), [("DK", True), ("dk", False), ("XX", False), ("", False), ("001", False)]
)
def test_a_country_is_known_by_its_two_letters(code: str, *, known: bool) -> None:
    """What is no country of ISO 3166-1 can be refused by name."""
    assert is_country(code) is known


@pytest.mark.parametrize(("country", "code"), [("DK", "45"), ("US", "1"), ("", "")])
def test_a_countrys_international_numbers_begin_with_its_code(country: str, code: str) -> None:
    """Without a country there is none."""
    assert calling_code(country) == code
