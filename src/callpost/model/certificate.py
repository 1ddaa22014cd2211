"""When a certificate ends: the one field of X.509 that is read here, in DER or PEM.

A walk from length to length up to the validity (RFC 5280, section 4.1); nothing is verified, for
that is TLS's affair. What is no certificate has no end.
"""

import re
from base64 import b64decode
from binascii import Error
from datetime import datetime
from typing import Final

# Tags of X.690, section 8: universal types, and the explicit [0] around the version.
_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_VERSION: Final = 0xA0
# No certificate is as large: what says so is something else.
_LENGTH_MAX_BYTES: Final = 3
_PEM: Final = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)"
    rb"-----END (?:X509 |TRUSTED )?CERTIFICATE-----"
)
# RFC 5280, section 4.1.2.5: to the second, in UTC.
_UTC_DIGITS: Final = re.compile(rb"[0-9]{12}Z")
_GENERALIZED_DIGITS: Final = re.compile(rb"[0-9]{14}Z")


class _NoCertificate(Exception):
    """The bytes are something else."""


def ends_at(der: bytes) -> float | None:
    """When the certificate ends, in seconds since 1970; None for what is none."""
    try:
        certificate = _Reader(der).within(_SEQUENCE)
        to_be_signed = certificate.within(_SEQUENCE)
        if to_be_signed.next_tag() == _VERSION:
            to_be_signed.take(_VERSION)
        to_be_signed.take(_INTEGER)
        to_be_signed.take(_SEQUENCE)  # the algorithm of the signature
        to_be_signed.take(_SEQUENCE)  # the issuer
        validity = to_be_signed.within(_SEQUENCE)
        _moment(validity)
        return _moment(validity)
    except _NoCertificate:
        return None


def first_ends_at(pem: bytes) -> float | None:
    """When the first certificate of a PEM file ends: it is one's own, the others stand above it."""
    found = _PEM.search(pem)
    if found is None:
        return None
    try:
        return ends_at(b64decode(found[1]))
    except Error:
        return None


class _Reader:
    """Reads one element after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def next_tag(self) -> int:
        """The tag of the next element."""
        return self._bytes(1, ahead=True)[0]

    def take(self, tag: int) -> bytes:
        """The content of the next element, which has this tag."""
        if self._bytes(1)[0] != tag:
            raise _NoCertificate
        return self._bytes(self._length())

    def within(self, tag: int) -> "_Reader":
        """A reader of that content."""
        return _Reader(self.take(tag))

    def _length(self) -> int:
        """X.690, section 8.1.3: up to 127 as it is, else the number of bytes that hold it."""
        first = self._bytes(1)[0]
        if first < 0x80:
            return first
        size = first & 0x7F
        if not 1 <= size <= _LENGTH_MAX_BYTES:
            raise _NoCertificate
        return int.from_bytes(self._bytes(size), "big")

    def _bytes(self, count: int, *, ahead: bool = False) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise _NoCertificate
        taken = self._data[self._at : end]
        if not ahead:
            self._at = end
        return taken


def _moment(validity: _Reader) -> float:
    if validity.next_tag() == _UTC_TIME:
        digits = validity.take(_UTC_TIME)
        if not _UTC_DIGITS.fullmatch(digits):
            raise _NoCertificate
        # Two digits of a year: 50 to 99 are of the last century (section 4.1.2.5.1).
        digits = (b"19" if digits[:2] >= b"50" else b"20") + digits
    else:
        digits = validity.take(_GENERALIZED_TIME)
    if not _GENERALIZED_DIGITS.fullmatch(digits):
        raise _NoCertificate
    text = digits.decode("ascii")
    try:
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}").timestamp()
    except ValueError:
        raise _NoCertificate from None
