"""PortSIP's action URLs from end to end: a real daemon, a real client, a real server.

One daemon for all; each test has a receptionist and a path of its own.
"""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from api.portsip.ivrs import MASK
from api.portsip.orders_server import Orders, an_orders_server
from api_house import ApiHouse, an_api_house, an_event

_REGISTRY: Final = """
[[customer]]
id = "acme"
ivrs = ["8000", "8001", "8002", "8003", "8004", "8005", "8006", "8007", "8008", "8009", "8010"]
[[customer]]
id = "bravo"
ivrs = ["9000"]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiHouse]:
    """A daemon with two customers."""
    directory: Path = tmp_path_factory.mktemp("portsip")
    with an_api_house(directory, _REGISTRY) as running:
        yield running


@pytest.fixture(scope="module")
def orders() -> Iterator[Orders]:
    """The server that is asked."""
    with an_orders_server() as server:
        yield server


def made(house: ApiHouse, ivr: str, **fields: object) -> str:
    """The path of a new action URL of acme's."""
    with house.client("manager") as client:
        answer = client.post(f"/api/ivrs/{ivr}/action_urls", json=fields)
    assert answer.status_code == 201, answer.text
    return f"/api/ivrs/{ivr}/action_urls/{answer.json()['id']}"


def pressed(house: ApiHouse, ivr: str, *digits: str, **more: object) -> list[int]:
    """How many subscriptions matched each time that a caller pressed these digits."""
    events = [
        {**an_event(f"{ivr}-{digits}", "dtmf"), "dtmf": one, "from": "+4512345678"}
        | {"extension": ivr, "extensionType": "ivr"}
        | more
        for one in digits
    ]
    replies = house.feed(*events)
    assert all(reply["ok"] for reply in replies), replies
    return [int(str(reply["matched"])) for reply in replies]


@contextmanager
def a_full_port() -> Iterator[int]:
    """A port at which nobody can connect any more: its queue has one place, which is taken."""
    with socket.socket() as listening, socket.socket() as taken:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        taken.connect(listening.getsockname())
        yield listening.getsockname()[1]


def test_digits_that_match_are_told(house: ApiHouse, orders: Orders) -> None:
    """Numbers and ranges, of callers that the mask has."""
    made(
        house,
        "8000",
        method="POST",
        url=orders.url("/digits"),
        caller_mask="+45*",
        dtmf_mask="1000;3000-3999",
    )
    matched = pressed(house, "8000", "1000", "2000", "3500", "300", "4000", "3999")
    told = [json.loads(one.body)["dtmf"] for one in orders.at("/digits", 3)]
    assert (matched, told) == ([1, 0, 1, 0, 0, 1], ["1000", "3500", "3999"])


@pytest.mark.parametrize(
    "other",
    [
        {"from": "+4612345678"},
        {"extension": "8000"},
        {"extensionType": "queue"},
        {"customer": "bravo"},
        {"event": "newCall", "dtmf": ""},
    ],
)
def test_nothing_else_is_told(house: ApiHouse, orders: Orders, other: dict[str, object]) -> None:
    """Another caller, another receptionist, no receptionist, another customer, no digits."""
    path = made(house, "8001", url=orders.url("/nothing"), caller_mask="+45*", dtmf_mask="1")
    matched = pressed(house, "8001", "1"), pressed(house, "8001", "1", **other)
    with house.client("manager") as client:
        client.post(f"{path}/destroy")
    assert matched == ([1], [0])


def test_a_get_has_everything_in_its_query(house: ApiHouse, orders: Orders) -> None:
    """Beside what the URL has already; its headers go along."""
    made(
        house,
        "8002",
        method="GET",
        url=orders.url("/get?menu=main"),
        headers="X-Api-Key: k3y\r\nAccept: text/plain",
    )
    pressed(house, "8002", "42")
    [asked] = orders.at("/get")
    query = {key: asked.query[key] for key in ("menu", "event", "dtmf", "from", "extension")}
    assert (asked.method, asked.body, query) == (
        "GET",
        "",
        {
            "menu": "main",
            "event": "dtmf",
            "dtmf": "42",
            "from": "+4512345678",
            "extension": "8002",
        },
    )
    assert (asked.headers["x-api-key"], asked.headers["accept"]) == ("k3y", "text/plain")


def test_a_post_has_a_body_of_its_type(house: ApiHouse, orders: Orders) -> None:
    """JSON, which may be called otherwise."""
    made(
        house,
        "8003",
        method="POST",
        url=orders.url("/post"),
        headers="Content-Type: application/vnd.orders+json",
    )
    pressed(house, "8003", "1")
    [asked] = orders.at("/post")
    told = (asked.method, asked.headers["content-type"], json.loads(asked.body)["dtmf"])
    assert told == ("POST", "application/vnd.orders+json", "1")


_BASIC: Final = f"Basic {base64.b64encode(b'menu-8000:s3cret').decode()}"


