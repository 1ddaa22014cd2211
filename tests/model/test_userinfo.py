"""The secret in a URL's userinfo is masked, and nothing else of the URL changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.userinfo import masked_url

_SECRETS = st.text(st.characters(categories=["L", "N"]), min_size=1)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:sekret@h:1/?key=abc", "http://u:********@h:1/?key=abc"),
        ("https://token@h/", "https://********@h/"),
        ("http://u:@h/", "http://u:@h/"),
        ("http://h/a@b?c=d@e#f@g", "http://h/a@b?c=d@e#f@g"),
        ("tcp://h:1", "tcp://h:1"),
    ],
)
def test_a_secret_in_the_userinfo_is_masked(url: str, shown: str) -> None:
    """A user without a password may be a token; a path and a query are no userinfo."""
    assert masked_url(url) == shown


@given(_SECRETS, _SECRETS)
def test_no_password_is_left(username: str, password: str) -> None:
    """Whatever it is made of."""
    assert masked_url(f"http://{username}:{password}@h/") == f"http://{username}:********@h/"
