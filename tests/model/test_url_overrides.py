"""Connection overrides in a URL's fragment are obeyed within their ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.url_overrides import Overrides, parse_overrides


def test_every_override_is_read() -> None:
    """Times are milliseconds in the URL and seconds inside."""
    assert parse_overrides("ct=2000&rt=5000&tt=8000&rc=2&rp=4xx,ct") == Overrides(
        connect_s=2.0,
        first_byte_s=5.0,
        whole_s=8.0,
        retries=2,
        retried=frozenset({"4xx", "ct"}),
    )


def test_an_empty_fragment_overrides_nothing() -> None:
    """A lone # is no fault."""
    assert parse_overrides("") == Overrides()


@pytest.mark.parametrize(
    ("fragment", "sentence"),
    [
        ("ct=99", "ct in the fragment must be a whole number from 100 to 10000 milliseconds"),
        ("ct=10001", "ct in the fragment must be a whole number from 100 to 10000 milliseconds"),
        ("rt=15001", "rt in the fragment must be a whole number from 100 to 15000 milliseconds"),
        ("tt=", "tt in the fragment must be a whole number from 100 to 15000 milliseconds"),
        ("rc=6", "rc in the fragment must be a whole number from 0 to 5"),
        ("rc=-1", "rc in the fragment must be a whole number from 0 to 5"),
        ("rp=6xx", "rp in the fragment must be a list of 4xx, 5xx, ct, rt, all"),
        ("rp=", "rp in the fragment must be a list of 4xx, 5xx, ct, rt, all"),
        ("rc=1&rc=1", "the fragment sets rc twice"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(fragment: str, sentence: str) -> None:
    """The sentence names the key and its range."""
    assert parse_overrides(fragment) == sentence


def test_all_that_is_wrong_is_told_at_once() -> None:
    """In the order of the fragment, each sentence once."""
    assert parse_overrides("zz=1&tt=99999&rc=9&yy=2&rc=1") == (
        "the fragment may hold ct, rt, tt, rc and rp only, as in #ct=2000&rp=ct,rt;"
        " tt in the fragment must be a whole number from 100 to 15000 milliseconds;"
        " rc in the fragment must be a whole number from 0 to 5;"
        " the fragment sets rc twice"
    )


@pytest.mark.parametrize("fragment", ["xx=1", "ct=2000;rt=5000", "/route", "ct=2000&", "CT=200"])
def test_an_unknown_key_is_refused(fragment: str) -> None:
    """Nothing in a fragment is passed over in silence."""
    assert isinstance(parse_overrides(fragment), str)


@given(st.text(alphabet="ctrpx45al=,&0123456789\u0663", max_size=30))
def test_overrides_never_raise(fragment: str) -> None:
    """Any fragment is overrides or a sentence."""
    assert isinstance(parse_overrides(fragment), Overrides | str)
