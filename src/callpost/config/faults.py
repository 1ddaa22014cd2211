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
    "NO_LOOKUPS",
    "Fault",
    "FaultyConfig",
    "FindSecret",
    "Lookups",
    "Machine",
    "Source",
    "Spot",
]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_.-]+")

# (directory, name) -> the credential, why it cannot be used, or None where there is none.
FindSecret = Callable[[str, str], str | UnreadableCredential | None]


class Source(Struct, frozen=True):
    """One configuration file: the name to show, and its bytes."""

    file: str
    text: bytes


class FaultyConfig(Exception):
    """The configuration cannot be used; `faults` has all that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class Machine(Struct, frozen=True, kw_only=True):
    """What the machine knows of files, by their paths, and of groups; by itself all is well."""

    # Why a file cannot be read, None where it can.
    file_fault: Callable[[str], str | None] = lambda _path: None
    # A digest of what it holds, "" where it cannot be read.
    file_digest: Callable[[str], str] = lambda _path: ""
    # Why a certificate and a key are no pair that a server can show; without a key ("") the
    # certificate's file has both.
    pair_fault: Callable[[str, str], str | None] = lambda _cert, _key: None
    # The same of a client, to one endpoint.
    client_pair_fault: Callable[[str, str], str | None] = lambda _cert, _key: None
    # Why a file has no authorities in it.
    authorities_fault: Callable[[str], str | None] = lambda _path: None
    has_group: Callable[[str], bool] = lambda _name: True


class Lookups(Struct, frozen=True, kw_only=True):
    """Where values that are not in the text come from."""

    secret: FindSecret
    machine: Machine = Machine()
    credentials_directory: str
    service_directory: str  # $CREDENTIALS_DIRECTORY, "" where it is not set


# Where no value is to come from elsewhere: no credential, no file.
NO_LOOKUPS: Final = Lookups(
    secret=lambda _directory, _name: None, credentials_directory="", service_directory=""
)


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
