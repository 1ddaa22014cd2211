"""callpost's own API on a real daemon: what is made is in force, and stays; nobody sees others."""

import signal
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from api_house import ApiHouse, Receiver, a_web_receiver, an_api_house, an_event

ALL = "/v1/subscriptions"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """One for all."""
    with a_web_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[ApiHouse]:
    """One for all; the operator has a subscription to everything, and acme one to little."""
    text = f"""
        [[subscription]]
        name = "operators"
        url = "{receiver.url("/operators")}"

        [[subscription]]
        name = "crm"
        customer = "acme"
        called = ["999"]
        url = "{receiver.url("/file")}"
    """
    with an_api_house(tmp_path_factory.mktemp("api"), text) as house:
        yield house


@pytest.fixture
def client(house: ApiHouse) -> Iterator[httpx.Client]:
    """Acme's manager, who may send to loopback."""
    with house.client("manager") as client:
        yield client


@pytest.fixture
def other(house: ApiHouse) -> Iterator[httpx.Client]:
    """Bravo's manager."""
    with house.client("other") as client:
        yield client


def made(client: httpx.Client, url: str, **more: object) -> str:
    """The path of a new subscription."""
    answer = client.post(ALL, json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def test_what_is_made_gets_the_next_event(
    client: httpx.Client, house: ApiHouse, receiver: Receiver
) -> None:
    """With the headers that were given and are never shown."""
    path = made(client, receiver.url("/made"), events=["newCall"], method="POSTARGS")
    house.feed(an_event("made", "newCall"), an_event("made", "hangup"))
    [got] = receiver.at("/made", 1)
    client.delete(path)
    assert (got.fields()["event"], got.fields()["callId"]) == ("newCall", "made")


def test_a_change_is_in_force_when_it_is_answered(
    client: httpx.Client, house: ApiHouse, receiver: Receiver
) -> None:
    """The next event goes to the new place, in the new way."""
    path = made(client, receiver.url("/before"))
    client.patch(path, json={"url": receiver.url("/after"), "method": "GET1"})
    house.feed(an_event("changed", "newCall"))
    [got] = receiver.at("/after", 1)
    client.delete(path)
    assert (got.method, got.query["callId"], receiver.at("/before", 0)) == ("GET", "changed", [])


def test_what_was_taken_away_gets_nothing(
    client: httpx.Client, house: ApiHouse, receiver: Receiver
) -> None:
    """Nobody wants the event any more but the operator."""
    path = made(client, receiver.url("/gone"))
    assert client.delete(path).status_code == 204
    [reply] = house.feed(an_event("gone", "newCall"))
    assert (reply["matched"], receiver.at("/gone", 0)) == (1, [])


@pytest.mark.parametrize("ended", [signal.SIGTERM, signal.SIGKILL])
def test_it_outlives_a_restart(house: ApiHouse, receiver: Receiver, ended: signal.Signals) -> None:
    """As it was, and in force."""
    with house.client("manager") as client:
        path = made(client, receiver.url(f"/{ended.name}"), headers={"X-A": "hidden"})
        before = client.get(path)
    house.restart(ended)
    house.feed(an_event(ended.name, "newCall"))
    assert receiver.at(f"/{ended.name}", 1)
    with house.client("manager") as client:
        after = client.get(path)
        client.delete(path)
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])


def test_fallback_and_status_callback_have_their_part(
    client: httpx.Client, house: ApiHouse, receiver: Receiver
) -> None:
    """As of a subscription in a file."""
    receiver.statuses["/refusing"] = 503
    path = made(
        client,
        receiver.url("/refusing"),
        fallback=[{"url": receiver.url("/fallback")}],
        status_callback={"url": receiver.url("/callback")},
    )
    house.feed(an_event("parts", "newCall"), an_event("parts", "hangup"))
    fallback, callback = receiver.at("/fallback", 1), receiver.at("/callback", 1)
    client.delete(path)
    assert [one.json()["event"] for one in (*fallback, *callback)] == ["newCall", "hangup"]


