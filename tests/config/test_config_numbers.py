"""`[numbers]` and what a subscription says of numbers and of fields that it does not want."""

from collections.abc import Callable

import pytest

from callpost.config import Config

FaultsOf = Callable[..., list[str]]
Parsed = Callable[..., Config]

HEAD = '[[subscription]]\nname = "crm"\nurl = "http://h/"\n'


def test_a_country_is_kept(parsed: Parsed) -> None:
    """It is what national numbers are read as."""
    assert parsed('[numbers]\ncountry = "DK"').country == "DK"


@pytest.mark.parametrize("country", ["dk", "XX", "DNK", "45"])
def test_a_country_that_does_not_exist_is_a_fault(faults_of: FaultsOf, country: str) -> None:
    """The sentence says how a country is written."""
    [fault] = faults_of(f'[numbers]\ncountry = "{country}"')
    sentence = 'expected two capital letters of ISO 3166-1, such as "DK"'
    assert fault == f"callpost.toml: numbers.country: country: {sentence}"


def test_a_subscription_says_what_it_does_not_want(parsed: Parsed) -> None:
    """Names of fields as they stand on the wire, and a form of numbers."""
    [crm] = parsed(f'{HEAD}omit = ["fromName", "data"]\nnumber_format = "national"').subscriptions
    assert (crm.omit, crm.number_format) == (frozenset({"fromName", "data"}), "national")


@pytest.mark.parametrize("field", ["event", "callId", "id"])
def test_what_makes_an_event_cannot_be_omitted(faults_of: FaultsOf, field: str) -> None:
    """Nobody needs to look for another spelling."""
    [fault] = faults_of(f'{HEAD}omit = ["{field}"]')
    assert fault == (
        f"callpost.toml: subscription.crm.omit[1]: choice: {field} is always sent: without it an"
        " event is none"
    )


@pytest.mark.parametrize("field", ["fromname", "seq", "ID"])
def test_what_is_no_field_cannot_be_omitted(faults_of: FaultsOf, field: str) -> None:
    """It is a mistake."""
    [fault] = faults_of(f'{HEAD}omit = ["{field}"]')
    assert fault.startswith("callpost.toml: subscription.crm.omit[1]: choice: expected one of from")
