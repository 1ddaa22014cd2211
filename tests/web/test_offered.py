"""What a request offers to be let in."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.unseen import unseen
from callpost.web.offered import NothingOffered, Offered, Reason, offered, username_in

SECRETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
# RFC 7617, section 2: a user has no colon and no control character.
USERS = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters=":")).filter(
    lambda user: not unseen(user)
)


def basic(user: str, password: str) -> str:
    """The header's value as clients make it."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


@given(SECRETS, st.sampled_from(["Bearer", "bearer", "BEARER", "Bearer  "]))
def test_a_bearer_token_is_the_secret(secret: str, scheme: str) -> None:
    """Whatever the case of the word before it (RFC 9110, section 11.1)."""
    assert offered([f"{scheme} {secret}"]) == Offered(secret.encode())


@given(USERS, SECRETS)
def test_the_password_of_basic_authentication_is_the_secret(user: str, secret: str) -> None:
    """It may hold colons; who the user is comes along."""
    assert offered([basic(user, secret)]) == Offered(secret.encode(), user)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([], "missing"),
        (["Bearer one", "Bearer one"], "several"),
        ([""], "scheme"),
        (["s3cret-s3cret-s3cret"], "scheme"),
        (['Digest username="u"'], "scheme"),
        (["Bearer"], "malformed"),
        (["Bearer   "], "malformed"),
        (["Basic"], "malformed"),
        (["Basic !!!!"], "malformed"),
        (["Basic dTpw Og=="], "malformed"),
        (["Basic dTp"], "malformed"),
        (["Basic \xe9\xe9\xe9\xe9"], "malformed"),
        ([f"Basic {b64encode(b'no colon').decode()}"], "malformed"),
        ([basic("user", "")], "malformed"),
        ([basic("", "")], "malformed"),
        ([basic("line\nbreak", "password")], "malformed"),
        ([basic("\x1b[2J", "password")], "malformed"),
        ([basic("acme\u3164", "password")], "malformed"),
    ],
)
def test_what_holds_no_secret_is_said_in_a_word(fields: list[str], reason: Reason) -> None:
    """Nothing of it is quoted."""
    assert offered(fields) == NothingOffered(reason)


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=2))
def test_there_is_an_answer_to_anything(fields: list[str]) -> None:
    """A secret with at least one byte, or a reason."""
    found = offered(fields)
    assert isinstance(found, NothingOffered) or found.secret


def test_a_user_may_have_the_joiners_of_a_name() -> None:
    """A customer's name may be Persian."""
    user = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
    assert offered([basic(user, "a-password")]) == Offered(b"a-password", user)


def test_a_user_that_is_no_utf_8_is_still_one() -> None:
    """Only the password decides."""
    sent = b64encode(b"caf\xe9:a-password").decode()
    assert offered([f"Basic {sent}"]) == Offered(b"a-password", "caf\N{REPLACEMENT CHARACTER}")


@given(USERS, SECRETS | st.just(""))
def test_a_user_name_comes_with_any_password_where_none_is_asked_for(
    user: str, password: str
) -> None:
    """Also with an empty one."""
    assert username_in([basic(user, password)]) == user


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["Bearer YWNtZTp4"],
        ["Basic"],
        ["Basic !!!!"],
        [basic("acme", "x"), basic("acme", "x")],
        [basic("line\nbreak", "")],
    ],
)
def test_without_basic_authentication_there_is_no_user_name(fields: list[str]) -> None:
    """Of two it is not known which one is meant."""
    assert username_in(fields) == ""