@pytest.mark.parametrize(
    ("auth", "proof"), [("DISABLE", None), ("BASIC", _BASIC), ("BEARER", "Bearer t0ken")]
)
def test_each_kind_of_auth_arrives(
    house: ApiHouse, orders: Orders, auth: str, proof: str | None
) -> None:
    """As the secret itself."""
    at = f"/{auth.lower()}"
    secrets = {"username": "menu-8000", "password": "s3cret", "token": "t0ken"}
    path = made(house, "8004", auth=auth, url=orders.url(at), **secrets)
    pressed(house, "8004", "1", callId=at)
    [asked] = orders.at(at)
    with house.client("manager") as client:
        client.delete(path)
    assert asked.headers.get("authorization") == proof


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_digest_answers_a_real_challenge(house: ApiHouse, orders: Orders, method: str) -> None:
    """The server lets in only who knows the password."""
    at = f"/digest/{method}"
    path = made(
        house,
        "8005",
        auth="DIGEST",
        username=orders.username,
        password=orders.password,
        method=method,
        url=orders.url(f"{at}?menu=main"),
    )
    pressed(house, "8005", "1", callId=at)
    [asked] = orders.at(at)
    with house.client("manager") as client:
        client.delete(path)
    assert (asked.method, asked.query["menu"], orders.denied[-1]) == (method, "main", "")


def test_a_connection_time_out_is_in_force(house: ApiHouse) -> None:
    """At a port whose queue is full; the whole request might take longer."""
    with a_full_port() as port, house.client() as operator:
        path = made(
            house,
            "8006",
            url=f"http://127.0.0.1:{port}/full",
            connection_timeout=1,
            request_timeout=15,
        )
        with operator.stream("GET", "/v1/attempts", params={"call": "full"}) as stream:
            pressed(house, "8006", "1", callId="full")
            data = next(line for line in stream.iter_lines() if line.startswith("data: "))
        operator.delete(path)
    attempt = json.loads(data.removeprefix("data: "))
    assert (attempt["reason"], 900 < attempt["totalMs"] < 2_900) == ("timeout_connect", True)


def test_a_request_time_out_is_in_force(house: ApiHouse, orders: Orders) -> None:
    """Of a server that never answers; 10 s to its first byte are what callpost waits by itself."""
    made(house, "8006", url=orders.url("/silent"), request_timeout=1)
    pressed(house, "8006", "1")
    assert 0.9 < orders.at("/silent")[0].waited_s < 8


def test_an_edited_action_url_keeps_its_secrets(house: ApiHouse, orders: Orders) -> None:
    """Read, edited and posted as a whole, with masks where secrets are."""
    path = made(
        house,
        "8007",
        auth="BASIC",
        username="menu-8000",
        password="s3cret",
        headers="X-Api-Key: k3y",
        dtmf_mask="1",
        url=orders.url("/edited"),
    )
    with house.client("manager") as client:
        whole = client.get(path).json()
        edited = client.post(path, json=whole | {"dtmf_mask": "2"})
    matched = pressed(house, "8007", "1", "2")
    [asked] = orders.at("/edited")
    assert (whole["password"], whole["headers"]) == (MASK, f"X-Api-Key: {MASK}")
    assert (edited.status_code, edited.content, matched) == (200, b"", [0, 1])
    assert (asked.headers["authorization"], asked.headers["x-api-key"]) == (_BASIC, "k3y")


def test_an_action_url_outlives_a_crash(house: ApiHouse, orders: Orders) -> None:
    """As it was, its secrets included."""
    path = made(
        house,
        "8008",
        auth="BEARER",
        token="t0ken",
        dtmf_mask="7",
        url=orders.url("/again"),
    )
    with house.client("manager") as client:
        before = client.get(path).json()
    house.restart()
    with house.client("manager") as client:
        after = client.get(path).json()
    matched = pressed(house, "8008", "7")
    [asked] = orders.at("/again")
    assert (after, matched, asked.headers["authorization"]) == (before, [1], "Bearer t0ken")


def test_a_disabled_or_destroyed_action_url_is_not_asked(house: ApiHouse, orders: Orders) -> None:
    """From the answer on."""
    path = made(house, "8009", url=orders.url("/gone"))
    matched = pressed(house, "8009", "1")
    with house.client("manager") as client:
        client.post(path, json={"enabled": False})
        matched += pressed(house, "8009", "2")
        client.post(path, json={"enabled": True})
        matched += pressed(house, "8009", "3")
        destroyed = client.post(f"{path}/destroy")
        gone = client.get(path)
    matched += pressed(house, "8009", "4")
    assert (matched, destroyed.status_code, gone.status_code) == ([1, 0, 1, 0], 204, 404)


@pytest.mark.parametrize(
    ("token", "status"),
    [("manager", 200), ("viewer", 200), ("admin", 200), ("", 200), ("other", 404)],
)
def test_who_sees_an_action_url(house: ApiHouse, orders: Orders, token: str, status: int) -> None:
    """Its customer, an admin, and the operator on the control socket; nobody else."""
    path = made(house, "8010", url=orders.url("/seen"))
    with house.client(token) as client:
        answer = client.get(path)
    with house.client("manager") as client:
        client.delete(path)
    assert answer.status_code == status


@pytest.mark.parametrize(("token", "status"), [("strict", 400), ("viewer", 403), ("other", 404)])
def test_who_cannot_make_one(house: ApiHouse, orders: Orders, token: str, status: int) -> None:
    """A stranger to this network, who may only look, and whose receptionist it is not."""
    with house.client(token) as client:
        answer = client.post("/api/ivrs/8010/action_urls", json={"url": orders.url("/")})
    assert answer.status_code == status
