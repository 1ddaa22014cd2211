"""PortSIP's action URLs over HTTP: every operation, and who may do what."""

import base64
import re

import pytest

from api.portsip.ivrs import ALL, ORDERS, REGISTRY, a_house, asked, made, no, table_of
from callpost.api.portsip.door import language
from callpost.web.problem import Refusal
from card_house import CardHouse


async def test_a_new_action_url_answers_its_id_alone() -> None:
    """With 201, as PortSIP documents it."""
    answer = await asked(a_house(), "POST", ALL, ORDERS)
    assert (answer.status_code, list(answer.json())) == (201, ["id"])


async def test_an_id_looks_as_portsips_do() -> None:
    """NzAwNTUxOTA5NzczMTQ4MTYw is base64 of a number of 18 digits."""
    path = await made(a_house())
    number = base64.b64decode(path.rpartition("/")[2]).decode()
    assert re.fullmatch("[1-9][0-9]{17}", number)


async def test_an_action_url_is_answered_as_it_was_made() -> None:
    """Field by field, in the order of the documentation, its id first."""
    house = a_house()
    path = await made(house)
    answer = await asked(house, "GET", path)
    told = {"id": path.rpartition("/")[2], **ORDERS}
    assert (answer.status_code, list(answer.json().items())) == (200, list(told.items()))


async def test_a_list_has_all_of_one_receptionist() -> None:
    """The oldest first, and those of another receptionist are not among them."""
    house = a_house()
    paths = [await made(house), await made(house)]
    await made(house, at="/api/ivrs/8001/action_urls")
    answer = await asked(house, "GET", ALL)
    assert list(answer.json()) == ["items"]
    assert [f"{ALL}/{item['id']}" for item in answer.json()["items"]] == paths


async def test_an_update_answers_without_content() -> None:
    """With 200, as PortSIP documents it."""
    house = a_house()
    answer = await asked(house, "POST", await made(house), {"dtmf_mask": "9"})
    assert (answer.status_code, answer.content) == (200, b"")


async def test_what_an_update_leaves_out_stays() -> None:
    """So does what is null, as blank fields are there."""
    house = a_house()
    path = await made(house)
    await asked(house, "POST", path, {"dtmf_mask": "9", "url": None, "headers": None})
    assert (await asked(house, "GET", path)).json() == {
        "id": path.rpartition("/")[2],
        **ORDERS,
        "dtmf_mask": "9",
    }


@pytest.mark.parametrize(("method", "end"), [("POST", "/destroy"), ("DELETE", "")])
async def test_an_action_url_can_be_destroyed(method: str, end: str) -> None:
    """By PortSIP's own path, or as one would expect; the answer has no content."""
    house = a_house()
    path = await made(house)
    answer = await asked(house, method, path + end)
    assert (answer.status_code, answer.content, house.cards("portsip")) == (204, b"", [])


@pytest.mark.parametrize("end", ["", "/"])
async def test_a_slash_at_the_end_changes_nothing(end: str) -> None:
    """Of any path."""
    house = a_house()
    path = await made(house, at=ALL)
    statuses = [
        (await asked(house, method, place + end, ORDERS if method == "POST" else None)).status_code
        for method, place in (
            ("GET", ALL),
            ("POST", ALL),
            ("GET", path),
            ("POST", path),
            ("POST", f"{path}/destroy"),
        )
    ]
    assert statuses == [200, 201, 200, 200, 204]


async def test_fields_that_are_left_out_have_their_documented_defaults() -> None:
    """Time-outs of 2 s, no auth; enabled, DTMF and GET are callpost's choice."""
    house = a_house()
    path = await made(house, {"url": "https://orders.example.com/"})
    answer = (await asked(house, "GET", path)).json()
    assert {key: value for key, value in answer.items() if value} == {
        "id": path.rpartition("/")[2],
        "enabled": True,
        "type": "DTMF",
        "method": "GET",
        "connection_timeout": 2,
        "request_timeout": 2,
        "auth": "DISABLE",
        "url": "https://orders.example.com/",
    }


async def test_an_action_url_is_a_subscription_of_the_receptionists_customer() -> None:
    """To the digits that are pressed there."""
    house = a_house()
    await made(house)
    [subscription] = house.registered.config.subscriptions
    assert (subscription.origin, subscription.filter.customer) == ("portsip", "acme")
    assert table_of(house) == {
        "note": "order status",
        "url": "https://orders.example.com/ivr?menu=main",
        "method": "GET2",
        "extension": ["8000"],
        "extension_type": ["ivr"],
        "caller": ["+45*"],
        "dtmf": ["1000", "2000", "3XXX", "4000"],
        "connect_timeout_s": 2,
        "first_byte_timeout_s": 2,
        "timeout_s": 2,
    }


async def test_a_timeout_of_nothing_is_the_operators_own() -> None:
    """PortSIP allows 0 and does not say what it means."""
    house = a_house()
    await made(house, ORDERS | {"connection_timeout": 0, "request_timeout": "0"})
    assert not {"connect_timeout_s", "timeout_s"} & table_of(house).keys()


