"""`[[forward]]`: rules that make the calls of one number the calls of others, too."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import convert

from callpost.config.customers import CheckCustomer, customer_check
from callpost.config.documents import Document
from callpost.config.faults import Fault, Lookups, Spot
from callpost.config.rules import Rules, holder_name, list_of, name_text, read_table, whole
from callpost.config.tables import tables_of
from callpost.model.forward import LINK_ID_MAX, TARGETS_MAX, Forward
from callpost.model.mask import without_plus
from callpost.model.tenancy import Tenancy

_NUMBER: Final = name_text(least=1, most=255)
FORWARD: Final[Rules] = {
    "customer": holder_name(most=255),
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
    check = customer_check(tenancy)
    for spot, table in tables_of(documents, "forward", faults, lookups):
        forward = forward_of(table, check, spot)
        if forward is None:
            continue
        mark = mark_of(forward)
        if mark in taken:
            sentence = f"this number has a rule already, in {taken[mark]}"
            spot.key("number").report("duplicate", sentence)
        taken.setdefault(mark, spot.file)
        found.append(forward)
    return tuple(found)


def forward_of(table: Mapping[str, object], check: CheckCustomer, spot: Spot) -> Forward | None:
    """What one table becomes; where faults are reported it is not to be used."""
    values = read_table(table, FORWARD, spot)
    for key in ("number", "to"):
        if key not in table:
            spot.key(key).report("missing", "is required")
    if not {"number", "to"} <= values.keys():
        return None
    forward = convert(values, Forward)
    if "customer" in values or "customer" not in table:
        check(forward.customer, spot.key("customer"))
    return forward


def mark_of(forward: Forward) -> tuple[str, str]:
    """What a rule is known by: there is one for each number of a customer."""
    return forward.customer, without_plus(forward.number)
