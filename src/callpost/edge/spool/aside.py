"""Files in the state directory, beside the spool, that hold what passed through it.

Copies of damaged spools are removed whole, for nobody can say what is in them; what an operator
wrote himself is only told of.
"""

from pathlib import Path
from typing import Final

from callpost.edge.spool.files import DATABASE, flush_directory
from callpost.model.party import Party
from callpost.model.purge import Criteria

# Whatever a salvage has put aside, or not finished; the database and its log have no dot.
_COPIES: Final = f"{DATABASE}.*"
_LAST_GOOD: Final = "config.last-good"


def copies(directory: Path) -> list[Path]:
    """The copies of damaged spools, with their logs."""
    return sorted(directory.glob(_COPIES))


def remove_copies(directory: Path) -> list[Path]:
    """Remove them; returns those that could not be."""
    left = []
    for path in copies(directory):
        try:
            path.unlink(missing_ok=True)
        except OSError:
            left.append(path)
    flush_directory(directory)
    return left


def configured(directory: Path, criteria: Criteria, party: Party | None) -> str:
    """Say in a sentence that the configuration names who is meant; "" where it does not."""
    path = directory / _LAST_GOOD
    try:
        kept = path.read_bytes()
    except OSError:
        return ""
    names_customer = criteria.customer and criteria.customer.encode() in kept
    if names_customer or (party is not None and party.is_named_in(kept)):
        return f"{path}: the configuration seems to name who is meant; change its files and reload."
    return ""
