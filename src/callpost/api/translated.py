"""What becomes of a system's saved list: tables, what was lost on the way, and what is at fault.

A dialect is a file with two functions. `read(document, of="")` gives one `Translated` for each
table and one `Refused` for each item that cannot become one; it raises `MalformedDocument` where
the whole is no list of that system. `of` is the extension or menu that the list was asked for,
where the system names it in the path and not in the list. `written(tables)` goes the other way
and gives an `Exported`; presets and `[delivery]` are in its tables already, and secrets may be
`credential:NAME`.
"""

from typing import Literal

from msgspec import Struct

from callpost.model.fault import Fault

# The keys and values of a table exactly as TOML has them.
Table = dict[str, object]
Kind = Literal["subscription", "forward"]


class Translated(Struct, frozen=True, kw_only=True):
    """One table `[[subscription]]` or `[[forward]]`, from the items at these JSON paths.

    `lost` has a sentence for all that the table cannot say. The `name` in the table is only a
    wish: any text, which whoever writes the file makes legal and unique.
    """

    paths: tuple[str, ...]
    table: Table
    lost: tuple[str, ...] = ()
    kind: Kind = "subscription"


class Refused(Struct, frozen=True):
    """An item that cannot be carried over; each fault has its JSON path, and no file."""

    faults: tuple[Fault, ...]


class Exported(Struct, frozen=True):
    """A list answer as that system would give it, and what it cannot say of the tables."""

    document: bytes
    lost: tuple[str, ...] = ()


class MalformedDocument(Exception):
    """The document as a whole cannot be read."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault
