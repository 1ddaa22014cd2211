"""Whose things a request is about where no path says so: the user name, the token, or nobody."""

import pytest
from starlette.requests import Request

from callpost.api.whose import customer_of, is_customer
from callpost.model.caller import OPERATOR, Caller
from callpost.model.tenancy import Customer, Tenancy
from callpost.web.caller import introduce
from callpost.web.problem import Refusal

ONE = Caller(name="one", role="manager", customers=("acme",))
TWO = Caller(name="two", role="reseller", customers=("acme", "bravo"))
ADMIN = Caller(name="admin", role="admin")
OPEN = Tenancy()
REGISTRY = Tenancy(customers=(Customer(id="acme"), Customer(id="bravo")))
REQUIRED = Tenancy(required=True)


def asking(caller: Caller, username: str) -> Request:
    """A request of this caller's."""
    request = Request({"type": "http", "headers": []})
    introduce(request, caller, username)
    return request


@pytest.mark.parametrize(
    ("caller", "username", "tenancy", "customer"),
    [
        (ONE, "", OPEN, "acme"),
        (ONE, "acme", OPEN, "acme"),
        (ONE, "bravo", OPEN, "acme"),
        (ONE, "a-project", REQUIRED, "acme"),
        (TWO, "bravo", OPEN, "bravo"),
        (ADMIN, "", OPEN, ""),
        (ADMIN, "anybody", OPEN, "anybody"),
        (ADMIN, "bravo", REGISTRY, "bravo"),
        (ADMIN, "a-project", REGISTRY, ""),
        (ADMIN, "*", OPEN, ""),
        (ADMIN, "acme", REQUIRED, "acme"),
        (OPERATOR, "", OPEN, ""),
    ],
)
def test_the_customer_is_the_one_that_can_only_be_meant(
    caller: Caller, username: str, tenancy: Tenancy, customer: str
) -> None:
    """The user name where it is a customer of the caller's, else the token's only one."""
    assert customer_of(asking(caller, username), tenancy) == customer


@pytest.mark.parametrize(
    ("caller", "username", "tenancy"),
    [
        (TWO, "", OPEN),
        (TWO, "charlie", OPEN),
        (ADMIN, "", REQUIRED),
        (ADMIN, "*", REQUIRED),
        (OPERATOR, "", REQUIRED),
    ],
)
def test_what_is_still_open_is_refused(caller: Caller, username: str, tenancy: Tenancy) -> None:
    """And how to say it is told."""
    with pytest.raises(Refusal, match="user name of Basic") as refused:
        customer_of(asking(caller, username), tenancy)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("caller", "beginning"),
    [
        (ADMIN, "This token does not say which customer is meant; send the customer as the user"),
        (OPERATOR, "The request does not say which customer is meant; send the customer as the"),
    ],
)
def test_an_operator_is_told_nothing_of_a_token(caller: Caller, beginning: str) -> None:
    """None is asked for on the control socket."""
    with pytest.raises(Refusal) as refused:
        customer_of(asking(caller, ""), REQUIRED)
    assert str(refused.value.detail).startswith(beginning)


@pytest.mark.parametrize(
    ("name", "tenancy", "is_one"),
    [
        ("acme", REGISTRY, True),
        ("charlie", REGISTRY, False),
        ("charlie", OPEN, True),
        ("Søn & Co", OPEN, True),
        ("", OPEN, False),
        ("*", OPEN, False),
        ("a\nb", OPEN, False),
        ("a\u200bb", OPEN, False),
        ("acme\u3164", OPEN, False),
        (" acme", OPEN, False),
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", OPEN, True),
        ("x" * 255, OPEN, True),
        ("x" * 256, OPEN, False),
    ],
)
def test_a_customer_is_of_the_registry_or_could_be(
    name: str, tenancy: Tenancy, *, is_one: bool
) -> None:
    """Everybody is nobody."""
    assert is_customer(name, tenancy) == is_one