def test_a_forward_rule_has_an_effect(
    client: httpx.Client, house: ApiHouse, receiver: Receiver
) -> None:
    """A call to its number is one to its target, with its linkId."""
    path = made(client, receiver.url("/target"), called=["102"])
    rule = client.post("/v1/forwards", json={"number": "101", "to": ["102"], "link_id": 7})
    house.feed(an_event("forwarded", "newCall", to="101"))
    [got] = receiver.at("/target", 1)
    client.delete(rule.headers["location"])
    client.delete(path)
    assert (got.json()["to"], got.json()["linkId"]) == ("101", 7)


def test_an_event_that_a_token_sends_is_its_customers(
    client: httpx.Client, other: httpx.Client, receiver: Receiver
) -> None:
    """Nobody else's subscription gets it, and no other customer can be named."""
    ours, theirs = made(client, receiver.url("/ours")), made(other, receiver.url("/theirs"))
    event = {"event": "newCall", "callId": "posted"}
    one = client.post("/v1/events", json=event)
    many = client.post("/v1/events", json=[event, {**event, "customer": "bravo"}])
    arrived = receiver.at("/ours", 2)
    for who, path in ((client, ours), (other, theirs)):
        who.delete(path)
    assert (one.status_code, one.json()["ok"]) == (200, True)
    assert [reply["ok"] for reply in many.json()] == [True, False]
    assert many.json()[1]["path"] == "$.customer"
    assert {got.json()["customer"] for got in arrived} == {"acme"}
    assert receiver.at("/theirs", 0) == []


def test_a_chosen_id_suppresses_nobodys_event(
    client: httpx.Client, other: httpx.Client, house: ApiHouse
) -> None:
    """An id is one within its customer; of another's event it tells nothing."""
    event = {"event": "newCall", "callId": "same", "id": "chosen"}
    first = other.post("/v1/events", json=event).json()
    [reply] = house.feed({**event, "customer": "acme"})
    seen = client.get("/v1/events/chosen").json()["events"]
    assert ("duplicate" in first, "duplicate" in reply) == (False, False)
    assert [one["customer"] for one in seen] == ["acme"]


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        ({"event": "newCall"}, 400, "invalid"),
        ({"event": "newCall", "callId": "x", "data": {"k": "v" * 70_000}}, 413, "too_large"),
    ],
)
def test_a_refused_event_has_its_status(
    client: httpx.Client, content: object, status: int, error: str
) -> None:
    """And the reply of the socket."""
    answer = client.post("/v1/events", json=content)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_two_customers_do_not_see_each_other(
    client: httpx.Client, other: httpx.Client, house: ApiHouse, receiver: Receiver
) -> None:
    """Not what is pending, dead or told of a call; nor can one replay the other's."""
    receiver.statuses["/rejecting"] = 400
    ours = made(client, receiver.url("/rejecting"), name="dead")
    paused = made(client, receiver.url("/waiting"), name="paused")
    client.post(f"{paused}/pause", json={})
    house.feed(an_event("private", "newCall", id="private-1"))
    until(lambda: client.get("/v1/dead-letters").json()["total"] == 1)
    seen = [_shown(who) for who in (client, other)]
    replayed = [
        who.post("/v1/replay", json={"callId": "private", "delivered": True}).json()
        for who in (other, client)
    ]
    for path in (ours, paused):
        client.delete(path)
    assert seen[0][:2] == [1, 1]
    assert seen[1] == [0, 0, 404, 404]
    # What the operator's subscription got is not the customer's to have again.
    assert [one["deliveries"] for one in replayed] == [0, 1]


