"""What a caller may see of deliveries: asked of the records for its own alone."""

import pytest

from api.own.own_api import a_house, faults, made, the_api
from callpost.model.replay import Sight

ASKED = [
    ("GET", "/v1/deliveries", None),
    ("GET", "/v1/deliveries?customer=bravo&subscription=crm", None),
    ("GET", "/v1/dead-letters", None),
    ("GET", "/v1/dead-letters?subscription=operators", None),
    ("GET", "/v1/calls/c1", None),
    ("GET", "/v1/events/e1", None),
    ("GET", "/v1/events/e1?customer=bravo", None),
    ("POST", "/v1/replay", {"customer": "bravo"}),
]


@pytest.mark.parametrize(("method", "path", "body"), ASKED)
async def test_a_token_sees_its_customers_and_its_subscriptions(
    method: str, path: str, body: dict[str, object] | None
) -> None:
    """Never the operator's, never another customer's, whatever is asked for."""
    house = a_house()
    async with the_api(house) as client:
        name = (await made(client))["name"]
        await client.request(method, path, json=body)
    sights = [*house.sights, *(selection.among for selection, *_ in house.selections)]
    assert sights == [
        Sight(
            subscriptions=frozenset({"crm", "crm!report", name, f"{name}!report"}),
            customers=frozenset({"acme"}),
        )
    ]


@pytest.mark.parametrize(("method", "path", "body"), ASKED)
async def test_an_admin_sees_everything(
    method: str, path: str, body: dict[str, object] | None
) -> None:
    """As the operator does."""
    house = a_house()
    async with the_api(house, "admin") as client:
        await client.request(method, path, json=body)
    assert [*house.sights, *(selection.among for selection, *_ in house.selections)] == [None]


@pytest.mark.parametrize("name", ["bravo-crm", "operators", "nobodys", "operators!report"])
async def test_a_replay_to_somebody_elses_is_one_to_nobody(name: str) -> None:
    """The same words for both, and nothing is asked of the house."""
    house = a_house()
    async with the_api(house) as client:
        answer = await client.post("/v1/replay", json={"subscription": name})
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"There is no subscription named {name!r}."
    assert house.selections == []


@pytest.mark.parametrize("name", ["bravo-crm", "operators", "nobodys", "operators!report"])
async def test_the_deliveries_of_somebody_elses_are_nobodys(name: str) -> None:
    """No hint leads to a name that the caller cannot see."""
    async with the_api(a_house()) as client:
        answer = await client.get(f"/v1/deliveries?subscription={name}")
    assert answer.json()["detail"] == f"There is no subscription named {name!r}."


async def test_a_cursor_of_another_listing_is_none_here() -> None:
    """A forward's page leads to no subscription."""
    async with the_api(a_house(), "reseller") as client:
        page = (await client.get("/v1/forwards?limit=1")).json()
        answer = await client.get(f"/v1/subscriptions?cursor={page['next']}")
    assert faults(answer) == ["cursor: no listing has given out this cursor"]


async def test_the_deliveries_of_a_misspelt_name_are_not_an_empty_page() -> None:
    """Who has misspelt it would take that for good news."""
    async with the_api(a_house()) as client:
        answer = await client.get("/v1/deliveries?subscription=crmm")
    told = "There is no subscription named 'crmm'; did you mean \"crm\"?"
    assert (answer.status_code, answer.json()["detail"]) == (404, told)
