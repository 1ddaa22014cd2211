"""What is compared letter by letter has none that cannot be seen, whatever table it stands in."""

from collections.abc import Callable

import pytest

from callpost.config import Config
from callpost.config.made import made
from callpost.model.drawn import Drawn

FaultsOf = Callable[..., list[str]]
Parsed = Callable[..., Config]

UNSEEN = r"character 3 (\u200b) cannot be seen"
CRM = '[[subscription]]\nname = "crm"\nurl = "https://h/"\n'
TOKEN = '[[api.token]]\ntoken = "sixteen-visible!"\nrole = "viewer"\n'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[[customer]]\nid = {}", "customer[1].id"),
        ("[[customer]]\nid = 'a'\nextensions = ['1', {}]", "customer[1].extensions[2]"),
        ("[[customer]]\nid = 'a'\nivrs = [{}]", "customer[1].ivrs[1]"),
        ("[[forward]]\nto = ['1']\nnumber = {}", "forward[1].number"),
        ("[[forward]]\nnumber = '1'\nto = ['2', {}]", "forward[1].to[2]"),
        ("[[forward]]\nnumber = '1'\nto = ['2']\ncustomer = {}", "forward[1].customer"),
        (CRM + "customer = {}", "subscription.crm.customer"),
        (CRM + "caller = [{}]", "subscription.crm.caller[1]"),
        (CRM + "called = [{}]", "subscription.crm.called[1]"),
        (CRM + "extension = [{}]", "subscription.crm.extension[1]"),
        (CRM + "dtmf = [{}]", "subscription.crm.dtmf[1]"),
        (TOKEN + "customers = ['a']\nname = {}", "api.token[1].name"),
        (TOKEN + "name = 'x'\ncustomers = ['a', {}]", "api.token[1].customers[2]"),
    ],
)
def test_a_letter_that_cannot_be_seen_is_told(faults_of: FaultsOf, text: str, place: str) -> None:
    """A zero-width space makes another name of what looks the same."""
    faults = faults_of(text.replace("{}", r'"ac\u200bme"'))
    assert f"callpost.toml: {place}: type: {UNSEEN}" in faults


@pytest.mark.parametrize(
    "text", [CRM, "[[forward]]\nnumber = '1'\nto = ['2']\n"], ids=["subscription", "forward"]
)
def test_a_customer_with_such_a_letter_is_not_missing_as_well(
    faults_of: FaultsOf, text: str
) -> None:
    """One mistake, one sentence."""
    required = '[tenancy]\ncustomers = "required"\n'
    [fault] = faults_of(f'{required}{text}customer = "ac\u200bme"')
    assert fault.endswith(UNSEEN)


@pytest.mark.parametrize(
    ("char", "told"),
    [
        ("\u00a0", r"\xa0"),
        ("\ufeff", r"\ufeff"),
        ("\u00ad", r"\xad"),
        ("\u2028", r"\u2028"),
        ("\u3164", r"\u3164"),
        ("\u2066", r"\u2066"),
        ("\u200d", r"\u200d"),
        ("\ufe0f", r"\ufe0f"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_it_is_told_by_its_number(faults_of: FaultsOf, char: str, told: str) -> None:
    """And by its place, counted from 1."""
    assert faults_of(f'[[customer]]\nid = "acme{char}1"') == [
        f"callpost.toml: customer[1].id: type: character 5 ({told}) cannot be seen"
    ]


def test_nothing_else_of_the_name_is_told(faults_of: FaultsOf) -> None:
    """The log has every fault, and shows no number that it may not."""
    numbers = '"+4526110203\\u00a0"'
    text = f"{CRM}caller = [{numbers}]\n[[forward]]\nnumber = {numbers}\nto = [{numbers}]"
    assert not [fault for fault in faults_of(text) if "203" in fault]


@pytest.mark.parametrize(
    "name",
    [
        "acme south",
        "Søren",
        "Mu\u0308ller",
        "漢字",
        "🙂",
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\u7530\u4e2d\u3000\u592a\u90ce",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
        "\U000323b0",
    ],
)
def test_letters_of_all_people_and_the_space_are_good(parsed: Parsed, name: str) -> None:
    """Whoever looks sees them."""
    [customer] = parsed(f'[[customer]]\nid = "{name}"').tenancy.customers
    assert customer.id == name


@pytest.mark.parametrize("name", ["acme ", " acme", " ", "acme\u3000"])
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[[customer]]\nid = {}", "customer[1].id"),
        ("[[forward]]\nnumber = '1'\nto = ['2']\ncustomer = {}", "forward[1].customer"),
        (CRM + "customer = {}", "subscription.crm.customer"),
        (TOKEN + "customers = ['a']\nname = {}", "api.token[1].name"),
        (TOKEN + "name = 'x'\ncustomers = ['a', {}]", "api.token[1].customers[2]"),
    ],
)
def test_a_customer_and_a_token_have_no_space_at_an_end(
    faults_of: FaultsOf, name: str, text: str, place: str
) -> None:
    """Nobody sees that either."""
    told = f"callpost.toml: {place}: type: must neither begin nor end with a space"
    assert told in faults_of(text.replace("{}", f'"{name}"'))


def test_what_people_read_may_have_such_letters(parsed: Parsed) -> None:
    """A note is compared with nothing."""
    assert parsed(f'{CRM}note = "ac\u200bme"').subscriptions


def test_a_subscription_made_over_the_api_is_held_to_it(parsed: Parsed) -> None:
    """By the same rule."""
    drawn = Drawn(
        kind="subscription",
        name="api.crm.3f9a0c51",
        origin="api",
        customer="acme",
        trusted=False,
        table={"url": "https://crm.example.com/", "caller": ["+45\u00a01*"]},
        cards=("1",),
    )
    [(_, faults)] = made([drawn], parsed("")).faults
    assert [f"{one.path}: {one.code}: {one.sentence}" for one in faults] == [
        r"caller[1]: type: character 4 (\xa0) cannot be seen"
    ]
