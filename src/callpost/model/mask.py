"""Masks on numbers, names and extensions, and patterns on pressed digits.

Each kind has a function that says what is wrong with a text and one that makes a predicate of
several texts; a predicate is made of sound texts only (`ValueError` otherwise).
"""

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from typing import Final

Matches = Callable[[str], bool]

# An extension may itself hold `*` (VoipNow's notation), so a mask says that it is one.
EXTENSION_MASK_PREFIX: Final = "mask:"
_WILD: Final = frozenset("*?[")
# No number, name or extension is longer; what an event may say is, and a mask of many characters
# would take milliseconds to find nothing in it.
_MATCHED_MAX_CHARS: Final = 255
_DIGITS: Final = "0123456789*#ABCD"
_DIGIT_CLASSES: Final = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]"}
_TAILS: Final = {".": "[0-9*#A-D]+", "!": "[0-9*#A-D]*"}
_RANGE: Final = re.compile("(.)-(.)", re.DOTALL)
_DIGIT_SET: Final = re.compile(r"\[((?:[0-9]-[0-9]|[A-D]-[A-D]|[0-9*#A-D])+)\]")


def without_plus(number: str) -> str:
    """The number as masks compare it: a leading `+` is optional on both sides."""
    return number.removeprefix("+")


def number_mask_fault(text: str) -> str | None:
    """What is wrong with a mask on a number or name, in one sentence; None where it is sound."""
    mask = without_plus(text)
    if not mask:
        return "The mask is empty."
    place = 0
    while (place := mask.find("[", place)) >= 0:
        end = _end_of_set(mask, place)
        if end < 0:
            return "The mask has a [ without its ]."
        if _runs_backwards(mask[place + 1 : end].removeprefix("!")):
            return "A range in the mask runs backwards."
        place = end + 1
    return None


def exact_number(mask: str) -> str | None:
    """The one number that the mask means; None where it has wildcards."""
    return None if _WILD.intersection(mask) else mask


def number_matcher(masks: Iterable[str], compared: Callable[[str], str] = without_plus) -> Matches:
    """Whether a number or name matches any of the masks; wildcards meet at most 255 characters.

    `compared` gives the form in which a number, and a mask without wildcards, is compared.
    """
    exact: set[str] = set()
    wild: list[re.Pattern[str]] = []
    for mask in masks:
        _refuse(number_mask_fault(mask))
        number = exact_number(mask)
        if number is None:
            # The translation holds what lies between two stars in atomic groups, so that a
            # mask of many stars costs no more than length times length.
            wild.append(re.compile(translate(without_plus(mask))))
        else:
            exact.add(compared(number))

    def matches(number: str) -> bool:
        number = compared(number)
        if number in exact:
            return True
        return len(number) <= _MATCHED_MAX_CHARS and any(each.match(number) for each in wild)

    return matches


def extension_fault(text: str) -> str | None:
    """What is wrong with an entry of `extension`: exact, or a mask after `mask:`."""
    if text.startswith(EXTENSION_MASK_PREFIX):
        return number_mask_fault(text.removeprefix(EXTENSION_MASK_PREFIX))
    return None if text else "The extension is empty."


def exact_extension(entry: str) -> str | None:
    """The one extension that the entry means; None where it is a mask."""
    return None if entry.startswith(EXTENSION_MASK_PREFIX) else entry


def extension_matcher(entries: Iterable[str]) -> Matches:
    """Whether an extension is one of the entries or matches one that is a mask."""
    exact: set[str] = set()
    masks: list[str] = []
    for entry in entries:
        _refuse(extension_fault(entry))
        if exact_extension(entry) is None:
            masks.append(entry.removeprefix(EXTENSION_MASK_PREFIX))
        else:
            exact.add(entry)
    matches_mask = number_matcher(masks)
    return lambda extension: extension in exact or matches_mask(extension)


def dtmf_pattern_fault(text: str) -> str | None:
    """What is wrong with a pattern on digits, in one sentence; None where it is sound."""
    try:
        _dtmf_expression(text)
    except ValueError as fault:
        return str(fault)
    return None


def dtmf_matcher(patterns: Iterable[str]) -> Matches:
    """Whether pressed digits match any of the patterns, from the first digit to the last."""
    expression = re.compile("|".join(_dtmf_expression(pattern) for pattern in patterns))
    return lambda digits: expression.fullmatch(digits) is not None


def _end_of_set(mask: str, start: int) -> int:
    """Where the set that begins at `start` ends, -1 if nowhere; a `]` right at its start counts."""
    first = start + (2 if mask.startswith("[!", start) else 1)
    return mask.find("]", first + 1)


def _runs_backwards(members: str) -> bool:
    """Whether a range of the set has nothing in it; a `-` at an end of the set is itself."""
    return any(low > high for low, high in _RANGE.findall(members))


def _refuse(fault: str | None) -> None:
    if fault is not None:
        raise ValueError(fault)


def _dtmf_expression(pattern: str) -> str:
    """Asterisk's extension pattern (extensions.conf) as a regular expression.

    As there, a leading `_` is allowed, and X, Z, N may be lower case. `.` and `!` stand for the
    rest of the digits, so they come last.
    """
    text = pattern.removeprefix("_")
    if not text:
        raise ValueError("The pattern is empty.")
    parts: list[str] = []
    place = 0
    while place < len(text):
        part, place = _dtmf_part(text, place)
        parts.append(part)
    return "".join(parts)


def _dtmf_part(text: str, place: int) -> tuple[str, int]:
    """The expression for one character or set of the pattern, and where the next one begins."""
    letter = text[place]
    if letter == "[":
        return _dtmf_set(text, place)
    if letter in _TAILS:
        if place + 1 < len(text):
            raise ValueError(f"The pattern has a {letter} before its end.")
        return _TAILS[letter], place + 1
    if letter in _DIGITS:
        return re.escape(letter), place + 1
    if letter.upper() in _DIGIT_CLASSES:
        return _DIGIT_CLASSES[letter.upper()], place + 1
    raise ValueError("The pattern may hold only digits, *, #, A-D, X, Z, N, sets in [], . and !.")


def _dtmf_set(text: str, place: int) -> tuple[str, int]:
    if "]" not in text[place:]:
        raise ValueError("The pattern has a [ without its ].")
    members = _DIGIT_SET.match(text, place)
    if members is None:
        raise ValueError("A set in the pattern may hold only digits, *, #, A-D and ranges of them.")
    if _runs_backwards(members[1]):
        raise ValueError("A range in the pattern runs backwards.")
    return members[0], members.end()
