"""Who calls the API, and whose things that caller may see and change."""

from typing import Final, Literal

from msgspec import Struct

Role = Literal["viewer", "manager", "owner", "reseller", "admin"]


class Caller(Struct, frozen=True, kw_only=True):
    """`customers` are those that the caller acts for; an admin acts for all.

    `trusted`: what this caller makes may deliver into networks that are closed to strangers.
    """

    name: str
    role: Role
    customers: tuple[str, ...] = ()
    trusted: bool = False

    def acts_for(self, customer: str) -> bool:
        """Whether things of this customer are there for the caller; "" is what nobody owns."""
        return self.role == "admin" or customer in self.customers

    @property
    def may_change(self) -> bool:
        """Whether the caller may do more than look."""
        return self.role != "viewer"

    @property
    def only_customer(self) -> str | None:
        """The customer of all that this caller makes, where there is one only."""
        return self.customers[0] if len(self.customers) == 1 else None


# Who may open the operator's socket may do everything.
OPERATOR: Final = Caller(name="operator", role="admin", trusted=True)
