"""Masks as shells have them, patterns as Asterisk has them, and what is wrong with bad ones."""

import time
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.mask import (
    dtmf_matcher,
    dtmf_pattern_fault,
    exact_extension,
    exact_number,
    extension_fault,
    extension_matcher,
    number_mask_fault,
    number_matcher,
)


@pytest.mark.parametrize(
    ("mask", "number"),
    [
        ("+45*", "+4570305050"),
        ("+45*", "4570305050"),
        ("45*", "+4570305050"),
        ("+4570305050", "4570305050"),
        ("4570305050", "+4570305050"),
        ("*", ""),
        ("*", "anonymous"),
        ("anon?mous", "anonymous"),
        ("[34]5", "45"),
        ("[!4]5", "35"),
        ("[]]5", "]5"),
        ("[!]]5", "45"),
        ("[0-9][0-9]", "45"),
        ("sip:*@pbx.example", "sip:bob@pbx.example"),
        ("*5*5", "+4515"),
        ("a\n*", "a\nb"),
        ("a.c", "a.c"),
    ],
)
def test_a_mask_matches(mask: str, number: str) -> None:
    """Wildcards are those of a shell, and a leading `+` is optional on both sides."""
    assert number_matcher([mask])(number)


@pytest.mark.parametrize(
    ("mask", "number"),
    [
        ("+45*", "+4670305050"),
        ("45", "0045"),
        ("45", "451"),
        ("4?", "4"),
        ("Anonymous", "anonymous"),
        ("[!4]5", "45"),
        ("a.c", "abc"),
        ("45", "45\n"),
    ],
)
def test_a_mask_does_not_match(mask: str, number: str) -> None:
    """A mask is anchored at both ends and tells capitals from small letters."""
    assert not number_matcher([mask])(number)


@pytest.mark.parametrize(("chars", "matches"), [(255, True), (256, False)])
def test_wildcards_meet_no_more_than_a_number_can_have(chars: int, *, matches: bool) -> None:
    """In thousands of characters a mask would look for long, while everybody waits."""
    assert number_matcher(["*1"])("1" * chars) is matches


def test_what_is_exact_may_be_of_any_length() -> None:
    """It is only looked up."""
    assert number_matcher(["1" * 300])("1" * 300)


def test_any_of_several_masks_is_enough() -> None:
    """Exact numbers and wildcards may stand side by side."""
    assert number_matcher(["+46*", "+4512"])("+4512")


def test_no_mask_matches_nothing() -> None:
    """Whether a criterion restricts at all is the router's business."""
    assert not number_matcher([])("45")


SOUND_MASKS = st.text("ab*?[]!-", min_size=1, max_size=8).filter(
    lambda mask: number_mask_fault(mask) is None
)


@given(SOUND_MASKS, st.text("ab]-!", max_size=6))
def test_masks_are_shell_patterns(mask: str, name: str) -> None:
    """Apart from the `+` a mask does what the standard library's shell patterns do."""
    assert number_matcher([mask])(name) == fnmatchcase(name, mask)


@given(SOUND_MASKS, st.text("ab", min_size=1, max_size=6))
def test_a_plus_is_optional_on_both_sides(mask: str, name: str) -> None:
    """All four spellings say the same."""
    answers = {number_matcher([m])(n) for m in (mask, "+" + mask) for n in (name, "+" + name)}
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("mask", "number"),
    [
        ("*a" * 125, "a" * 124 + "b" * 131),
        ("*a" * 125, "ab" * 124),
        ("*a*?" * 62 + "c", "a" * 255),
        ("*" * 249 + "b", "a" * 255),
        ("*" + "a" * 100 + "*" + "a" * 100 + "*b", "a" * 255),
    ],
)
def test_a_mask_of_many_stars_is_answered_at_once(mask: str, number: str) -> None:
    """No mask that a subscriber can write makes the daemon hang."""
    matches = number_matcher([mask])
    before_s = time.perf_counter()
    matches(number)
    assert time.perf_counter() - before_s < 0.5


@pytest.mark.parametrize(
    ("mask", "fault"),
    [
        ("", "The mask is empty."),
        ("+", "The mask is empty."),
        ("45[", "The mask has a [ without its ]."),
        ("[]", "The mask has a [ without its ]."),
        ("[!]", "The mask has a [ without its ]."),
        ("[a][b", "The mask has a [ without its ]."),
        ("45[z-a]", "A range in the mask runs backwards."),
        ("[!9-1]*", "A range in the mask runs backwards."),
        ("[a-c9-1]", "A range in the mask runs backwards."),
        ("[z-]", None),
        ("[-a]", None),
        ("[a-z-9]", None),
        ("[a]*]", None),
        ("[[]", None),
        ("+45*", None),
    ],
)
def test_a_bad_mask_has_its_sentence(mask: str, fault: str | None) -> None:
    """What the configuration says of a mask; None for a sound one."""
    assert number_mask_fault(mask) == fault


