"""SignalWire's handlers on a real daemon: what a client makes there is what its servers get."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from api.signalwire.fabric import ALL
from api_house import ApiHouse, Got, Receiver, a_web_receiver, an_api_house, an_event

INBOUND = {"from": "+4526110203", "to": "+4570305050", "direction": "in"}
CALL = ("newCall", "ringing", "answer", "hangup")
NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """One for all; what is below /down is not well."""
    with a_web_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[ApiHouse]:
    """One for all; a handler of acme's stands in its file."""
    text = (
        f'[[subscription]]\nname = "file"\ncustomer = "acme"\nurl = "{receiver.url("/file")}"\n'
        'vocabulary = "swml"\ncalled = ["999"]\n'
    )
    with an_api_house(tmp_path_factory.mktemp("api"), text) as house:
        yield house


@pytest.fixture
def client(house: ApiHouse) -> Iterator[httpx.Client]:
    """Acme's manager with a project id and a token, who may send to loopback."""
    with house.client("manager", username="acme") as client:
        yield client


@contextmanager
def a_handler(client: httpx.Client, url: str, **more: str) -> Iterator[str]:
    """The path of a new handler, which is gone again at the end."""
    made = client.post(ALL, json={"name": "Front desk", "primary_request_url": url} | more)
    assert made.status_code == 201, made.text
    path = f"{ALL}/{made.json()['id']}"
    yield path
    client.delete(path)


def a_call(name: str) -> list[dict[str, object]]:
    """From the first ring to the end."""
    events = [an_event(name, kind, **INBOUND) for kind in CALL]
    events[-1]["cause"] = "normalClearing"
    return events


def states(got: list[Got]) -> list[object]:
    """What the callback was told, one after the other."""
    told = [one.json()["params"] for one in got]
    return [one["call_state"] for one in told if isinstance(one, dict)]


def matched(house: ApiHouse, *events: dict[str, object]) -> list[object]:
    """How many subscriptions wanted each event."""
    return [reply["matched"] for reply in house.feed(*events)]


def test_a_new_call_is_fetched_for_at_the_primary(
    house: ApiHouse, client: httpx.Client, receiver: Receiver
) -> None:
    """With the body of SignalWire's fetch, and nothing else of the call."""
    with a_handler(client, receiver.url("/fetch")):
        assert matched(house, *a_call("fetch")) == [1, 0, 0, 0]
        [got] = receiver.at("/fetch", 1)
    assert (got.method, got.content_type) == ("POST", "application/json")
    assert got.json() == {
        "call": {
            "call_id": "fetch",
            "node_id": "",
            "call_state": "created",
            "direction": "inbound",
            "type": "phone",
            "from": "+4526110203",
            "to": "+4570305050",
            "headers": [],
            "project_id": "acme",
            "space_id": "",
        },
        "vars": {},
        "envs": {},
        "params": {},
    }


def test_the_callback_gets_the_later_states_in_order(
    house: ApiHouse, client: httpx.Client, receiver: Receiver
) -> None:
    """And the primary gets none of them."""
    callback = receiver.url("/states")
    with a_handler(client, receiver.url("/primary"), status_callback_url=callback):
        house.feed(*a_call("states"))
        got = receiver.at("/states", 3)
    assert states(got) == ["ringing", "answered", "ended"]
    assert len(receiver.at("/primary", 1)) == 1


def test_the_fallback_gets_the_same_payload(
    house: ApiHouse, client: httpx.Client, receiver: Receiver
) -> None:
    """At once, when the primary fails; the callback is told in order all the same."""
    receiver.statuses["/down"] = 503
    more = {"fallback_request_url": receiver.url("/standby")}
    more["status_callback_url"] = receiver.url("/told")
    with a_handler(client, receiver.url("/down"), **more):
        house.feed(*a_call("fallback"))
        told = receiver.at("/told", 3)
        [primary], [fallback] = receiver.at("/down", 1), receiver.at("/standby", 1)
    assert (fallback.body, fallback.method) == (primary.body, "POST")
    assert states(told) == ["ringing", "answered", "ended"]


def test_each_url_has_its_own_method(
    house: ApiHouse, client: httpx.Client, receiver: Receiver
) -> None:
    """By GET what there is to tell stands in the query."""
    receiver.statuses["/get-down"] = 500
    more = {
        "primary_request_method": "GET",
        "fallback_request_url": receiver.url("/get-standby?key=1"),
        "fallback_request_method": "GET",
        "status_callback_url": receiver.url("/get-told"),
        "status_callback_method": "GET",
    }
    with a_handler(client, receiver.url("/get-down"), **more):
        house.feed(*a_call("get"))
        told = receiver.at("/get-told", 3)
        [primary], [fallback] = receiver.at("/get-down", 1), receiver.at("/get-standby", 1)
    assert {one.method for one in (primary, fallback, *told)} == {"GET"}
    assert fallback.query == {**primary.query, "key": "1"}
    assert [one.query["call_state"] for one in told] == ["ringing", "answered", "ended"]


