"""`[[forward]]`: every key, and what is wrong with rules."""

from collections.abc import Callable

import pytest

from callpost.config import Config
from callpost.config.difference import difference, in_force
from callpost.model.forward import Forward

RULE = '[[forward]]\nnumber = "101"\nto = ["102"]\n'


def test_a_rule_has_all_that_its_table_says(parsed: Callable[..., Config]) -> None:
    """Every key."""
    text = '[[forward]]\ncustomer = "acme"\nnumber = "101"\nto = ["102", "sip:b@x"]\nlink_id = -7\n'
    assert parsed(text).forwards == (
        Forward(customer="acme", number="101", to=("102", "sip:b@x"), link_id=-7),
    )


def test_rules_add_up_over_the_files(parsed: Callable[..., Config]) -> None:
    """In the order of the files."""
    config = parsed(RULE, RULE.replace("101", "201"))
    assert [one.number for one in config.forwards] == ["101", "201"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("forward = 1", "forward: type: expected tables that begin with [[forward]]"),
        ("forward = [1]", "forward[1]: type: expected a table, found a whole number"),
        ("[[forward]]\nto = ['1']", "forward[1].number: missing: is required"),
        ("[[forward]]\nnumber = '1'", "forward[1].to: missing: is required"),
        ("[[forward]]\nnumber = ''\nto = ['1']", "forward[1].number: range: must not be empty"),
        ("[[forward]]\nnumber = 1\nto = ['1']", "forward[1].number: type: expected a text"),
        ("[[forward]]\nnumber = '1'\nto = []", "forward[1].to: range: expected 1 to 100 items"),
        ("[[forward]]\nnumber = '1'\nto = '2'", "forward[1].to: type: expected a list"),
        (f"{RULE}link_id = 9007199254740992", "forward[1].link_id: range: expected a whole number"),
        (f"{RULE}link = 1", 'forward[1].link: unknown_key: there is no such key; did you mean "li'),
        (RULE + RULE, "forward[2].number: duplicate: this number has a rule already"),
        (
            RULE + RULE.replace("101", "+101"),
            "forward[2].number: duplicate: this number has a rule",
        ),
        (
            f"tenancy.customers = 'required'\n{RULE}",
            "forward[1].customer: missing: is required by tenancy.customers",
        ),
        (
            f"{RULE}customer = 'acm'\n[[customer]]\nid = 'acme'\n",
            'forward[1].customer: customer: there is no customer "acm"; did you mean "acme"?',
        ),
    ],
)
def test_a_faulty_rule_is_told_with_its_place(
    faults_of: Callable[..., list[str]], text: str, fault: str
) -> None:
    """Counted from 1, as the other lists of tables are."""
    [found] = faults_of(text)
    assert found.startswith(f"callpost.toml: {fault}")


def test_two_customers_may_have_a_rule_for_one_number(parsed: Callable[..., Config]) -> None:
    """A number means something else to each."""
    text = f"{RULE}customer = 'a'\n{RULE}customer = 'b'\n"
    assert len(parsed(text).forwards) == 2


def test_changed_rules_are_told_of_and_take_effect_at_once(parsed: Callable[..., Config]) -> None:
    """A reload obeys them."""
    before, after = parsed(""), parsed(RULE)
    changes = difference(before, after)
    assert (changes.settings, changes.needs_restart, in_force(before, after).forwards) == (
        ("forward",),
        (),
        after.forwards,
    )
