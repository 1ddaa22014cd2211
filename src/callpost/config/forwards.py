"""`[[forward]]`: rules that make the calls of one number the calls of others, too."""

from collections.abc import Sequence
from typing import Final

from msgspec import convert

from callpost.config.documents import Document
from callpost.config.faults import Fault, Lookups, Spot
from callpost.config.rules import Rules, list_of, quoted, read_table, text, whole
from callpost.config.tables import tables_of
from callpost.model.forward import LINK_ID_MAX, TARGETS_MAX, Forward
from callpost.model.mask import without_plus
from callpost.model.spelling import did_you_mean
from callpost.model.tenancy import Tenancy

_NUMBER: Final = text(least=1, most=255)
FORWARD: Final[Rules] = {
    "customer": text(most=255),
    "number": _NUMBER,
    "to": list_of(_NUMBER, least=1, most=TARGETS_MAX),
    "link_id": whole(-LINK_ID_MAX, LINK_ID_MAX),
}


def read_forwards(
    documents: Sequence[Document], tenancy: Tenancy, faults: list[Fault], lookups: Lookups
) -> tuple[Forward, ...]:
    """The rules of all files in their order; a customer has one for each number."""
    taken: dict[tuple[str, str], str] = {}
    found: list[Forward] = []
    for spot, table in tables_of(documents, "forward", faults, lookups):
        values = read_table(table, FORWARD, spot)
        for key in ("number", "to"):
            if key not in table:
                spot.key(key).report("missing", "is required")
        if not {"number", "to"} <= values.keys():
            continue
        forward = convert(values, Forward)
        _check_customer(forward, tenancy, spot)
        mark = (forward.customer, without_plus(forward.number))
        if mark in taken:
            sentence = f"this number has a rule already, in {taken[mark]}"
            spot.key("number").report("duplicate", sentence)
        taken.setdefault(mark, spot.file)
        found.append(forward)
    return tuple(found)


def _check_customer(forward: Forward, tenancy: Tenancy, spot: Spot) -> None:
    """As for subscriptions: named where that is required, and known where there is a registry."""
    known = [one.id for one in tenancy.customers]
    customer = forward.customer
    if tenancy.required and not customer:
        sentence = 'is required by tenancy.customers; "*" stands for anybody\'s calls'
        spot.key("customer").report("missing", sentence)
    elif known and customer not in {"", "*", *known}:
        sentence = f"there is no customer {quoted(customer)}{did_you_mean(customer, known)}"
        spot.key("customer").report("customer", sentence)
