"""What the tests of dialects share: documents, tables, and the configuration's own verdict."""

import json
from collections.abc import Iterable

from callpost.api.toml import toml_table
from callpost.api.translated import Refused, Translated
from callpost.config import FaultyConfig, Source, parse


def as_json(value: object) -> bytes:
    """A saved answer."""
    return json.dumps(value).encode()


def tables(read: Iterable[Translated | Refused]) -> list[dict[str, object]]:
    """The tables of what was carried over."""
    return [one.table for one in read if isinstance(one, Translated)]


def faults(read: Iterable[Translated | Refused]) -> list[str]:
    """PATH: CODE: sentence of what was not."""
    refused = [one for one in read if isinstance(one, Refused)]
    return [str(fault).removeprefix(": ") for one in refused for fault in one.faults]


def lost(read: Iterable[Translated | Refused]) -> list[str]:
    """The sentences on what was lost."""
    return [sentence for one in read if isinstance(one, Translated) for sentence in one.lost]


def verdict(kind: str, table: dict[str, object]) -> list[str]:
    """What the configuration's rules say of a table; names are not the dialect's affair."""
    named = {**table, "name": "imported"} if kind == "subscription" else table
    text = toml_table(kind, named).encode()
    try:
        parse([Source("", text)], secret=lambda _directory, _name: "found", environment={})
    except FaultyConfig as faulty:
        return [str(fault) for fault in faulty.faults]
    return []
