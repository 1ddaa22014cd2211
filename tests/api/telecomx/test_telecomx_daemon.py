"""TelecomX's callnotify on a real daemon: what a client makes there is what its receiver gets."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from api_house import ApiHouse, Receiver, a_web_receiver, an_api_house, an_event
from callpost.api.telecomx import id_of

ALL = "/customer/acme/callnotify"
FROM_TO = {"from": "+4526110203", "to": "+4570305050", "direction": "in"}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """One for all."""
    with a_web_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[ApiHouse]:
    """One for all; a subscription of acme's stands in its file."""
    text = (
        f'[[subscription]]\nname = "crm"\ncustomer = "acme"\nurl = "{receiver.url("/file")}"\n'
        'called = ["999"]\n'
    )
    with an_api_house(tmp_path_factory.mktemp("api"), text) as house:
        yield house


@pytest.fixture
def client(house: ApiHouse) -> Iterator[httpx.Client]:
    """Acme's manager, who may send to loopback."""
    with house.client("manager") as client:
        yield client


@contextmanager
def an_item(client: httpx.Client, url: str, **more: str) -> Iterator[str]:
    """The path of a new item, which is gone again at the end."""
    made = client.post(ALL, json={"url": url, "method": "POSTJSON"} | more)
    assert made.status_code == 200, made.text
    path = f"{ALL}/{made.json()['_id']}"
    yield path
    client.delete(path)


def matched(house: ApiHouse, *events: dict[str, object]) -> list[object]:
    """How many subscriptions wanted each event."""
    return [reply["matched"] for reply in house.feed(*events)]


def test_a_call_arrives_in_order(house: ApiHouse, client: httpx.Client, receiver: Receiver) -> None:
    """From the moment on that the item has been answered."""
    with an_item(client, receiver.url("/order")):
        house.feed(
            *(an_event("order", kind) for kind in ("newCall", "ringing", "answer", "hangup"))
        )
        got = receiver.at("/order", 4)
    assert [one.json()["event"] for one in got] == ["newCall", "ringing", "answer", "hangup"]


@pytest.mark.parametrize(
    ("method", "spoken", "content_type"),
    [
        ("POSTJSON", "POST", "application/json"),
        ("POSTARGS", "POST", "application/x-www-form-urlencoded"),
        ("POSTXML1", "POST", "application/xml; charset=utf-8"),
        ("POSTXML2", "POST", "application/xml; charset=utf-8"),
        ("GET1", "GET", ""),
        ("GET2", "GET", ""),
    ],
)
def test_every_method_is_spoken(
    house: ApiHouse,
    client: httpx.Client,
    receiver: Receiver,
    method: str,
    spoken: str,
    content_type: str,
) -> None:
    """The additional data goes along with POSTXML2 and GET2, and with what has no level."""
    with an_item(client, receiver.url(f"/{method}?key=1"), method=method):
        house.feed(an_event(method, "newCall", fromName="Jensen", **FROM_TO))
        [got] = receiver.at(f"/{method}", 1)
    has_more = "Jensen" in got.body.decode() + got.query.get("fromName", "")
    assert (got.method, got.content_type, got.query["key"]) == (spoken, content_type, "1")
    assert has_more == (method not in {"POSTXML1", "GET1"})


def test_level_1_is_the_vocabulary_of_the_field(
    house: ApiHouse, client: httpx.Client, receiver: Receiver
) -> None:
    """Its names, and nothing beside them."""
    with an_item(client, receiver.url("/level"), method="GET1"):
        house.feed(an_event("level", "newCall", fromName="Jensen", **FROM_TO))
        [got] = receiver.at("/level", 1)
    assert got.query == {"event": "newCall", "callId": "level", **FROM_TO}


def test_a_selection_leaves_the_rest_out(house: ApiHouse, client: httpx.Client) -> None:
    """Of the networks, and what is of none."""
    events = [an_event("s", "newCall", network=network) for network in ("SIP", "MVNO", None)]
    with an_item(client, "http://127.0.0.1:9/", selection="MVNO"):
        assert matched(house, *events) == [0, 1, 0]


