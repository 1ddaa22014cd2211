"""Percent-encoding of one text, for a query and for a form.

Every octet of the UTF-8 text stands for itself or as `%XX`; a table knows which.
"""

from typing import Final

# RFC 3986, section 2.3: what never needs encoding in a query.
_UNRESERVED: Final = "-._~"
# WHATWG URL, section 5.2: what a form leaves as it is, beside letters and digits.
_FORM_KEPT: Final = "*-._"


def _table(kept: str) -> list[str]:
    octets = (chr(octet) for octet in range(256))
    return [
        letter
        if (letter.isascii() and letter.isalnum()) or letter in kept
        else f"%{ord(letter):02X}"
        for letter in octets
    ]


_QUERY_TABLE: Final = _table(_UNRESERVED)
_FORM_TABLE: Final = _table(_FORM_KEPT)
_FORM_TABLE[ord(" ")] = "+"


def query_encoded(text: str) -> str:
    """The text as part of a query: unreserved characters as they are, a space as `%20`."""
    return _encoded(text, _QUERY_TABLE)


def form_encoded(text: str) -> str:
    """The text as part of a form: letters, digits and `*-._` as they are, a space as `+`."""
    return _encoded(text, _FORM_TABLE)


def _encoded(text: str, table: list[str]) -> str:
    if text.isascii():
        return text if text.isalnum() else text.translate(table)
    return text.encode().decode("latin-1").translate(table)
