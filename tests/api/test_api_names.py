"""Names from other systems: legal, alike, and each only once."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.api.names import Names, legal


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("crm", "crm"),
        ("Front Desk", "front-desk"),
        ("voipnow-0003*210", "voipnow-0003-210"),
        ("Empfang Süd (Tür)", "empfang-sud-tur"),
        ("--x--", "x"),
        ("a.b_c-d", "a.b_c-d"),
        ("日本", "imported"),
        ("", "imported"),
        ("x" * 80, "x" * 64),
    ],
)
def test_a_name_is_as_like_its_wish_as_may_be(wish: str, name: str) -> None:
    """Lower case, without accents, the rest a hyphen."""
    assert legal(wish) == name


def test_a_name_that_is_taken_gets_a_number() -> None:
    """Counted from two."""
    names = Names(["crm"])
    assert [names.given("crm"), names.given("CRM"), names.given("crm-2")] == [
        "crm-2",
        "crm-3",
        "crm-2-2",
    ]


@given(st.lists(st.text(max_size=80) | st.just("x" * 70), max_size=30))
def test_every_name_is_legal_and_its_own(wishes: list[str]) -> None:
    """Whatever others call theirs."""
    names = Names()
    given_out = [names.given(wish) for wish in wishes]
    is_legal = all(re.fullmatch("[a-z0-9_.-]{1,64}", name) for name in given_out)
    assert (is_legal, len(set(given_out))) == (True, len(wishes))


@pytest.mark.parametrize("dialect", ["api", "telecomx", "voipnow", "portsip", "signalwire"])
def test_a_name_that_is_for_the_api_is_made_another(dialect: str) -> None:
    """A file may not have it."""
    assert legal(f"{dialect}.crm.x") == f"{dialect}-crm.x"
