"""Passwords, tokens and headers of action URLs: never answered, and kept on a round trip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.portsip.ivrs import ALL, MASK, ORDERS, SECRET, a_house, asked, faults, made, table_of

SHOWN = SECRET | {
    "headers": f"X-Api-Key: {MASK}\nContent-Type: text/json\nX-Empty: ",
    "password": MASK,
    "token": MASK,
}


async def test_secrets_are_masked() -> None:
    """Passwords, tokens, and the values of headers, which may be secrets."""
    house = a_house()
    path = await made(house, SECRET)
    answer = await asked(house, "GET", path)
    assert answer.json() == {"id": path.rpartition("/")[2], **SHOWN}


async def test_a_list_shows_no_secret_either() -> None:
    """Not even to who has made it."""
    house = a_house()
    await made(house, SECRET)
    answer = (await asked(house, "GET", ALL)).text
    assert not [secret for secret in ("k3y", "s3cret", "t0ken") if secret in answer]


async def test_what_was_read_can_be_posted_again() -> None:
    """Nothing of it changes, for the id and the masks keep what they stand for."""
    house = a_house()
    path = await made(house, SECRET)
    whole = (await asked(house, "GET", path)).json()
    [before] = house.cards("portsip")
    await asked(house, "POST", path, whole)
    [after] = house.cards("portsip")
    assert (after.revision, after.said) == (2, before.said)


async def test_an_edited_action_url_keeps_its_secrets() -> None:
    """They are sent as before, with what was edited."""
    house = a_house()
    path = await made(house, SECRET)
    whole = (await asked(house, "GET", path)).json()
    await asked(house, "POST", path, whole | {"dtmf_mask": "7", "url": "https://b.example/"})
    table = table_of(house)
    assert (table["url"], table["dtmf"], table["auth"], table["headers"]) == (
        "https://b.example/",
        ["7"],
        {"type": "basic", "username": "menu", "password": "s3cret"},
        {"X-Api-Key": "k3y", "X-Empty": ""},
    )


@pytest.mark.parametrize(
    ("change", "auth"),
    [
        ({"auth": "DIGEST"}, {"type": "digest", "username": "menu", "password": "s3cret"}),
        ({"auth": "BEARER"}, {"type": "bearer", "token": "t0ken"}),
        ({"auth": "BEARER", "token": "new"}, {"type": "bearer", "token": "new"}),
        ({"password": "new"}, {"type": "basic", "username": "menu", "password": "new"}),
        ({"username": MASK}, {"type": "basic", "username": "menu", "password": "s3cret"}),
        ({"password": ""}, {"type": "basic", "username": "menu", "password": ""}),
        ({"auth": "DISABLE"}, None),
    ],
)
async def test_auth_can_be_changed_field_by_field(change: dict[str, object], auth: object) -> None:
    """What is left out is what is stored, also what had no use until now."""
    house = a_house()
    path = await made(house, SECRET)
    answer = await asked(house, "POST", path, change)
    assert (answer.status_code, table_of(house).get("auth")) == (200, auth)


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        (f"x-api-key: {MASK}", {"x-api-key": "k3y"}),
        (f"X-More: 1\nX-Api-Key: {MASK}", {"X-More": "1", "X-Api-Key": "k3y"}),
        ("X-Api-Key: new", {"X-Api-Key": "new"}),
        ("", None),
    ],
)
async def test_headers_can_be_edited_around_their_masks(headers: str, kept: object) -> None:
    """A mask stands for the value of the header with that name."""
    house = a_house()
    path = await made(house, SECRET)
    await asked(house, "POST", path, {"headers": headers})
    assert table_of(house).get("headers") == kept


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"auth": "BASIC", "username": "u", "password": MASK}, "password"),
        ({"auth": "BEARER", "token": MASK}, "token"),
        ({"auth": "DIGEST", "username": MASK, "password": "p"}, "username"),
        ({"password": MASK}, "password"),
        ({"headers": f"X-Key: {MASK}"}, "headers"),
    ],
)
async def test_a_mask_of_nothing_is_no_secret(item: dict[str, object], field: str) -> None:
    """Somebody may have copied it from another action URL."""
    [(found, reason)] = faults(await asked(a_house(), "POST", ALL, ORDERS | item))
    assert (found, "nothing is stored there" in reason) == (field, True)


TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20).filter(
    lambda text: text != MASK and not text.startswith("credential:")
)


@given(
    auth=st.sampled_from(["BASIC", "DIGEST", "BEARER", "DISABLE"]),
    secrets=st.fixed_dictionaries({"password": TEXTS, "token": TEXTS}),
    key=TEXTS,
)
async def test_any_secret_survives_a_round_trip(
    auth: str, secrets: dict[str, str], key: str
) -> None:
    """And what it stands for stays the same."""
    house = a_house()
    item = ORDERS | secrets | {"auth": auth, "username": "menu", "headers": f"X-Key: {key}"}
    path = await made(house, item)
    before = table_of(house)
    whole = (await asked(house, "GET", path)).json()
    answer = await asked(house, "POST", path, whole)
    assert (answer.status_code, table_of(house)) == (200, before)
