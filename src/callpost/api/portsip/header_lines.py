"""Headers as a text of `Name: value` lines, and as the table that a configuration has.

A line that is no header of ours is none, and is told by its number, as it could hold a secret.
"""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from callpost.model.credential import credential_name
from callpost.model.header import HEADERS_MAX, is_media_type, is_reserved, is_token, value_fault


class HeaderLines(Struct, frozen=True):
    """`content_type` is a key of its own in a configuration; `faults` are sentences."""

    headers: dict[str, str]
    content_type: str
    faults: tuple[str, ...]


def read_lines(text: str) -> HeaderLines:
    """The headers of a text; of two with the same name the first one counts."""
    headers: dict[str, str] = {}
    faults: list[str] = []
    known: set[str] = set()
    content_type = ""
    for number, name, value in _lines(text):
        fault = _fault(name, value, known)
        if fault is None and len(headers) == HEADERS_MAX:
            fault = f"is beyond the {HEADERS_MAX} that there can be"
        if fault is not None:
            faults.append(f"line {number} {fault}")
            continue
        known.add(name.lower())
        if name.lower() == "content-type":
            content_type = value
        else:
            headers[name] = value
    return HeaderLines(headers, content_type, tuple(faults))


def written_lines(headers: Mapping[str, str]) -> str:
    """One line for each header."""
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def mapped_lines(text: str, value_of: Callable[[str, str], str]) -> str:
    """The text with each value as `value_of` its name and itself says; a blank line is dropped."""
    mapped: list[str] = []
    for line in filter(str.strip, _split(text)):
        name, value = _parted(line)
        mapped.append(f"{name}: {value_of(name, value)}" if name else line)
    return "\n".join(mapped)


def _lines(text: str) -> Iterator[tuple[int, str, str]]:
    """What is not blank, counted from 1; without a colon it has no name."""
    for number, line in enumerate(_split(text), start=1):
        if line.strip():
            yield number, *_parted(line)


def _split(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _parted(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip() if ":" in line else "", value.strip(" \t")


def _fault(name: str, value: str, known: set[str]) -> str | None:
    if not is_token(name):
        return "is no header such as X-Menu: main"
    if name.lower() in known:
        return f"is a second {name}"
    if is_reserved(name):
        return f"is a header that callpost writes itself ({name})"
    if credential_name(value) is not None:
        # Whoever wrote the list would get the secret of that name.
        return f"begins with credential:, which names a secret here ({name})"
    if name.lower() == "content-type" and not is_media_type(value):
        return f"is no media type ({name})"
    fault = value_fault(value)
    return None if fault is None else f"cannot be sent: {name} {fault[1]}"
