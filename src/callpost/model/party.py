"""Finds one telephone number in events, in whatever spelling and whatever field it stands.

A field is meant as a whole: a number within a longer text is another thing. Within a SIP or tel
URI the number is its user part (RFC 3261, 19.1.1; RFC 3966).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote

import msgspec

from callpost.model.numbers import Numbers

_BRACKETED: Final = re.compile(r"<([^<>]*)>")
# "(+45) 26110203", as it is often written, and seldom read.
_COUNTRY: Final = re.compile(r"^\((\+[0-9]+)\)")
_URI: Final = re.compile(
    r"(?:(?:sips?|tel):)?([^@;?:]+)(?::[^@]*)?(@[^;?>]*)?.*", re.IGNORECASE | re.DOTALL
)
# What may stand between two digits, "%20" in a URI and an escaped quotation mark among it.
_BETWEEN: Final = rb"[().\-/ ]*(?:%20)?[().\-/ ]*"
# Whatever the country, and however it is dialled, a number ends in these digits.
_LAST_DIGITS: Final = 6
# A name for what no event has: these say nothing about who takes part.
_NO_PARTY: Final = frozenset({"event", "callId", "id", "time", "direction", "cause", "dtmf"})

_DECODER: Final = msgspec.json.Decoder(dict[str, object])


class Party:
    """Whoever has `number`; numbers are read as `numbers` reads them."""

    def __init__(self, number: str, numbers: Numbers) -> None:
        self._numbers = numbers
        self._forms = frozenset(self._forms_of(number))
        self._hint = _hint(min(self._forms, key=len))

    def takes_part_in(self, body: bytes) -> bool:
        """Say whether a stored event bears the number; a delivery report bears none."""
        if self._hint.search(body) is None:
            return False
        try:
            event = _DECODER.decode(body)
        except msgspec.DecodeError:
            return False
        return any(not self._forms.isdisjoint(self._forms_of(text)) for text in _texts(event))

    def is_named_in(self, text: bytes) -> bool:
        """Say whether a text may name it: its last digits stand there, one behind the other."""
        return self._hint.search(text) is not None

    def _forms_of(self, text: str) -> Iterator[str]:
        text = _COUNTRY.sub(r"\1", text.strip())
        yield self._numbers.compared(text).lower()
        bracketed = _BRACKETED.search(text)
        match = _URI.fullmatch(bracketed[1] if bracketed else text)
        if match is not None:
            user, host = unquote(match[1]).strip(), match[2] or ""
            # bob@one.example is not bob@two.example; a number is the same everywhere.
            is_number = re.search("[A-Za-z]", user) is None
            yield (self._numbers.compared(user) if is_number else f"{user}{host}").lower()


def _texts(event: Mapping[str, object]) -> Iterator[str]:
    """All that may name somebody, in every field, those of `data` too."""
    for name, value in event.items():
        match value:
            case str() if name not in _NO_PARTY:
                yield value
            case list():
                yield from (one for one in value if isinstance(one, str))
            case dict():
                yield from (one for one in value.values() if isinstance(one, str))


def _hint(form: str) -> re.Pattern[bytes]:
    """What the bytes of every event hold that bears it, and few others."""
    if form.isascii() and form.isdigit():
        last = form[-_LAST_DIGITS:]
        return re.compile(_BETWEEN.join(digit.encode() for digit in last))
    # A form of letters: its longest plain run stands as it is in JSON.
    run = max(re.findall("[a-z0-9]+", form) or [""], key=len)
    return re.compile(re.escape(run).encode(), re.IGNORECASE)
