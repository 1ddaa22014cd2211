"""VoipNow's door of a whole daemon: what its clients make is what receivers get, restarts between.

One daemon and one receiver for all; each test has an extension and a URL of its own.
"""

import signal
from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from api_house import ApiHouse, Got, Receiver, a_web_receiver, an_api_house, an_event

NUMBERS = count(210)
OF_A_FILE = """
[[subscription]]
name = "of-a-file"
customer = "acme"
preset = "voipnow"
extension = ["0003*100"]
url = "http://127.0.0.1:9/"
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """An HTTP receiver."""
    with a_web_receiver() as receiving:
        yield receiving


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiHouse]:
    """A daemon with the API's door."""
    with an_api_house(tmp_path_factory.mktemp("voipnow"), OF_A_FILE) as opened:
        yield opened


@pytest.fixture
def client(house: ApiHouse) -> Iterator[httpx.Client]:
    """A manager of acme's."""
    with house.client("manager") as opened:
        yield opened


class Phone:
    """An extension of its own, and the script that is called for it."""

    def __init__(self, receiver: Receiver, client: httpx.Client) -> None:
        self.extension = f"0003*{next(NUMBERS)}"
        self.path = f"/{self.extension}"
        self.events = f"/uapi/extensions/@me/{self.extension}/phoneCallEvents"
        self.url = receiver.url(f"{self.path}?key=abc")
        self.client = client
        self.receiver = receiver

    def make(self, *types: int, method: int = 1) -> list[str]:
        """An event of each of these types; the paths of all of them."""
        made = [
            self.client.post(self.events, json={"type": type_, "method": method, "url": self.url})
            for type_ in types
        ]
        assert [answer.status_code for answer in made] == [201 for _ in types]
        return [f"{self.events}/{answer.json()['type']}/{answer.json()['id']}" for answer in made]

    def event(self, call: str, kind: str, way: str, **more: object) -> dict[str, object]:
        """An event of a call from or to this extension."""
        ends = {"from": "+4526110203", "to": self.extension}
        if way == "out":
            ends = {"from": self.extension, "to": "+4526110203"}
        return an_event(f"{call}-{self.extension}", kind, direction=way, **ends, **more)

    def called(self, many: int) -> list[Got]:
        """The first so many calls of the script."""
        return self.receiver.at(self.path, many)


@pytest.fixture
def phone(receiver: Receiver, client: httpx.Client) -> Phone:
    """One that nobody has used."""
    return Phone(receiver, client)


def matched(house: ApiHouse, *events: dict[str, object]) -> list[object]:
    """How many subscriptions want each of the events."""
    return [reply["matched"] for reply in house.feed(*events)]


def statuses(called: list[Got]) -> list[tuple[str, str]]:
    """What a form says happened, and which way."""
    return [(got.fields()["CallStatus"], got.fields()["CallFlow"]) for got in called]


def test_a_call_that_comes_in_is_told_from_dial_to_hangup(house: ApiHouse, phone: Phone) -> None:
    """In its order, as forms, with VoipNow's words."""
    phone.make(0, 2, 3)
    house.feed(
        phone.event("in", "newCall", "in"),
        phone.event("in", "answer", "in"),
        phone.event("in", "hangup", "in", cause="normalClearing"),
    )
    called = phone.called(3)
    assert statuses(called) == [("CALLING", "IN"), ("ANSWER", "IN"), ("ANSWER", "IN")]
    assert {got.fields()["CalledExtension"] for got in called} == {phone.extension}
    assert {(got.method, got.content_type) for got in called} == {
        ("POST", "application/x-www-form-urlencoded")
    }


def test_get_adds_the_parameters_to_the_query(house: ApiHouse, phone: Phone) -> None:
    """Behind those that the URL has already."""
    phone.make(1, method=0)
    house.feed(phone.event("get", "newCall", "out"))
    [got] = phone.called(1)
    assert (got.method, got.query["key"], got.query["CallStatus"], got.query["CallFlow"]) == (
        "GET",
        "abc",
        "CALLING",
        "OUT",
    )


@pytest.mark.parametrize(
    ("type_", "wanted"),
    [
        (0, {("newCall", "in")}),
        (1, {("newCall", "out")}),
        (2, {("hangup", "in"), ("hangup", "out")}),
        (3, {("answer", "in")}),
        (4, {("answer", "out")}),
    ],
)
def test_each_type_is_told_its_events_and_no_other(
    house: ApiHouse, phone: Phone, type_: int, wanted: set[tuple[str, str]]
) -> None:
    """Of calls of its direction."""
    phone.make(type_)
    pairs = [(kind, way) for kind in ("newCall", "answer", "hangup") for way in ("in", "out")]
    found = matched(house, *[phone.event(f"t{type_}{way}", kind, way) for kind, way in pairs])
    assert {pair for pair, many in zip(pairs, found, strict=True) if many} == wanted