def test_only_calls_that_come_in_are_handled(house: ApiHouse, client: httpx.Client) -> None:
    """Of this project's own."""
    outbound = INBOUND | {"direction": "out"}
    with a_handler(client, NOWHERE):
        events = [
            an_event("direction", "newCall", **outbound),
            an_event("anothers", "newCall", **INBOUND | {"customer": "bravo"}),
            an_event("nobodys", "newCall", **INBOUND | {"customer": None}),
        ]
        assert matched(house, *events) == [0, 0, 0]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_update_is_in_force_at_once(
    house: ApiHouse, client: httpx.Client, receiver: Receiver, method: str
) -> None:
    """A new primary, and a callback from now on; then none any more."""
    after, told = f"/after-{method}", f"/told-{method}"
    with a_handler(client, receiver.url(f"/before-{method}")) as path:
        change = {"primary_request_url": receiver.url(after)}
        client.request(method, path, json=change | {"status_callback_url": receiver.url(told)})
        assert matched(house, *a_call(f"update-{method}")) == [1, 1, 1, 1]
        assert states(receiver.at(told, 3))[-1] == "ended"
        client.request(method, path, json={"status_callback_url": None})
        assert matched(house, *a_call(f"again-{method}")) == [1, 0, 0, 0]
        assert len(receiver.at(after, 2)) == 2
    assert receiver.at(f"/before-{method}", 0) == []


def test_what_is_deleted_gets_nothing_more(house: ApiHouse, client: httpx.Client) -> None:
    """From the moment on that it has been answered."""
    with a_handler(client, NOWHERE) as path:
        before = matched(house, an_event("deleted-1", "newCall", **INBOUND))
        assert client.delete(path).status_code == 204
        assert (before, matched(house, an_event("deleted-2", "newCall", **INBOUND))) == ([1], [0])


@pytest.mark.parametrize("ended", [signal.SIGTERM, signal.SIGKILL])
def test_a_handler_outlives_a_restart(
    house: ApiHouse, receiver: Receiver, ended: signal.Signals
) -> None:
    """Gentle or not: it is listed as before, and its call arrives at both URLs."""
    fetch, told = f"/fetch-{ended.name}", f"/told-{ended.name}"
    with house.client("manager") as client:
        client.post(
            ALL,
            json={
                "name": ended.name,
                "primary_request_url": receiver.url(fetch),
                "status_callback_url": receiver.url(told),
            },
        )
        before = client.get(ALL).json()
    house.restart(ended)
    house.feed(*a_call(ended.name))
    assert states(receiver.at(told, 3)) == ["ringing", "answered", "ended"]
    assert len(receiver.at(fetch, 1)) == 1
    with house.client("manager") as client:
        assert client.get(ALL).json() == before
        client.delete(f"{ALL}/{before['data'][0]['id']}")


def test_what_stands_in_a_file_is_no_handler(house: ApiHouse, client: httpx.Client) -> None:
    """Neither in the list nor by its name; and it stays."""
    answers = [client.get(ALL).json()["data"], client.delete(f"{ALL}/file").status_code]
    event = an_event("file", "newCall", **INBOUND | {"to": "999"})
    assert (answers, matched(house, event)) == ([[], 404], [1])


def test_another_projects_token_sees_nothing(house: ApiHouse, client: httpx.Client) -> None:
    """Whichever project it claims to be."""
    with a_handler(client, NOWHERE) as path:
        for username in ("bravo", "acme"):
            with house.client("other", username=username) as other:
                seen = other.get(ALL).json()["data"]
                touched = [other.request(method, path, json={}) for method in ("GET", "PUT")]
                touched += [other.get(f"{path}/addresses"), other.delete(path)]
            assert (seen, {one.text for one in touched}) == ([], {'"Not Found"'})
        assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("token", "method", "status"),
    [
        ("viewer", "GET", 200),
        ("viewer", "POST", 403),
        ("nobody", "GET", 401),
        ("strict", "POST", 422),
    ],
)
def test_each_token_may_do_what_its_role_may(
    house: ApiHouse, token: str, method: str, status: int
) -> None:
    """At the door itself; a stranger's handler may not lead into the house."""
    with house.client(token, username="acme") as client:
        answer = client.request(method, ALL, json={"name": "x", "primary_request_url": NOWHERE})
    assert answer.status_code == status


@pytest.mark.parametrize("password", ["any", ""])
def test_the_operator_says_for_which_project(
    house: ApiHouse, receiver: Receiver, password: str
) -> None:
    """On the control socket any password will do, and none as well."""
    path = f"/operator{password}"
    with house.client() as operator:
        operator.auth = httpx.BasicAuth("acme", password)
        with a_handler(operator, receiver.url(path)):
            house.feed(*a_call(f"operator{password}"))
            assert len(receiver.at(path, 1)) == 1
