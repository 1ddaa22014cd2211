"""Telephone numbers in one form, whatever form a producer writes them in.

Google's metadata decides what is a number of which country; what is none of any (SIP URIs, short
and service numbers, extensions, `anonymous`) is left alone. The library is loaded only where a
configuration asks for numbers, and each number is looked at once.
"""

import re
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, assert_never

if TYPE_CHECKING:
    from types import ModuleType

    from phonenumbers import PhoneNumber

NumberFormat = Literal["received", "+e164", "e164", "national"]

# Looked-up numbers that are remembered, in two generations: an operator's callers of a day. One
# look-up takes 16 us, a remembered one 0.1.
_GENERATION: Final = 16_384
# E.164 allows 15 digits; nobody writes more than twice as many characters around them.
_LONGEST: Final = 40
# What people write between the digits (RFC 3966, "visual-separator"), and spaces.
_SEPARATED: Final = re.compile(r"\+?\(?[0-9][0-9().\-/ ]*")
_DIGIT: Final = re.compile("[0-9]")
# Shorter than any subscriber's number of E.164 with its country; short codes are all shorter.
_FEWEST_DIGITS: Final = 7


def is_country(code: str) -> bool:
    """Say whether numbers of this country are known: two letters of ISO 3166-1, such as DK."""
    import phonenumbers  # noqa: PLC0415 - 20 ms that most installations never need

    return code in phonenumbers.SUPPORTED_REGIONS


def calling_code(country: str) -> str:
    """What international numbers of a known country begin with, behind the `+`; "" of none."""
    if not country:
        return ""
    import phonenumbers  # noqa: PLC0415 - see `is_country`

    return str(phonenumbers.country_code_for_region(country))


class Numbers:
    """Reads numbers as a country's own where they do not say otherwise; "" knows no country."""

    def __init__(self, country: str = "") -> None:
        self._country = country
        self._known: dict[str, PhoneNumber | None] = {}
        self._known_before: dict[str, PhoneNumber | None] = {}

    @cached_property
    def _library(self) -> "ModuleType":
        import phonenumbers  # noqa: PLC0415 - see `is_country`

        return phonenumbers

    @cached_property
    def _has_trunk_zero(self) -> bool:
        """Where national numbers are told by a leading zero, bare digits are international."""
        metadata = self._library.PhoneMetadata.metadata_for_region(self._country)
        return metadata is not None and bool(metadata.national_prefix == "0")

    def compared(self, text: str) -> str:
        """The form in which masks compare: E.164 without `+`; what is no number but for its `+`."""
        number = self._number(text)
        return text.removeprefix("+") if number is None else self._e164(number)[1:]

    def written(self, text: str, form: NumberFormat) -> str:
        """The number as a subscriber wants it; what is no number as it came."""
        if form == "received":
            return text
        number = self._number(text)
        if number is None:
            return text
        match form:
            case "+e164":
                return self._e164(number)
            case "e164":
                return self._e164(number)[1:]
            case "national":
                return self._national(number)
            case _ as unreachable:
                assert_never(unreachable)

    def _e164(self, number: "PhoneNumber") -> str:
        return str(self._library.format_number(number, self._library.PhoneNumberFormat.E164))

    def _national(self, number: "PhoneNumber") -> str:
        """As it is dialled within its own country; one of another country stays international."""
        own_code = self._library.country_code_for_region(self._country)
        if self._country and number.country_code != own_code:
            return self._e164(number)
        form = self._library.PhoneNumberFormat.NATIONAL
        return "".join(_DIGIT.findall(self._library.format_number(number, form)))

    def _number(self, text: str) -> "PhoneNumber | None":
        try:
            return self._known[text]
        except KeyError:
            return self._remembered(text)

    def _remembered(self, text: str) -> "PhoneNumber | None":
        if len(self._known) >= _GENERATION:
            self._known, self._known_before = {}, self._known
        # Taken once: the index of a new configuration is made in another thread.
        before = self._known_before
        number = before[text] if text in before else self._looked_up(text)
        if len(text) <= _LONGEST:
            self._known[text] = number
        return number

    def _looked_up(self, text: str) -> "PhoneNumber | None":
        if len(text) > _LONGEST or _SEPARATED.fullmatch(text) is None:
            return None
        if len(_DIGIT.findall(text)) < _FEWEST_DIGITS:
            return None
        for candidate in self._readings(text):
            number = candidate()
            if number is not None:
                return number
        return None

    def _readings(self, text: str) -> "list[Callable[[], PhoneNumber | None]]":
        """What the text may mean, the likeliest first."""
        if text.startswith("+"):
            return [lambda: self._parsed(text, "")]
        if not self._country:
            return [lambda: self._parsed(f"+{text}", "")]
        if text.lstrip("(").startswith("0") or not self._has_trunk_zero:
            return [
                lambda: self._parsed(text, self._country),
                lambda: self._parsed(f"+{text}", ""),
            ]
        return [lambda: self._parsed(f"+{text}", ""), lambda: self._parsed(text, self._country)]

    def _parsed(self, text: str, country: str) -> "PhoneNumber | None":
        try:
            number = self._library.parse(text, country or None)
        except self._library.NumberParseException:
            return None
        return number if self._library.is_valid_number(number) else None
