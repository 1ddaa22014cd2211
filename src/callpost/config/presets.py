"""Presets: keys that several subscriptions share, built in or written as `[preset.NAME]`.

A subscription's own keys win over its preset's. What a built-in preset sets and the
subscription's transport cannot use is left out; an operator's own preset is held to its word.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from callpost.config.documents import Document
from callpost.config.faults import Fault, Lookups, Spot
from callpost.config.rules import Rules, read_table, wrong_type


class Preset(Struct, frozen=True):
    """`values` are read already."""

    values: Mapping[str, object]
    built_in: bool = False


# What the receivers of these systems take, from their own documentation.
BUILT_IN: Final[Mapping[str, Preset]] = {
    "zammad": Preset(
        {
            "vocabulary": "zammad",
            "events": ("newCall", "answer", "hangup"),
            "method": "POSTJSON",
            # 422 is its word for an event that it will never take; 500 that for a newCall which
            # it has already, or another event of a call which it does not know. Repeating
            # helps neither, but a 500 may also be any trouble of its own. What follows is sent
            # all the same: a newCall whose answer was lost is repeated and refused, but the
            # call is known there, and without its hangup it would ring for ever.
            "responses": {"422": "reject", "500": "refuse"},
        },
        built_in=True,
    ),
    "sipgate": Preset({"vocabulary": "sipgate", "method": "POSTARGS"}, built_in=True),
    "voipnow": Preset({"vocabulary": "voipnow", "method": "POSTARGS", "level": 1}, built_in=True),
}


def read_presets(
    documents: Sequence[Document], rules: Rules, faults: list[Fault], lookups: Lookups
) -> dict[str, Preset]:
    """The presets of all files beside the built-in ones, which they replace by name."""
    presets: dict[str, Preset] = {}
    files: dict[str, str] = {}
    for document in documents:
        spot = Spot(file=document.file, path="preset", faults=faults, lookups=lookups)
        tables = document.table.get("preset", {})
        if not isinstance(tables, dict):
            wrong_type("tables such as [preset.popup]", tables, spot)
            continue
        for name, table in tables.items():
            at = spot.key(name)
            if name in files:
                at.report("duplicate", f"this preset is already in {files[name]}")
            elif isinstance(table, dict):
                files[name] = document.file
                presets[name] = Preset(read_table(table, rules, at))
            else:
                wrong_type("a table", table, at)
    return {**BUILT_IN, **presets}
