"""Customers on the command line: one who is not in the registry may be misspelt.

Without `[[customer]]` tables there is no registry, and whoever is named may be there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from callpost.cli.door import texts_in
from callpost.model.spelling import did_you_mean

# Of a subscription to anybody's calls.
_ANYBODY: Final = "*"


def configured_customers(config: Path) -> list[str]:
    """Those in the files of a configuration, also where something else in them is faulty."""
    return texts_in(config, "customer", "id")


def unknown_customer(customer: str, known: Sequence[str]) -> str:
    """One sentence on a customer who is none of those known, "" where all is well."""
    if not known or customer in {"", _ANYBODY, *known}:
        return ""
    return f"There is no [[customer]] {customer!r}{did_you_mean(customer, known) or '.'}"
