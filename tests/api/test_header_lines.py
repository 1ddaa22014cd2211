"""Headers as lines of text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.api.portsip.header_lines import mapped_lines, read_lines, written_lines


def test_a_line_is_a_header() -> None:
    """Spaces around name and value do not count, and a value may hold colons."""
    assert read_lines(" X-A : b:c\t\n\nX-D:").headers == {"X-A": "b:c", "X-D": ""}


def test_lines_may_end_as_on_windows() -> None:
    """Where somebody typed them into a form."""
    assert read_lines("A: 1\r\nB: 2\r\n").headers == {"A": "1", "B": "2"}


def test_the_content_type_stands_apart() -> None:
    """It is a key of its own, whatever its case."""
    lines = read_lines("content-type: text/xml")
    assert (lines.headers, lines.content_type) == ({}, "text/xml")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("s3cret", "line 1 is no header such as X-Menu: main"),
        (": s3cret", "line 1 is no header such as X-Menu: main"),
        ("two words: s3cret", "line 1 is no header such as X-Menu: main"),
        ("\nA: 1\na: s3cret", "line 3 is a second a"),
        ("Content-Type: a/b\ncontent-type: s3/cret", "line 2 is a second content-type"),
        ("Host: s3cret", "line 1 is a header that callpost writes itself (Host)"),
        ("Webhook-Id: s3cret", "line 1 is a header that callpost writes itself (Webhook-Id)"),
        (
            "A: s3cret\rB: 1",
            "line 1 cannot be sent: A must not hold CR, LF, NUL or other control characters",
        ),
        ("A: credential:s3cret", "line 1 begins with credential:, which names a secret here (A)"),
        ("Content-Type: s3cret", "line 1 is no media type (Content-Type)"),
        (f"A: {'s3cret' * 700}", "line 1 cannot be sent: A must have at most 4096 characters"),
    ],
)
def test_a_line_that_is_none_is_told_and_not_quoted(text: str, sentence: str) -> None:
    """It may hold a secret."""
    assert read_lines(text).faults == (sentence,)


def test_there_are_at_most_as_many_as_a_configuration_takes() -> None:
    """The rest is none."""
    lines = read_lines("\n".join(f"X-{number}: 1" for number in range(65)))
    assert (len(lines.headers), lines.faults) == (
        64,
        ("line 65 is beyond the 64 that there can be",),
    )


@given(
    st.dictionaries(
        st.from_regex("X-[a-z]{1,4}", fullmatch=True),
        st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["C"])),
        max_size=5,
    )
)
def test_what_is_written_is_read_again(headers: dict[str, str]) -> None:
    """Every name and value."""
    headers = {name: value.strip() for name, value in headers.items()}
    assert read_lines(written_lines(headers)).headers == headers


@given(st.text())
def test_no_text_is_too_much(text: str) -> None:
    """What comes out can always be written again."""
    headers = read_lines(text).headers
    assert read_lines(written_lines(headers)).headers == headers


def test_values_can_be_mapped_and_all_else_stays() -> None:
    """Also a line that is no header; who reads the text tells of it."""
    text = "X-A: 1\r\n\nx-b:2\nnothing\n: 3"
    shown = mapped_lines(text, lambda name, value: f"{name}={value}")
    assert shown == "X-A: X-A=1\nx-b: x-b=2\nnothing\n: 3"