@pytest.mark.parametrize("identity", ["x", "NzAwNTUxOTA5NzczMTQ4MTYw", "%00", "é", "x" * 300])
@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("POST", ""), ("POST", "/destroy")])
async def test_an_unknown_action_url_is_not_found(method: str, end: str, identity: str) -> None:
    """Whatever is asked of it."""
    answer = await asked(a_house(), method, f"{ALL}/{identity}{end}")
    assert no(answer) == (404, "NOT_FOUND")


@pytest.mark.parametrize("who", ["manager", "owner", "reseller", "admin", "trusted"])
async def test_who_acts_for_a_customer_may_make_action_urls(who: str) -> None:
    """All but a viewer."""
    answer = await asked(a_house(), "POST", ALL, ORDERS, who=who)
    assert answer.status_code == 201


@pytest.mark.parametrize("end", ["", "/x", "/x/destroy"])
async def test_a_viewer_may_only_look(end: str) -> None:
    """Whether or not there is such an action URL."""
    answer = await asked(a_house(), "POST", f"{ALL}{end}", ORDERS, who="viewer")
    assert no(answer) == (403, "ACCESS_DENIED")


async def test_a_viewer_may_look() -> None:
    """At the list and at each."""
    house = a_house()
    path = await made(house)
    answers = [await asked(house, "GET", one, who="viewer") for one in (ALL, path)]
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_a_stranger_cannot_take_over_a_trusted_place() -> None:
    """Who changes an action URL answers for the whole of it."""
    house = a_house()
    path = await made(house, ORDERS | {"url": "http://10.0.0.9:8080/"}, who="trusted")
    answer = await asked(house, "POST", path, {"dtmf_mask": "1"})
    assert (answer.status_code, house.cards("portsip")[0].trusted) == (400, True)


async def test_a_strangers_change_makes_an_action_url_strict() -> None:
    """Nobody is trusted for what somebody else has made."""
    house = a_house()
    path = await made(house, who="trusted")
    await asked(house, "POST", path, {"dtmf_mask": "1"})
    assert not house.cards("portsip")[0].trusted


async def test_a_changed_action_url_keeps_its_queue() -> None:
    """Name, id and age stay; the change is counted."""
    house = a_house()
    path = await made(house)
    [before] = house.cards("portsip")
    await asked(house, "POST", path, {"name": "another", "url": "https://b.example/"})
    [after] = house.cards("portsip")
    kept = (after.id, after.subscription, after.created_at)
    assert kept == (before.id, before.subscription, before.created_at)
    assert (after.revision, after.modified_at > before.modified_at) == (2, True)


async def test_a_customer_may_not_have_too_many() -> None:
    """As many as the configuration allows."""
    house = a_house(f"[api]\nmax_subscriptions_per_customer = 1\n{REGISTRY}")
    await made(house)
    answer = await asked(house, "POST", ALL, ORDERS)
    assert no(answer) == (409, "LIMIT_REACHED")


@pytest.mark.parametrize("end", ["", "/ID", "/ID/destroy"])
async def test_what_cannot_be_written_down_is_not_said_to_be(end: str) -> None:
    """It may work later."""
    house = a_house()
    identity = (await made(house)).rpartition("/")[2]
    house.closed = "callpost is stopping."
    answer = await asked(house, "POST", f"{ALL}{end}".replace("ID", identity), ORDERS)
    assert no(answer) == (503, "UNAVAILABLE")


@pytest.mark.parametrize("who", ["", "stranger"])
async def test_without_a_token_nobody_comes_in(who: str) -> None:
    """Also where there is no such path."""
    for path in (ALL, "/api/ivrs/8000/nothing"):
        answer = await asked(a_house(), "GET", path, who=who)
        assert (no(answer), "www-authenticate" in answer.headers) == ((401, "UNAUTHORIZED"), True)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", f"{ALL}/x", "DELETE, GET, HEAD, POST"),
        ("DELETE", ALL, "GET, HEAD, POST"),
        ("GET", f"{ALL}/x/destroy", "POST"),
    ],
)
async def test_another_method_of_http_is_not_allowed(method: str, path: str, allowed: str) -> None:
    """And which ones are is told."""
    answer = await asked(a_house(), method, path)
    assert (no(answer), answer.headers["allow"]) == ((405, "METHOD_NOT_ALLOWED"), allowed)


@pytest.mark.parametrize("path", ["/api/ivrs/", "/api/ivrs/8000", "/api/ivrs//action_urls"])
async def test_another_path_is_not_found(path: str) -> None:
    """In PortSIP's words."""
    assert no(await asked(a_house(), "GET", path)) == (404, "NOT_FOUND")


def test_a_fault_without_a_code_of_its_own_is_unknown() -> None:
    """As PortSIP's documentation has it."""
    answer = language(CardHouse()).refused(Refusal(418, "It is a teapot."))
    assert b'"code":"UNKNOWN"' in bytes(answer.body)


async def test_what_others_have_made_is_not_listed() -> None:
    """Neither what stands in a file, nor what another API has made."""
    house = a_house(f'{REGISTRY}[[subscription]]\nname = "crm"\nurl = "http://a.b/"\n')
    answer = await asked(house, "GET", ALL)
    assert answer.json() == {"items": []}