def test_each_part_of_a_replay_is_told_and_no_dry_run(
    client: httpx.Client, house: ApiHouse, receiver: Receiver
) -> None:
    """Also the part that goes on from where a dry run has ended."""
    receiver.statuses["/told"] = 400
    path = made(client, receiver.url("/told"), name="told")
    house.feed(*(an_event("told", kind) for kind in ("newCall", "answer", "hangup")))
    until(lambda: client.get("/v1/dead-letters").json()["total"] == 3)
    log = house.directory / "log"
    began = log.stat().st_size
    order: dict[str, object] = {"callId": "told", "limit": 1}
    cursor = client.post("/v1/replay", json={**order, "dryRun": True}).json()["next"]
    for more in ({"dryRun": True}, {}, {}):
        answer = client.post("/v1/replay", json={**order, "cursor": cursor, **more})
        cursor = cursor if more else answer.json()["next"]
    client.delete(path)
    told = log.read_bytes()[began:]
    assert told.count(b'"path":"/v1/replay"') == 2


def _shown(client: httpx.Client) -> list[object]:
    """Pending and dead, and whether the call and its event are told of, and to whom they went."""
    told: list[object] = [
        client.get(path).json()["total"] for path in ("/v1/deliveries", "/v1/dead-letters")
    ]
    for path in ("/v1/calls/private", "/v1/events/private-1"):
        answer = client.get(path)
        told.append(answer.status_code)
        assert "operators" not in answer.text
    return told


def test_the_operator_sees_and_does_everything(house: ApiHouse, receiver: Receiver) -> None:
    """Over the control socket, without a token, trusted."""
    with house.client() as operator, house.client("manager") as client:
        path = made(client, receiver.url("/seen"))
        names = [one["name"] for one in operator.get(ALL).json()["subscriptions"]]
        strange = operator.post(ALL, json={"url": receiver.url("/"), "customer": "charlie"})
        tried = operator.post(f"{path}/test", json={}).json()
        gone = operator.delete(path)
        operator.delete(strange.headers["location"])
    assert {"operators", "crm", path.rpartition("/")[2]} <= set(names)
    assert (strange.status_code, tried["ok"], gone.status_code) == (201, True, 204)


def test_a_strict_token_reaches_nobody_at_home(house: ApiHouse, receiver: Receiver) -> None:
    """In no field that has a URL."""
    url = receiver.url("/")
    with house.client("strict") as client:
        answer = client.post(ALL, json={"url": url, "fallback": [{"url": url}]})
    paths = [one["path"] for one in answer.json()["errors"]]
    assert (answer.status_code, paths) == (400, ["$.url", "$.fallback[0].url"])


def test_of_those_who_hold_the_same_etag_one_wins(client: httpx.Client, receiver: Receiver) -> None:
    """The others are told that it has been changed."""
    path = made(client, receiver.url("/raced"))
    etag = client.get(path).headers["etag"]
    statuses = [
        client.patch(path, json={"note": str(n)}, headers={"if-match": etag}).status_code
        for n in range(5)
    ]
    client.delete(path)
    assert statuses == [200, 412, 412, 412, 412]


def test_the_description_is_served_to_who_has_a_token(client: httpx.Client) -> None:
    """With the ways to send it, and without what is the operator's alone."""
    told = client.get("/v1/openapi.json").json()
    assert set(told["components"]["securitySchemes"]) == {"bearer", "basic"}
    assert {"/v1/subscriptions", "/v1/events"} <= set(told["paths"])
    assert not {"/v1/reload", "/v1/purge", "/v1/states", "/v1/config"} & set(told["paths"])


def test_no_secret_reaches_the_log(house: ApiHouse, client: httpx.Client) -> None:
    """Whatever a client sends."""
    made(client, "http://u:hidden-pw@127.0.0.1:9/p?k=hidden-q", headers={"X-A": "hidden-h"})
    client.post(ALL, json={"url": "http://u:hidden@x/", "headers": {"X-A": "hidden\n"}})
    assert "hidden" not in (house.directory / "log").read_text()


def until(is_so: Callable[[], bool]) -> None:
    """Ask until it is so: there is nothing to wait for over HTTP."""
    ends = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < ends
