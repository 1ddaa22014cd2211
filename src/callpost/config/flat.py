"""Subscriptions and forward rules as tables without presets: what each says, in one place.

For those who read a configuration to tell it to others. Nothing is looked up: a secret that is
`credential:NAME` in the file is so here. The texts are good ones, which `parse` has taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from callpost.config.documents import Document, read_documents
from callpost.config.faults import Source
from callpost.config.presets import BUILT_IN

# What [delivery] has for every subscription.
_DELIVERY = ("concurrency", "connect_timeout_s", "first_byte_timeout_s", "timeout_s")
_Table = dict[str, object]


class Flat(Struct, frozen=True):
    """The tables of all files in their order."""

    subscriptions: tuple[_Table, ...]
    forwards: tuple[_Table, ...]


def flat(sources: Sequence[Source]) -> Flat:
    """The tables of these files, presets and `[delivery]` filled in."""
    documents = read_documents(sources, [])
    presets = {name: preset.values for name, preset in BUILT_IN.items()}
    delivery: _Table = {}
    for document in documents:
        presets |= _inner(document, "preset")
        own = _inner(document, "delivery")
        delivery |= {key: own[key] for key in _DELIVERY if key in own}
    subscriptions = (
        {**delivery, **presets.get(str(table.get("preset", "")), {}), **table}
        for table in _tables(documents, "subscription")
    )
    forwards = _tables(documents, "forward")
    return Flat(tuple(map(_plain, subscriptions)), tuple(map(_plain, forwards)))


def _inner(document: Document, key: str) -> dict[str, Any]:
    found = document.table.get(key, {})
    return found if isinstance(found, dict) else {}


def _tables(documents: Sequence[Document], key: str) -> Iterator[Mapping[str, object]]:
    for document in documents:
        found = document.table.get(key, [])
        yield from found if isinstance(found, list) else ()


def _plain(table: Mapping[str, object]) -> _Table:
    """As TOML has it: lists, where a preset that is read already has tuples; and no preset."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in table.items()
        if key != "preset"
    }
