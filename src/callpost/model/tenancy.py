"""Whose calls they are: the customers, and whether every event and subscription names one."""

from msgspec import Struct


class Customer(Struct, frozen=True, kw_only=True):
    """One customer, and the extensions and menus (`ivrs`) that are this customer's alone."""

    id: str
    extensions: tuple[str, ...] = ()
    ivrs: tuple[str, ...] = ()


class Tenancy(Struct, frozen=True, kw_only=True):
    """`required`: every event and every subscription names a customer.

    With a registry of `customers` those are all that there are.
    """

    required: bool = False
    customers: tuple[Customer, ...] = ()


class Registry:
    """Looks up the customers that events name."""

    def __init__(self, tenancy: Tenancy) -> None:
        self._required = tenancy.required
        self._known = frozenset(one.id for one in tenancy.customers)

    def fault(self, customer: str | None) -> str | None:
        """What is wrong with an event's `customer`, in one sentence; None where nothing is.

        Where a customer need not be named, one that nobody has registered is no fault.
        """
        if not self._required:
            return None
        if customer is None:
            return "The customer is required here."
        if self._known and customer not in self._known:
            return "There is no such customer here."
        return None
