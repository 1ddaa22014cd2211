"""Customers on the command line: one who is not in the registry may be misspelt.

Without `[[customer]]` tables there is no registry, and whoever is named may be there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from callpost.cli.door import documents_of
from callpost.model.spelling import did_you_mean

# Of a subscription to anybody's calls.
_ANYBODY: Final = "*"


def configured_customers(config: Path) -> list[str]:
    """Those in the files of a configuration, also where something else in them is faulty."""
    customers = []
    for document in documents_of(config, []):
        tables = document.table.get("customer")
        for one in tables if isinstance(tables, list) else ():
            identity = one.get("id") if isinstance(one, dict) else None
            if isinstance(identity, str):
                customers.append(identity)
    return customers


def unknown_customer(customer: str, known: Sequence[str]) -> str:
    """One sentence on a customer who is none of those known, "" where all is well."""
    if not known or customer in {"", _ANYBODY, *known}:
        return ""
    return f"There is no [[customer]] {customer!r}{did_you_mean(customer, known) or '.'}"
