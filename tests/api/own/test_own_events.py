"""Events over HTTP: what is let in, whose it becomes, and what is answered."""

import json

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from api.own.own_api import a_house, the_api
from callpost.api.own.events import Entrance, LetIn
from callpost.model.caller import Caller
from callpost.model.decode import MalformedEvent, decode
from card_house import CALLERS
from control_house import KnownHouse
from examples import examples

NDJSON = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}
RING = {"event": "newCall", "callId": "c1"}


class FullHouse(KnownHouse):
    """Refuses everything with the same word."""

    error = "spool_full"

    async def accept(self, lines: object) -> list[bytes]:
        """One refusal for each."""
        assert isinstance(lines, list)
        return [b'{"ok":false,"error":"%b","message":"No."}\n' % self.error.encode()] * len(lines)


async def test_one_event_has_one_answer() -> None:
    """The reply of the socket."""
    async with the_api(a_house(), "admin") as client:
        answer = await client.post("/v1/events", json=RING)
    assert (answer.status_code, answer.json()["ok"]) == (200, True)


async def test_an_array_has_an_array_of_answers() -> None:
    """In their order, an empty one an empty one."""
    house = a_house()
    async with the_api(house, "admin") as client:
        answers = [await client.post("/v1/events", json=[RING] * count) for count in (0, 2, 450)]
    assert [len(one.json()) for one in answers] == [0, 2, 450]
    assert len(house.accepted) == 452


@pytest.mark.parametrize("lines", [b"1\n", b"[]\n", b'{"customer":"bravo"}\n'])
async def test_lines_that_are_refused_let_others_have_their_turn(lines: bytes) -> None:
    """Also where nothing waits for the disk."""
    turns = 0

    async def somebody_else() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with the_api(a_house()) as client, trio.open_nursery() as nursery:
        nursery.start_soon(somebody_else)
        await client.post("/v1/events", content=b"1\n", headers=NDJSON)
        turns_for_one, turns = turns, 0
        await client.post("/v1/events", content=lines * 4_000, headers=NDJSON)
        nursery.cancel_scope.cancel()
    assert turns - turns_for_one >= 4_000 // 20 - 1


@pytest.mark.parametrize(
    ("content", "headers"),
    [(b"1\n" * 10_001, NDJSON), (b"[" + b"1," * 10_000 + b"1]", JSON)],
)
async def test_a_request_has_so_many_events_at_most(
    content: bytes, headers: dict[str, str]
) -> None:
    """Their answers would be many times as long."""
    house = a_house()
    async with the_api(house) as client:
        answer = await client.post("/v1/events", content=content, headers=headers)
    assert (answer.status_code, house.accepted) == (413, [])


async def test_lines_have_lines_of_answers() -> None:
    """Blank ones have none."""
    async with the_api(a_house(), "admin") as client:
        answer = await client.post("/v1/events", content=b"{}\n\n{}\r\n{}", headers=NDJSON)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert len(answer.content.splitlines()) == 3


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("invalid", 400),
        ("too_large", 413),
        ("spool_full", 507),
        ("spool_error", 503),
        ("stopping", 503),
    ],
)
async def test_a_refusal_has_its_status(error: str, status: int) -> None:
    """Of one event; among many each has its own answer."""
    house = FullHouse()
    house.error = error
    async with the_api(house, "admin") as client:
        one = await client.post("/v1/events", json=RING)
        many = await client.post("/v1/events", json=[RING])
    assert (one.status_code, one.json()["error"], many.status_code) == (status, error, 200)


async def test_an_event_that_is_too_long_is_told_to_the_intake_as_such() -> None:
    """As on the socket: None stands for it."""
    house = a_house()
    house.max_event_bytes = 30
    async with the_api(house, "admin") as client:
        await client.post("/v1/events", json=[RING, {**RING, "callId": "x" * 30}])
    assert [line is None for line in house.accepted] == [True, True]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", JSON, 400),
        (b"[{},", JSON, 400),
        (b" [1", JSON, 400),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"[" + b" " * 1_100_000 + b"]", JSON, 413),
    ],
)
async def test_what_is_no_body_is_a_problem(
    content: bytes, headers: dict[str, str], status: int
) -> None:
    """Nothing of it reaches the intake."""
    house = a_house()
    async with the_api(house, "admin") as client:
        answer = await client.post("/v1/events", content=content, headers=headers)
    assert (answer.status_code, answer.headers["content-type"], house.accepted) == (
        status,
        "application/problem+json",
        [],
    )


async def test_a_body_of_a_megabyte_is_taken() -> None:
    """That is its limit."""
    async with the_api(a_house(), "admin") as client:
        answer = await client.post(
            "/v1/events", content=b"[" + b" " * (1024 * 1024 - 2) + b"]", headers=JSON
        )
    assert (answer.status_code, answer.json()) == (200, [])