def test_a_bad_mask_makes_no_predicate() -> None:
    """What slips past the configuration is not taken for something else."""
    with pytest.raises(ValueError, match="without its"):
        number_matcher(["45["])


@pytest.mark.parametrize(
    ("mask", "number"),
    [("+4512", "+4512"), ("12", "12"), ("1*", None), ("1?", None), ("[1]", None)],
)
def test_a_mask_without_wildcards_is_one_number(mask: str, number: str | None) -> None:
    """The router files by it, without the `+`."""
    assert exact_number(mask) == number


def test_an_extension_may_hold_a_star() -> None:
    """In VoipNow's notation it is part of the extension."""
    assert extension_matcher(["0003*210"])("0003*210")


def test_a_star_in_an_exact_extension_is_no_wildcard() -> None:
    """Only `mask:` makes it one."""
    assert not extension_matcher(["0003*210"])("00031210")


def test_an_extension_mask_says_that_it_is_one() -> None:
    """After `mask:` a star is any run of characters."""
    assert extension_matcher(["mask:0003*"])("0003*210")


@pytest.mark.parametrize(("entry", "exact"), [("0003*210", "0003*210"), ("mask:0003*", None)])
def test_an_exact_extension_is_told_from_a_mask(entry: str, exact: str | None) -> None:
    """The router files by the exact ones."""
    assert exact_extension(entry) == exact


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("", "The extension is empty."),
        ("mask:", "The mask is empty."),
        ("mask:[", "The mask has a [ without its ]."),
        ("mask:0003*", None),
        ("[", None),
    ],
)
def test_a_bad_extension_has_its_sentence(entry: str, fault: str | None) -> None:
    """What the configuration says of an entry; None for a sound one."""
    assert extension_fault(entry) == fault


@pytest.mark.parametrize(
    ("pattern", "digits"),
    [
        ("1X.", "123"),
        ("1X.", "12*#A"),
        ("_1X.", "123"),
        ("XZN", "012"),
        ("xzn", "999"),
        ("[1-5]", "3"),
        ("[13-5*A-B]", "*"),
        ("[13-5*A-B]", "B"),
        ("*21#", "*21#"),
        ("A", "A"),
        ("1!", "1"),
        ("1!", "12"),
        (".", "1"),
        ("!", ""),
    ],
)
def test_a_pattern_matches_digits(pattern: str, digits: str) -> None:
    """Patterns are Asterisk's; `*` and `#` are digits."""
    assert dtmf_matcher([pattern])(digits)


@pytest.mark.parametrize(
    ("pattern", "digits"),
    [
        ("1X.", "12"),
        ("Z", "0"),
        ("N", "1"),
        ("X", "*"),
        ("[1-5]", "6"),
        ("12", "123"),
        ("12", "012"),
        (".", ""),
        ("*", "1"),
        ("1", "1\n"),
    ],
)
def test_a_pattern_does_not_match_digits(pattern: str, digits: str) -> None:
    """A pattern covers all digits, from the first to the last."""
    assert not dtmf_matcher([pattern])(digits)


def test_any_of_several_patterns_is_enough() -> None:
    """Each pattern is anchored on its own."""
    assert [dtmf_matcher(["1", "23"])(digits) for digits in ("1", "23", "13")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("", "The pattern is empty."),
        ("_", "The pattern is empty."),
        ("1.2", "The pattern has a . before its end."),
        ("!!", "The pattern has a ! before its end."),
        ("[1-5", "The pattern has a [ without its ]."),
        ("[]", "A set in the pattern may hold only digits, *, #, A-D and ranges of them."),
        ("[X]", "A set in the pattern may hold only digits, *, #, A-D and ranges of them."),
        ("[5-1]", "A range in the pattern runs backwards."),
        ("1y", "The pattern may hold only digits, *, #, A-D, X, Z, N, sets in [], . and !."),
        ("\u0661", "The pattern may hold only digits, *, #, A-D, X, Z, N, sets in [], . and !."),
        ("1]", "The pattern may hold only digits, *, #, A-D, X, Z, N, sets in [], . and !."),
        ("_1X.", None),
        ("[1-3*#A-D]!", None),
    ],
)
def test_a_bad_pattern_has_its_sentence(pattern: str, fault: str | None) -> None:
    """What the configuration says of a pattern; None for a sound one."""
    assert dtmf_pattern_fault(pattern) == fault


@given(st.text())
def test_every_pattern_is_sound_or_has_a_fault(pattern: str) -> None:
    """What has no fault makes a predicate, what has one makes none."""
    sound = dtmf_pattern_fault(pattern) is None
    try:
        dtmf_matcher([pattern])
    except ValueError:
        made = False
    else:
        made = True
    assert made == sound
