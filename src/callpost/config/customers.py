"""`[tenancy]` and `[[customer]]`: who the customers are, and who must name one.

The registry adds up over the files; an id, an extension and a menu belong to one customer.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct, convert

from callpost.config.documents import Document
from callpost.config.faults import Fault, Lookups, Spot
from callpost.config.rules import (
    Rules,
    holder_name,
    list_of,
    name_text,
    quoted,
    read_table,
)
from callpost.config.subscriptions import Placed
from callpost.config.tables import tables_of
from callpost.model.spelling import did_you_mean
from callpost.model.tenancy import Customer, Tenancy

_NAMES: Final = list_of(name_text(least=1, most=255), most=100_000)
_HOLDER: Final = holder_name(least=1, most=255)


def _id(value: object, spot: Spot) -> object:
    if value == "*":
        return spot.report("reserved", 'is no customer: "*" stands for anybody\'s calls')
    return _HOLDER(value, spot)


CUSTOMER: Final[Rules] = {"id": _id, "extensions": _NAMES, "ivrs": _NAMES}
_ANYBODY: Final = frozenset({"", "*"})
CheckCustomer = Callable[[str, Spot], None]


class _Owner(Struct, frozen=True):
    """Who has something, and the file that says so."""

    id: str
    file: str


def read_tenancy(
    documents: Sequence[Document], customers: str, faults: list[Fault], lookups: Lookups
) -> Tenancy:
    """The registry of all files; `customers` is what `[tenancy]` says of them."""
    found: list[Customer] = []
    taken: dict[tuple[str, str], _Owner] = {}
    for spot, table in tables_of(documents, "customer", faults, lookups):
        values = read_table(table, CUSTOMER, spot)
        if "id" not in table:
            spot.key("id").report("missing", "is required")
        if "id" not in values:
            continue
        customer = convert(values, Customer)
        _compare(customer, taken, spot)
        found.append(customer)
    return Tenancy(required=customers == "required", customers=tuple(found))


def customer_check(tenancy: Tenancy) -> CheckCustomer:
    """Reports, at the spot of the key, a customer that is missing or that nobody is."""
    known = [one.id for one in tenancy.customers]
    ids = frozenset(known) | _ANYBODY

    def check(customer: str, spot: Spot) -> None:
        if tenancy.required and not customer:
            sentence = 'is required by tenancy.customers; "*" stands for anybody\'s calls'
            spot.report("missing", sentence)
        elif known and customer not in ids:
            sentence = f"there is no customer {quoted(customer)}{did_you_mean(customer, known)}"
            spot.report("customer", sentence)

    return check


def check_customers(
    placed: Sequence[Placed], tenancy: Tenancy, faults: list[Fault], lookups: Lookups
) -> None:
    """Report subscriptions whose customer is missing or is none, if nothing is told of it yet."""
    check = customer_check(tenancy)
    told = {(fault.file, fault.path) for fault in faults}
    for one in placed:
        path = f"subscription.{one.subscription.name}.customer"
        if (one.file, path) in told:
            continue
        spot = Spot(file=one.file, path=path, faults=faults, lookups=lookups)
        check(one.subscription.filter.customer, spot)


def _compare(customer: Customer, taken: dict[tuple[str, str], _Owner], spot: Spot) -> None:
    """Report what another customer, or the same one, has already."""
    marks: list[tuple[str, str, int]] = [("id", customer.id, 0)]
    marks += [("extensions", word, item) for item, word in enumerate(customer.extensions, start=1)]
    marks += [("ivrs", word, item) for item, word in enumerate(customer.ivrs, start=1)]
    for key, word, item in marks:
        if (owner := taken.get((key, word))) is not None:
            place = spot.key(key).item(item) if item else spot.key(key)
            # Without the word: an extension may be a number, and faults are logged.
            sentence = f"is already that of customer {quoted(owner.id)}"
            if key == "id":
                sentence = f"this customer is already in {owner.file}"
            place.report("duplicate", sentence)
        taken.setdefault((key, word), _Owner(customer.id, spot.file))
