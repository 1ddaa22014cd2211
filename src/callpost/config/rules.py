"""Rules for single values, and the walk over a table by its rules.

A rule takes what the file has and gives what the program needs; a fault is reported at its spot
and the value is UNSET, so that the walk goes on and finds the next one. Types are exact.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from typing import Final

from msgspec import UNSET

from callpost.config.faults import Spot
from callpost.model.spelling import did_you_mean
from callpost.model.terminal import visible
from callpost.model.unseen import has_outer_space, unseen

Rule = Callable[[object, Spot], object]
Rules = Mapping[str, Rule]

TEXT_MAX_CHARS: Final = 4_096
LIST_MAX_ITEMS: Final = 1_000


def read_table(table: Mapping[str, object], rules: Rules, spot: Spot) -> dict[str, object]:
    """The values of a table by its rules, without those that are faulty."""
    values: dict[str, object] = {}
    for key, value in table.items():
        rule = rules.get(key)
        if rule is None:
            spot.key(key).report("unknown_key", f"there is no such key{did_you_mean(key, rules)}")
            continue
        read = rule(value, spot.key(key))
        if read is not UNSET:
            values[key] = read
    return values


def table_of(rules: Rules) -> Rule:
    """A table with keys of its own."""

    def rule(value: object, spot: Spot) -> object:
        if not isinstance(value, dict):
            return wrong_type("a table", value, spot)
        return read_table(value, rules, spot)

    return rule


def list_of(rule: Rule, *, least: int = 0, most: int = LIST_MAX_ITEMS) -> Rule:
    """A list whose items follow one rule; one faulty item makes the list faulty."""

    def list_rule(value: object, spot: Spot) -> object:
        if not isinstance(value, list):
            return wrong_type("a list", value, spot)
        if not least <= len(value) <= most:
            return spot.report("range", f"expected {least} to {most} items, found {len(value)}")
        items = [rule(item, spot.item(number)) for number, item in enumerate(value, start=1)]
        return UNSET if UNSET in items else tuple(items)

    return list_rule


def text(*, least: int = 0, most: int = TEXT_MAX_CHARS) -> Rule:
    """A text of a number of characters, without control characters."""

    def rule(value: object, spot: Spot) -> object:
        if not isinstance(value, str):
            return wrong_type("a text", value, spot)
        if len(value) < least:
            return spot.report("range", "must not be empty")
        if len(value) > most:
            return spot.report("range", f"must have at most {most} characters")
        if has_controls(value):
            return spot.report("type", "must not hold control characters")
        return value

    return rule


def name_text(*, least: int = 0, most: int) -> Rule:
    """A text that is compared letter by letter: whoever reads it sees each of them."""
    as_text = text(least=least, most=most)

    def rule(value: object, spot: Spot) -> object:
        read = as_text(value, spot)
        if isinstance(read, str) and (places := unseen(read)):
            # Only the character: the rest may be somebody's number, and faults are logged.
            which = f"character {places[0] + 1} ({visible(read[places[0]])})"
            return spot.report("type", f"{which} cannot be seen")
        return read

    return rule


def holder_name(*, least: int = 0, most: int) -> Rule:
    """The name of a customer or a token: a name_text with no space at an end."""
    as_name = name_text(least=least, most=most)

    def rule(value: object, spot: Spot) -> object:
        read = as_name(value, spot)
        if isinstance(read, str) and has_outer_space(read):
            return spot.report("type", "must neither begin nor end with a space")
        return read

    return rule


def flag(value: object, spot: Spot) -> object:
    """True or false."""
    return value if isinstance(value, bool) else wrong_type("true or false", value, spot)


def whole(least: int, most: int) -> Rule:
    """A whole number; true and false are none."""
    expected = f"a whole number from {least} to {most}"

    def rule(value: object, spot: Spot) -> object:
        if not isinstance(value, int) or isinstance(value, bool):
            return wrong_type(expected, value, spot)
        return value if least <= value <= most else spot.report("range", f"expected {expected}")

    return rule


def number(least: float, most: float) -> Rule:
    """A number with or without a fraction; not-a-number and infinity are none."""
    expected = f"a number from {least:.12g} to {most:.12g}"

    def rule(value: object, spot: Spot) -> object:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return wrong_type(expected, value, spot)
        return (
            float(value) if least <= value <= most else spot.report("range", f"expected {expected}")
        )

    return rule


def either(rule: Rule, spelt_as: Mapping[int, str]) -> Rule:
    """What `rule` takes, and some whole numbers that people write for its words."""

    def widened(value: object, spot: Spot) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            return rule(spelt_as.get(value) or value, spot)
        return rule(value, spot)

    return widened


def choice(words: Sequence[str], *, code: str = "choice") -> Rule:
    """One of some words, spelt exactly."""
    expected = " | ".join(words)

    def rule(value: object, spot: Spot) -> object:
        if not isinstance(value, str):
            return wrong_type(f"one of {expected}", value, spot)
        if value not in words:
            return spot.report(code, f"expected one of {expected}{did_you_mean(value, words)}")
        return value

    return rule


def fields_choice(words: Sequence[str], noun: str) -> Rule:
    """One of some words; its fault begins as the field's programs tell it (CONTRACT 3)."""
    expected = " | ".join(words)

    def rule(value: object, spot: Spot) -> object:
        if isinstance(value, str) and value in words:
            return value
        meant = did_you_mean(value, words) if isinstance(value, str) else ""
        return spot.report(noun, f"Invalid {noun}: expected one of {expected}{meant}")

    return rule


def absolute_path(value: object, spot: Spot) -> object:
    """A path that means the same wherever the daemon is started."""
    read = text(least=1, most=1024)(value, spot)
    if isinstance(read, str) and not read.startswith("/"):
        return spot.report("path", "must be an absolute path, one that begins with /")
    return read


def wrong_type(expected: str, value: object, spot: Spot) -> object:
    """Report what was expected and what kind of thing was found."""
    return spot.report("type", f"expected {expected}, found {_kind(value)}")


def has_controls(value: str) -> bool:
    """Whether a C0 control, DEL or a C1 control is in it (a tab is one too)."""
    return any(char < " " or "\x7f" <= char <= "\x9f" for char in value)


def quoted(word: str) -> str:
    """A name from the file for a sentence."""
    return f'"{visible(word[:80])}"'


# A bool is an int, and a datetime is a date: the narrower stands first.
_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "a table"),
    (date, "a date"),
    (time, "a time of day"),
)


def _kind(value: object) -> str:
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "something else")
