"""`[tenancy]` and `[[customer]]`: a registry that contradicts itself, a subscription of nobody."""

from collections.abc import Callable

import pytest

from callpost.config import Config
from callpost.model.tenancy import Customer, Tenancy

FaultsOf = Callable[..., list[str]]
Parsed = Callable[..., Config]

REQUIRED = '[tenancy]\ncustomers = "required"\n'
ACME = '[[customer]]\nid = "acme"\nextensions = ["210"]\nivrs = ["7001"]\n'


def of(customer: str) -> str:
    """A subscription that names a customer."""
    return f'[[subscription]]\nname = "crm"\nurl = "http://h/"\ncustomer = "{customer}"\n'


def test_the_registry_is_kept(parsed: Parsed) -> None:
    """Ids with what is theirs, in the order of the files."""
    assert parsed(REQUIRED + ACME).tenancy == Tenancy(
        required=True, customers=(Customer(id="acme", extensions=("210",), ivrs=("7001",)),)
    )


@pytest.mark.parametrize("customer", ["acme", "*"])
def test_a_subscription_of_a_customer_is_good(parsed: Parsed, customer: str) -> None:
    """A registered customer, or on purpose anybody."""
    [crm] = parsed(REQUIRED + ACME + of(customer)).subscriptions
    assert crm.filter.customer == customer


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            REQUIRED + of(""),
            "subscription.crm.customer: missing: is required by tenancy.customers",
        ),
        (
            ACME + of("acne"),
            'subscription.crm.customer: customer: there is no customer "acne"; did you mean',
        ),
        ("[[customer]]\nextensions = []", "customer[1].id: missing: is required"),
        ('[[customer]]\nid = ""', "customer[1].id: range: must not be empty"),
        (
            '[[customer]]\nid = "*"',
            'customer[1].id: reserved: is no customer: "*" stands for anybody\'s calls',
        ),
        (
            ACME + '[[customer]]\nid = "acme"',
            "customer[2].id: duplicate: this customer is already in callpost.toml",
        ),
        (
            ACME + '[[customer]]\nid = "other"\nextensions = ["1", "210"]',
            'customer[2].extensions[2]: duplicate: is already that of customer "acme"',
        ),
        (
            ACME + '[[customer]]\nid = "other"\nivrs = ["7001"]',
            'customer[2].ivrs[1]: duplicate: is already that of customer "acme"',
        ),
        ("[customer]\nid = 'x'", "customer: type: expected tables that begin with [[customer]]"),
        ('[tenancy]\ncustomers = "yes"', "tenancy.customers: choice: expected one of optional"),
    ],
)
def test_each_contradiction_has_its_sentence(faults_of: FaultsOf, text: str, fault: str) -> None:
    """The place, the code, and who has it already."""
    [found] = faults_of(text)
    assert found.startswith(f"callpost.toml: {fault}")


def test_a_customer_of_two_files_is_told_with_the_other_file(faults_of: FaultsOf) -> None:
    """As every other name that is there twice."""
    assert faults_of(ACME, '[[customer]]\nid = "acme"') == [
        "conf.d/1.toml: customer[1].id: duplicate: this customer is already in callpost.toml"
    ]