def let_in(who: str, line: bytes) -> object:
    """The customer of an event that a token sends, or how it was refused."""
    house = a_house()
    taken = Entrance(house, house).let_in(CALLERS[who], line)
    if not isinstance(taken, LetIn):
        return taken.message
    assert taken.line is not None
    try:
        return decode(taken.line).customer
    except MalformedEvent as fault:
        return fault.message


STRANGER = "The customer is none that this token acts for."


@pytest.mark.parametrize(
    ("who", "members", "customer"),
    [
        ("manager", b"", "acme"),
        ("manager", b',"customer":null', "acme"),
        ("manager", b',"customer":""', "acme"),
        ("manager", b',"customer": "acme" ', "acme"),
        ("manager", b',"customer":"bravo"', STRANGER),
        ("manager", b',"customer":"no-such"', STRANGER),
        ("manager", b',"customer":"*"', STRANGER),
        ("manager", b',"customer":["acme"]', STRANGER),
        ("manager", b',"customer":7', STRANGER),
        ("manager", b',"customer":"acme","customer":"bravo"', STRANGER),
        ("manager", b',"customer":"bravo","customer":"acme"', "acme"),
        ("manager", b',"\\u0063ustomer":"bravo"', STRANGER),
        ("reseller", b',"customer":"bravo"', "bravo"),
        ("reseller", b"", "The customer is required: this token acts for several."),
        ("admin", b',"customer":"bravo"', "bravo"),
        ("admin", b"", None),
    ],
)
def test_an_event_is_of_its_senders_customer(who: str, members: bytes, customer: object) -> None:
    """Whatever it says; of a customer that is not the sender's nobody learns anything."""
    line = b'{"event":"newCall","callId":"c1"' + members + b"}"
    assert let_in(who, line) == customer


@pytest.mark.parametrize(
    "line", [b"{", b"\xff", b"[]", b"5", b'"x"', b"", b"\xef\xbb\xbf{}", b"{}{}", b"[" * 5_000]
)
def test_what_cannot_be_read_here_is_read_by_nobody(line: bytes) -> None:
    """It reaches the intake as what it surely refuses."""
    house = a_house()
    taken = Entrance(house, house).let_in(CALLERS["manager"], line)
    assert isinstance(taken, LetIn)
    assert taken.line is not None
    with pytest.raises(MalformedEvent):
        decode(taken.line)


_values = st.one_of(
    st.none(),
    st.sampled_from(["acme", "bravo", "", " acme", "acme\u0000", "newCall", "c1"]),
    st.integers(-3, 3),
    st.lists(st.sampled_from(["acme", "bravo"]), max_size=2),
)
_members = st.lists(
    st.tuples(st.sampled_from(["customer", "Customer", "event", "callId", "id"]), _values),
    max_size=7,
)


@settings(max_examples=examples(4))
@given(members=_members, tail=st.sampled_from([b"", b" ", b"\n", b"}", b"\x00"]))
def test_no_event_of_a_token_is_ever_another_customers(
    members: list[tuple[str, object]], tail: bytes
) -> None:
    """Whatever members it has, and however often."""
    text = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in members)
    line = b'{"event":"newCall","callId":"c",' * bool(members) + text.encode() + b"}" + tail
    for unknown in ("refuse", "data"):
        house = a_house("")
        caller = Caller(name="t", role="owner", customers=("acme",))
        taken = Entrance(house, house).let_in(caller, line)
        if isinstance(taken, LetIn) and taken.line is not None:
            try:
                assert decode(taken.line, unknown_fields=unknown).customer == "acme"
            except MalformedEvent:
                continue


async def test_a_stranger_among_many_costs_the_others_nothing() -> None:
    """Each answer stands in its place."""
    house = a_house()
    async with the_api(house) as client:
        answer = await client.post(
            "/v1/events", json=[RING, {**RING, "customer": "bravo"}, RING, {"x": 1}]
        )
    assert [one["ok"] for one in answer.json()] == [True, False, True, True]
    assert answer.json()[1] == {
        "ok": False,
        "error": "invalid",
        "message": STRANGER,
        "path": "$.customer",
    }
    assert len(house.accepted) == 3


async def test_a_customer_takes_its_share_of_the_spool_and_no_more() -> None:
    """The others are answered as ever, and nobody's admin is counted."""
    house = a_house()
    house.counts = True
    statuses = []
    for who in ("manager", "manager", "other", "admin", "admin"):
        async with the_api(house, who) as client:
            statuses.append((await client.post("/v1/events", json=RING)).status_code)
    assert statuses == [200, 507, 200, 200, 200]