def test_an_update_is_in_force_at_once(
    house: ApiHouse, client: httpx.Client, receiver: Receiver
) -> None:
    """The next event goes to the new place in the new form, the method as it was."""
    with an_item(client, receiver.url("/before"), method="GET1") as path:
        client.post(path, json={"url": receiver.url("/after")})
        house.feed(an_event("update", "newCall"))
        [got] = receiver.at("/after", 1)
    assert (got.method, receiver.at("/before", 0)) == ("GET", [])


def test_what_is_deleted_gets_nothing_more(house: ApiHouse, client: httpx.Client) -> None:
    """From the moment on that it has been answered."""
    with an_item(client, "http://127.0.0.1:9/") as path:
        before = matched(house, an_event("delete", "newCall"))
        assert client.delete(path).status_code == 200
        assert (before, matched(house, an_event("delete", "hangup"))) == ([1], [0])


def test_another_customers_calls_do_not_arrive(house: ApiHouse, client: httpx.Client) -> None:
    """Nor those of nobody."""
    with an_item(client, "http://127.0.0.1:9/"):
        events = [an_event("c", "newCall", customer=one) for one in ("bravo", None)]
        assert matched(house, *events) == [0, 0]


@pytest.mark.parametrize("ended", [signal.SIGTERM, signal.SIGKILL])
def test_an_item_outlives_a_restart(
    house: ApiHouse, receiver: Receiver, ended: signal.Signals
) -> None:
    """Gentle or not, and what is fed afterwards arrives."""
    place = {"url": receiver.url(f"/{ended.name}"), "method": "POSTJSON"}
    with house.client("manager") as client:
        before = client.post(ALL, json=place).json()
    house.restart(ended)
    house.feed(an_event(ended.name, "newCall"))
    got = receiver.at(f"/{ended.name}", 1)
    with house.client("manager") as client:
        assert (client.get(ALL).json(), len(got)) == ([before], 1)
        client.delete(f"{ALL}/{before['_id']}")


def test_a_tcp_receiver_gets_lines(house: ApiHouse, client: httpx.Client) -> None:
    """As in the example of its list page."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)
        port = listening.getsockname()[1]
        with an_item(client, f"tcp://127.0.0.1:{port}"):
            house.feed(an_event("tcp", "newCall"))
            stream, _ = listening.accept()
            with stream, stream.makefile("rb") as lines:
                assert json.loads(lines.readline())["callId"] == "tcp"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_what_stands_in_a_file_cannot_be_touched(
    house: ApiHouse, client: httpx.Client, method: str
) -> None:
    """It is no item, by whatever id it was exported; and it stays."""
    answer = client.request(method, f"{ALL}/{id_of('crm')}")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert matched(house, an_event("file", "newCall", to="999")) == [1]


def test_a_stranger_cannot_send_into_the_house(house: ApiHouse) -> None:
    """A token that is not trusted is refused an address that is closed to strangers."""
    with house.client("strict") as stranger:
        answer = stranger.post(ALL, json={"url": "http://127.0.0.1:9999/", "method": "GET1"})
    assert (answer.status_code, answer.json()) == (
        422,
        {"error": "url", "message": "URL points to an invalid IP address"},
    )


@pytest.mark.parametrize(
    ("token", "method", "status"),
    [
        ("viewer", "GET", 200),
        ("viewer", "POST", 403),
        ("other", "GET", 403),
        ("other", "POST", 403),
        ("admin", "GET", 200),
        ("nobody", "GET", 401),
    ],
)
def test_each_token_may_do_what_its_role_may(
    house: ApiHouse, token: str, method: str, status: int
) -> None:
    """At the door itself."""
    with house.client(token) as client:
        assert client.request(method, ALL).status_code == status


def test_a_user_name_beside_the_token_changes_nothing(house: ApiHouse) -> None:
    """The customer stands in the path."""
    with house.client("manager", username="bravo") as client:
        answers = [client.get(ALL), client.get("/customer/bravo/callnotify")]
    assert [answer.status_code for answer in answers] == [200, 403]


def test_the_operator_needs_no_token(house: ApiHouse, receiver: Receiver) -> None:
    """On the control socket, for any customer."""
    with house.client() as operator, an_item(operator, receiver.url("/operator")):
        house.feed(an_event("operator", "newCall"))
        assert len(receiver.at("/operator", 1)) == 1
