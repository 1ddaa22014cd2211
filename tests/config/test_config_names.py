"""What is compared letter by letter has none that cannot be seen, whatever table it stands in."""

from collections.abc import Callable

import pytest

from callpost.config import Config
from callpost.config.made import made
from callpost.model.drawn import Drawn

FaultsOf = Callable[..., list[str]]
Parsed = Callable[..., Config]

UNSEEN = "has a character that cannot be seen"
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
def test_a_letter_that_cannot_be_seen_is_shown(faults_of: FaultsOf, text: str, place: str) -> None:
    """A zero-width space makes another name of what looks the same."""
    faults = faults_of(text.replace("{}", r'"ac\u200bme"'))
    assert rf'callpost.toml: {place}: type: "ac\u200bme" {UNSEEN}' in faults


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


@pytest.mark.parametrize("char", ["\u00a0", "\ufeff", "\u00ad", "\u2028", "\u3000", "\u0378"])
def test_each_letter_without_ink_is_one(faults_of: FaultsOf, char: str) -> None:
    """Spaces but the ordinary one, marks of order, and what no letter has been given to yet."""
    shown = rf'"\x{ord(char):02x}me"' if char < "\u0100" else rf'"\u{ord(char):04x}me"'
    assert faults_of(f'[[customer]]\nid = "{char}me"') == [
        f"callpost.toml: customer[1].id: type: {shown} {UNSEEN}"
    ]


def test_it_is_shown_however_far_behind_it_stands(faults_of: FaultsOf) -> None:
    """The whole name is quoted."""
    [fault] = faults_of(f'[[customer]]\nid = "{"x" * 254}\u200b"')
    assert r'x\u200b" has' in fault


@pytest.mark.parametrize("name", ["acme south", "Søren", "漢字", "🙂"])
def test_letters_of_all_people_and_the_space_are_good(parsed: Parsed, name: str) -> None:
    """Whoever looks sees them."""
    [customer] = parsed(f'[[customer]]\nid = "{name}"').tenancy.customers
    assert customer.id == name


@pytest.mark.parametrize("name", ["acme ", " acme", " "])
def test_a_customer_neither_begins_nor_ends_with_a_space(faults_of: FaultsOf, name: str) -> None:
    """Nobody sees that either."""
    assert faults_of(f'[[customer]]\nid = "{name}"') == [
        f'callpost.toml: customer[1].id: type: "{name}" begins or ends with a space'
    ]


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
        rf'caller[1]: type: "+45\xa01*" {UNSEEN}'
    ]
