"""The fields of a query or of a body, each by its exact type; all faults are found, not the first.

No sentence quotes a value: it may be long, and it may be a secret in the wrong place.
"""

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Final, Literal, TypeVar, get_args, get_origin

from msgspec import Struct, ValidationError, convert
from msgspec.structs import FieldInfo, fields

from callpost.model.instant import in_utc, microseconds
from callpost.model.spelling import did_you_mean
from callpost.web.problem import FieldFault, refusal_of

S = TypeVar("S", bound=Struct)

# The year 9999 ends here: what lies beyond cannot be written as a time.
_END_OF_TIME_S: Final = 253_402_300_800.0
# msgspec tells the place within a field at the end of its sentence.
_WITHIN: Final = re.compile(r"(.*?)(?: - at `\$(.*)`)?", re.DOTALL)
_NOT_A_WORD: Final = "Invalid enum value"


class Moment(float):
    """A time in seconds since 1970; written as such, or as RFC 3339 text."""

    __slots__ = ()


class Nothing(Struct, frozen=True):
    """No fields at all."""


def read_fields(
    values: Mapping[str, object], kind: type[S], *, place: str, of_text: bool = False
) -> S:
    """A `kind` with these values, or the Refusal with every fault.

    `place` leads the paths. `of_text`: the values were written as text, numbers among them.
    """
    known = {field.encode_name: field for field in fields(kind)}
    faults: list[FieldFault] = []
    read: dict[str, object] = {}
    for name, value in values.items():
        field = known.get(name)
        if field is None:
            detail = f"there is no such field{did_you_mean(name, known)}"
            faults.append(FieldFault(f"{place}{name}", detail))
            continue
        try:
            read[field.name] = convert(value, field.type, strict=not of_text, dec_hook=_moment)
        except ValidationError as fault:
            faults.append(_told(fault, f"{place}{name}", field))
    faults += [FieldFault(f"{place}{name}", "is missing") for name in _missing(known, values)]
    if faults:
        raise refusal_of(faults)
    return kind(**read)


def _missing(known: Mapping[str, FieldInfo], values: Mapping[str, object]) -> Iterator[str]:
    return (name for name, field in known.items() if field.required and name not in values)


def _moment(kind: type, value: object) -> object:
    """What msgspec does not know: a Moment."""
    if kind is not Moment:
        raise NotImplementedError
    if isinstance(value, str):
        if (text := in_utc(value)) is not None:
            return Moment(microseconds(text) / 1e6)
        value = _number(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
        if isfinite(seconds) and 0 <= seconds < _END_OF_TIME_S:
            return Moment(seconds)
    raise ValueError("expected a time such as 2026-11-21T16:40:00Z, or seconds since 1970")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _told(fault: ValidationError, path: str, field: FieldInfo) -> FieldFault:
    sentence, within = _parts(str(fault))
    if sentence.startswith(_NOT_A_WORD):
        sentence = f"expected one of {', '.join(filter(None, _words(field.type)))}"
    return FieldFault(f"{path}{within}", sentence[:1].lower() + sentence[1:].replace("`", ""))


def _parts(text: str) -> tuple[str, str]:
    match = _WITHIN.fullmatch(text)
    return (match[1], match[2] or "") if match else (text, "")


def _words(kind: object) -> Iterator[str]:
    """The words that a field may have, however they are wrapped."""
    for one in get_args(kind):
        if get_origin(kind) is Literal:
            yield str(one)
        else:
            yield from _words(one)
