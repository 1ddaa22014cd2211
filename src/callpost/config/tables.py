"""Arrays of tables (`[[subscription]]` and its kin), collected from all files."""

from collections.abc import Iterator, Mapping, Sequence

from callpost.config.documents import Document
from callpost.config.faults import Fault, Lookups, Spot
from callpost.config.rules import wrong_type


def tables_of(
    documents: Sequence[Document], key: str, faults: list[Fault], lookups: Lookups
) -> Iterator[tuple[Spot, Mapping[str, object]]]:
    """Each table under `key` with its spot, in the order of the files; what is none is reported.

    A key with dots lies in other tables, whose own faults are told elsewhere.
    """
    for document in documents:
        tables = _under(document.table, key.split("."))
        spot = Spot(file=document.file, path=key, faults=faults, lookups=lookups)
        if not isinstance(tables, list):
            wrong_type(f"tables that begin with [[{key}]]", tables, spot)
            continue
        for number, table in enumerate(tables, start=1):
            if isinstance(table, dict):
                yield spot.item(number), table
            else:
                wrong_type("a table", table, spot.item(number))


def _under(table: Mapping[str, object], steps: Sequence[str]) -> object:
    found: object = table
    for step in steps:
        found = found.get(step, []) if isinstance(found, dict) else []
    return found
