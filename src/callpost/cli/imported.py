"""A list from another system to a configuration file: named, checked, and written as TOML.

What the configuration's own rules refuse is told with the item that it comes from. A credential
counts as found: it is put in place before the file is used.
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from msgspec import Struct

from callpost.api.names import Names
from callpost.api.systems import System
from callpost.api.toml import toml_table
from callpost.api.translated import Refused, Table, Translated
from callpost.cli.unmasked import unmasked
from callpost.config import Fault, FaultyConfig, Source, parse
from callpost.model.terminal import escaped

_COMMENT_CHARS: Final = 98


class Imported(Struct, frozen=True):
    """What can be carried over, and every fault of what cannot."""

    items: tuple[Translated, ...]
    faults: tuple[Fault, ...]
    credentials: tuple[str, ...]


def imported(system: System, document: bytes, *, of: str, customer: str, file: str) -> Imported:
    """The tables of a document; raises `MalformedDocument` where there is no list in it."""
    items: list[Translated] = []
    faults: list[Fault] = []
    credentials: dict[str, None] = {}
    names, secrets = Names(), Names()
    for read in system.read(document, of=of):
        match read:
            case Refused(faults=found):
                faults += found
            case Translated():
                item = _completed(read, customer, names, secrets)
                found = tuple(_faults(item, credentials))
                faults += found
                items += () if found else (item,)
    shown = (Fault(file, fault.path, fault.code, fault.sentence) for fault in faults)
    return Imported(tuple(items), tuple(shown), tuple(credentials))


def configuration(system: System, found: Imported, *, file: str) -> str:
    """The configuration file, with a comment on each table that says where it is from."""
    parts = [_comment(f"From {file}, a list of {system.title}.")]
    parts += [
        _comment(f"Needs the credential {name}: a file of that name in the credentials' directory.")
        for name in found.credentials
    ]
    for item in found.items:
        parts.append("\n" + _comment(f"From {', '.join(item.paths)}."))
        parts += [_comment(f"Lost: {sentence}.") for sentence in item.lost]
        parts.append(toml_table(item.kind, item.table))
    return "".join(parts)


def _completed(item: Translated, customer: str, names: Names, secrets: Names) -> Translated:
    """The item under a name that is legal and its own, for its customer, without masks."""
    table: Table = dict(item.table)
    lost = item.lost
    if item.kind == "subscription":
        wish = str(table.get("name", ""))
        table["name"] = names.given(wish)
        table, masks = unmasked(table, secrets)
        lost += masks
    if customer:
        table["customer"] = customer
    return Translated(paths=item.paths, table=table, lost=lost, kind=item.kind)


def _faults(item: Translated, credentials: dict[str, None]) -> Iterator[Fault]:
    """What the configuration's rules say of the table alone."""

    def any_secret(_directory: str, name: str) -> str:
        credentials[name] = None
        return "found"

    text = toml_table(item.kind, item.table).encode()
    try:
        parse([Source("", text)], secret=any_secret, environment={})
    except FaultyConfig as faulty:
        table = f"{item.kind}.{item.table['name']}." if "name" in item.table else "forward[1]."
        for fault in faulty.faults:
            key = fault.path.removeprefix(table)
            yield Fault("", f"{item.paths[0]}, as {key}", fault.code, fault.sentence)


def _comment(text: str) -> str:
    lines: Sequence[str] = wrap(escaped(text), _COMMENT_CHARS, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)