@pytest.mark.parametrize("kind", ["phone", "queue", "conference", "ivr"])
def test_an_extension_of_any_type_is_told(house: ApiHouse, phone: Phone, kind: str) -> None:
    """A queue, a conference and a menu are where the event says so, in `extension`."""
    phone.make(0)
    ends = {"from": "+4526110203", "to": "+4570305050", "direction": "in"}
    more = {"extension": phone.extension, "extensionType": kind}
    house.feed(an_event(f"{kind}-{phone.extension}", "newCall", **ends, **more))
    [got] = phone.called(1)
    assert got.fields()["CalledExtension"] == phone.extension


def test_an_update_is_in_force_when_it_is_answered(house: ApiHouse, phone: Phone) -> None:
    """Another URL, and then none at all."""
    [made] = phone.make(0)
    phone.client.put(made, json={"url": phone.receiver.url(f"{phone.path}/new")})
    house.feed(phone.event("moved", "newCall", "in"))
    [got] = phone.receiver.at(f"{phone.path}/new", 1)
    assert got.fields()["CallStatus"] == "CALLING"
    phone.client.put(made, json={"status": "0"})
    assert matched(house, phone.event("disabled", "newCall", "in")) == [0]


def test_what_is_deleted_is_told_nothing_more(house: ApiHouse, phone: Phone) -> None:
    """From the answer on; the other events of the extension stay."""
    made, _ = phone.make(0, 2)
    phone.client.delete(made)
    found = matched(
        house, phone.event("gone", "newCall", "in"), phone.event("gone", "hangup", "in")
    )
    assert found == [0, 1]


def test_calls_of_another_customer_are_not_told(house: ApiHouse, phone: Phone) -> None:
    """Though their extension has the same number."""
    phone.make(0)
    theirs = phone.event("theirs", "newCall", "in") | {"customer": "bravo"}
    assert matched(house, theirs) == [0]


def test_another_customer_sees_and_deletes_none_of_it(house: ApiHouse, phone: Phone) -> None:
    """With its own token, at the same path."""
    [made] = phone.make(0)
    with house.client("other") as other:
        assert other.get(phone.events).json() == {"entry": []}
        assert other.delete(phone.events).json() == []
        assert other.delete(made).status_code == 404
    assert len(phone.client.get(phone.events).json()["entry"]) == 1


def test_what_stands_in_a_file_is_not_there(house: ApiHouse, client: httpx.Client) -> None:
    """It is neither listed nor deleted."""
    events = "/uapi/extensions/@me/0003*100/phoneCallEvents"
    assert client.get(events).json() == {"entry": []}
    client.delete(events)
    ends = {"from": "+4526110203", "to": "0003*100", "direction": "in"}
    assert matched(house, an_event("file", "newCall", **ends)) == [1]


def test_a_strict_token_cannot_send_into_the_house(house: ApiHouse, phone: Phone) -> None:
    """The receiver is on loopback."""
    with house.client("strict") as strict:
        refused = strict.post(phone.events, json={"type": 0, "method": 1, "url": phone.url})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "pce_url_invalid")


def test_a_viewer_sees_what_a_manager_made(house: ApiHouse, phone: Phone) -> None:
    """And may not touch it."""
    [made] = phone.make(0)
    with house.client("viewer") as viewer:
        assert len(viewer.get(phone.events).json()["entry"]) == 1
        assert viewer.delete(made).json()["error"]["code"] == "pce_access_denied"


def test_an_operator_makes_them_for_any_customer(house: ApiHouse, phone: Phone) -> None:
    """Over the control socket, by the customer's id."""
    with house.client() as operator:
        events = f"/uapi/extensions/acme/{phone.extension}/phoneCallEvents"
        made = operator.post(events, json={"type": 0, "method": 1, "url": phone.url})
    assert (made.status_code, len(phone.client.get(phone.events).json()["entry"])) == (201, 1)


def test_an_unknown_token_is_told_so_in_voipnows_form(house: ApiHouse, phone: Phone) -> None:
    """With status 401."""
    with house.client("nobody") as nobody:
        answer = nobody.get(phone.events)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "access_denied")


