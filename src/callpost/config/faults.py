"""What is wrong with a configuration, and where: one `Fault` for each thing, never only the first.

A sentence says what is expected and what kind of thing was found; it never quotes a value that
could be a secret. Lists are counted from 1, as `fallback-1` is.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from callpost.model.credential import UnreadableCredential
from callpost.model.fault import Fault
from callpost.model.terminal import visible

__all__ = [
    "Fault",
    "FaultyConfig",
    "FindAuthoritiesFault",
    "FindFileDigest",
    "FindFileFault",
    "FindPairFault",
    "FindSecret",
    "Lookups",
    "Source",
    "Spot",
]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_.-]+")

# (directory, name) -> the credential, why it cannot be used, or None where there is none.
FindSecret = Callable[[str, str], str | UnreadableCredential | None]
# A path -> why the file cannot be read, None where it can.
FindFileFault = Callable[[str], str | None]
# A path -> a digest of what the file holds, "" where it cannot be read.
FindFileDigest = Callable[[str], str]
# (certificate, key) -> why these files are no pair that we can show, None where they are; without
# a key ("") the certificate's file has both.
FindPairFault = Callable[[str, str], str | None]
# A path -> why the file has no authorities in it, None where it has.
FindAuthoritiesFault = Callable[[str], str | None]


class Source(Struct, frozen=True):
    """One configuration file: the name to show, and its bytes."""

    file: str
    text: bytes


class FaultyConfig(Exception):
    """The configuration cannot be used; `faults` has all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class Lookups(Struct, frozen=True, kw_only=True):
    """Where values that are not in the text come from."""

    secret: FindSecret
    file_fault: FindFileFault
    file_digest: FindFileDigest = lambda _path: ""
    pair_fault: FindPairFault = lambda _cert, _key: None
    authorities_fault: FindAuthoritiesFault = lambda _path: None
    credentials_directory: str
    service_directory: str  # $CREDENTIALS_DIRECTORY, "" where it is not set


class Spot(Struct, frozen=True, kw_only=True):
    """A place in a file, where a rule reports what it finds."""

    file: str
    path: str
    faults: list[Fault]
    lookups: Lookups

    def key(self, key: str) -> "Spot":
        """The place of one key of this table."""
        shown = key if _BARE_KEY.fullmatch(key) else f'"{visible(key)}"'
        return self._at(f"{self.path}.{shown}" if self.path else shown)

    def item(self, number: int) -> "Spot":
        """The place of one item of this list, counted from 1."""
        return self._at(f"{self.path}[{number}]")

    def at(self, path: Sequence[str | int]) -> "Spot":
        """The place that many keys and items, counted from 1, further down."""
        spot = self
        for step in path:
            spot = spot.item(step) if isinstance(step, int) else spot.key(step)
        return spot

    def report(self, code: str, sentence: str) -> UnsetType:
        """Add a fault; the value of a faulty key is UNSET."""
        self.faults.append(Fault(self.file, self.path, code, sentence))
        return UNSET

    def _at(self, path: str) -> "Spot":
        return Spot(file=self.file, path=path, faults=self.faults, lookups=self.lookups)
