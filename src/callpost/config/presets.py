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
            # It answers 422 to an event that it does not know, and 500 to an answer or hangup
            # of a call that it does not know: neither gets better by repeating.
            "responses": {"422": "reject", "500": "refuse"},
            # So after a lost newCall there is nothing left to say about that call.
            "after_gap": "skip_call",
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