def test_order_is_kept_while_events_come_and_go(house: ApiHouse, phone: Phone) -> None:
    """A call out that waits is neither overtaken nor lost when calls in want the same at last."""
    phone.receiver.statuses[phone.path] = 503
    phone.make(0, 1, 3)
    house.feed(phone.event("held", "newCall", "out"))
    phone.called(1)
    phone.make(4)
    house.feed(phone.event("held", "answer", "out"))
    phone.receiver.statuses[phone.path] = 200
    told = statuses(phone.called(1))
    while told[-1] == ("CALLING", "OUT"):
        told = statuses(phone.called(len(told) + 1))
    # Refused, then accepted, and only then the answer.
    assert (len(told) > 2, {*told[:-1]}, told[-1]) == (
        True,
        {("CALLING", "OUT")},
        ("ANSWER", "OUT"),
    )


@pytest.fixture
def colleague(receiver: Receiver, client: httpx.Client) -> Phone:
    """Another one of the same house."""
    return Phone(receiver, client)


TOLD = ["CALLING", "ANSWER", "ANSWER"]


@pytest.mark.parametrize("way", [{"direction": "internal"}, {}], ids=["internal", "no direction"])
@pytest.mark.parametrize("parties", ["all", "called", "extensions"])
def test_a_call_of_two_extensions_goes_out_for_one_and_comes_in_for_the_other(
    house: ApiHouse, phone: Phone, colleague: Phone, way: dict[str, object], parties: str
) -> None:
    """Each is told it whole and once, in order, whatever of its ends the later events name."""
    for one in (phone, colleague):
        one.make(0, 1, 2, 3, 4)
    ends: dict[str, object] = {"from": phone.extension, "to": colleague.extension}
    said: dict[str, dict[str, object]] = {
        "all": ends,
        "called": {"to": colleague.extension},
        "extensions": {"extension": phone.extension, "user": [colleague.extension]},
    }
    call = f"{phone.extension}-{colleague.extension}"
    found = matched(
        house,
        an_event(call, "newCall", **ends, **way),
        an_event(call, "answer", **said[parties]),
        an_event(call, "hangup", **said[parties], cause="normalClearing"),
    )
    assert found == [2, 2, 2]
    assert statuses(phone.called(3)) == [(status, "OUT") for status in TOLD]
    assert statuses(colleague.called(3)) == [(status, "IN") for status in TOLD]


@pytest.mark.parametrize(
    ("type_", "caller", "called"),
    [
        (0, [0, 0, 0], [1, 0, 0]),
        (1, [1, 0, 0], [0, 0, 0]),
        (2, [0, 0, 1], [0, 0, 1]),
        (3, [0, 0, 0], [0, 1, 0]),
        (4, [0, 1, 0], [0, 0, 0]),
    ],
)
@pytest.mark.parametrize("who", ["caller", "called"])
def test_each_type_of_a_call_inside_is_told_to_one_of_its_ends(
    house: ApiHouse, phone: Phone, type_: int, caller: list[int], called: list[int], who: str
) -> None:
    """Dial-out and its answer to who calls, dial-in and its answer to who is called."""
    phone.make(type_)
    ends = {"from": phone.extension, "to": "0003*999"}
    if who == "called":
        ends = {"from": "0003*999", "to": phone.extension}
    call = f"inside-{phone.extension}"
    found = matched(
        house,
        *[
            an_event(call, kind, direction="internal", **ends)
            for kind in ("newCall", "answer", "hangup")
        ],
    )
    assert found == (caller if who == "caller" else called)


def test_a_call_inside_goes_out_to_its_end_over_a_restart(house: ApiHouse, phone: Phone) -> None:
    """Though the hangup does not say who called, nor where to."""
    phone.make(1, 2)
    call = f"killed-{phone.extension}"
    ends = {"from": phone.extension, "to": "0003*999", "direction": "internal"}
    house.feed(an_event(call, "newCall", **ends))
    phone.called(1)
    house.restart(signal.SIGTERM)
    house.feed(an_event(call, "hangup", extension=phone.extension))
    assert statuses(phone.called(2)) == [("CALLING", "OUT"), ("UNKNOWN", "OUT")]


def test_what_was_made_is_there_after_a_kill(house: ApiHouse, phone: Phone) -> None:
    """Listed as before, with its time, and told of calls."""
    phone.make(0, 2)
    before = phone.client.get(phone.events).json()
    house.restart()
    with house.client("manager") as client:
        assert client.get(phone.events).json() == before
    house.feed(phone.event("after", "newCall", "in"), phone.event("after", "hangup", "in"))
    assert statuses(phone.called(2)) == [("CALLING", "IN"), ("UNKNOWN", "IN")]
