"""PortSIP's masks: several in one text, and ranges of digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.api.portsip.masks import caller_masks, dtmf_masks
from callpost.model.mask import dtmf_matcher


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        # The example of PortSIP's own documentation.
        ("1000;2000;3000-4000", ["1000", "2000", "3XXX", "4000"]),
        (" 1 ; 2 ,3;", ["1", "2", "3"]),
        ("0-9", ["X"]),
        ("1-9", ["Z"]),
        ("2-9", ["N"]),
        ("3 - 5", ["[3-5]"]),
        ("7-7", ["7"]),
        ("00-99", ["XX"]),
        ("8-12", ["[8-9]", "1[0-2]"]),
        ("0-10", ["X", "10"]),
        ("199-201", ["199", "20[0-1]"]),
        ("1XXX;[1-3]!;*#.", ["1XXX", "[1-3]!", "*#."]),
        ("", []),
        (" ;, ", []),
    ],
)
def test_a_mask_becomes_patterns(text: str, patterns: list[str]) -> None:
    """A range as few as can be; a pattern of callpost's stays as it is."""
    assert dtmf_masks(text) == (patterns, [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("9-1", "a range runs backwards"),
        ("1000-999", "a range runs backwards"),
        ("01-1", "a range runs backwards"),
        ("01-100", "a range from a number with a leading 0 ends with one of the same length"),
        ("1.2", "The pattern has a . before its end."),
        ("1-", "The pattern may hold only digits, *, #, A-D, X, Z, N, sets in [], . and !."),
        ("1" * 256, "a mask has at most 255 characters, all of which can be seen"),
    ],
)
def test_what_is_no_mask_is_told(text: str, fault: str) -> None:
    """In one sentence, without the text itself."""
    assert dtmf_masks(text)[1] == [fault]


@pytest.mark.parametrize(
    "text", ["1" + ";1" * 1_000, ";".join(["1-88888888888888888888888888888888"] * 1_800)]
)
def test_a_text_stands_for_so_many_patterns_at_most(text: str) -> None:
    """It is not read to its end then: ranges can become a hundred thousand of them."""
    assert dtmf_masks(text) == ([], ["stands for more than 1,000 patterns"])


def test_masks_on_callers_are_several_too() -> None:
    """Each is one of callpost's."""
    assert caller_masks("+45*;1[2-4], anonymous") == (["+45*", "1[2-4]", "anonymous"], [])


NUMBERS = st.integers(0, 12_000)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_a_range_matches_the_numbers_in_it_and_no_others(one: int, other: int, number: int) -> None:
    """As they are written without zeros in front."""
    low, high = sorted((one, other))
    patterns, faults = dtmf_masks(f"{low}-{high}")
    assert (faults, dtmf_matcher(patterns)(str(number))) == ([], low <= number <= high)


@given(st.integers(1, 5), st.data())
def test_a_range_of_one_length_matches_zeros_in_front(width: int, data: st.DataObject) -> None:
    """Digits are no numbers: 007 is three of them."""
    numbers = st.integers(0, 10**width - 1)
    low, high = sorted((data.draw(numbers), data.draw(numbers)))
    number = data.draw(numbers)
    patterns, _ = dtmf_masks(f"{low:0{width}}-{high:0{width}}")
    assert dtmf_matcher(patterns)(f"{number:0{width}}") == (low <= number <= high)


@given(NUMBERS, NUMBERS)
def test_a_range_is_few_patterns(one: int, other: int) -> None:
    """At most two for each digit, and one."""
    low, high = sorted((one, other))
    patterns, _ = dtmf_masks(f"{low:06}-{high:06}")
    assert len(patterns) <= 2 * 6 + 1


def test_the_longest_range_is_read_at_once() -> None:
    """32 digits are no more than some dozens of patterns."""
    patterns, _ = dtmf_masks(f"1-{'8' * 32}")
    assert len(patterns) < 100
