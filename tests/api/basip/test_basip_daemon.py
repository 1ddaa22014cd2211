"""BAS-IP's forward rules on a real daemon: whose calls a call is, from the answer of a bulk on."""

import signal
from collections.abc import Iterator

import httpx
import pytest

from api_house import ApiHouse, Receiver, a_web_receiver, an_api_house, an_event

LIST = "/api/v1/forward/items"
LINK = "/api/v1/forward/items/link"
BOB = "sip:bob@pbx.example"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """One for all."""
    with a_web_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[ApiHouse]:
    """One for all: two customers who both have somebody at 102, and Bob; acme's file has a rule."""
    wanted = "".join(
        f'[[subscription]]\nname = "{customer}-{name}"\ncustomer = "{customer}"\n'
        f'url = "{receiver.url(f"/{customer}/{name}")}"\nextension = ["{extension}"]\n'
        for customer in ("acme", "bravo")
        for name, extension in (("102", "102"), ("bob", BOB))
    )
    rule = '[[forward]]\ncustomer = "acme"\nnumber = "900"\nto = ["102"]\n'
    with an_api_house(tmp_path_factory.mktemp("api"), wanted + rule) as house:
        yield house


@pytest.fixture
def client(house: ApiHouse) -> Iterator[httpx.Client]:
    """Acme's link management system; what it has made is gone at the end."""
    with house.client("manager") as client:
        yield client
    with house.client("manager") as client:
        left = client.get(LIST, params={"limit": 50}).json()["list_items"]
        linked(client, *((one["forward_number"], []) for one in left))


def linked(client: httpx.Client, *rules: tuple[object, list[str]]) -> list[object]:
    """What became of these rules."""
    items = [
        {"link_id": 7, "forward_number": number, "forward_entity_list": entities}
        for number, entities in rules
    ]
    answer = client.post(LINK, json={"list_items": items})
    assert answer.status_code == 200, answer.text
    return [one["extended_info"] for one in answer.json()["result"]]


def matched(house: ApiHouse, call: str, to: str, **more: object) -> object:
    """How many subscriptions wanted a new call to this number."""
    [reply] = house.feed(an_event(call, "newCall", to=to, **more))
    return reply["matched"]


def test_a_call_to_the_number_is_the_targets_too(
    house: ApiHouse, client: httpx.Client, receiver: Receiver
) -> None:
    """It arrives with the link, and with the number that was dialled first."""
    linked(client, (101, [BOB]))
    house.feed(an_event("b1", "newCall", to="101"))
    [got] = receiver.at("/acme/bob", 1)
    told = got.json()
    assert (told["callId"], told["to"], told["linkId"], told["diversion"]) == (
        "b1",
        "101",
        7,
        "101",
    )


@pytest.mark.parametrize("field", ["to", "did", "extension"])
def test_a_number_is_found_wherever_it_was_called(
    house: ApiHouse, client: httpx.Client, field: str
) -> None:
    """As `to`, `did` or `extension`."""
    linked(client, (101, ["102"]))
    [reply] = house.feed(an_event("b2", "newCall", **{field: "101"}))
    assert reply["matched"] == 1


def test_a_rule_leads_on_to_the_next_one(house: ApiHouse, client: httpx.Client) -> None:
    """Also around in a circle, and each target once."""
    linked(client, (101, ["103"]), (103, ["101", "102", BOB]))
    assert matched(house, "b3", "101") == 2


def test_two_customers_have_the_same_number(
    house: ApiHouse, client: httpx.Client, receiver: Receiver
) -> None:
    """Each rule counts for the calls of its own customer only, and so does its end."""
    linked(client, (101, ["102"]))
    with house.client("other") as other:
        alone = matched(house, "b4", "101", customer="bravo")
        linked(other, (101, [BOB]))
        house.feed(an_event("b4", "newCall", to="101", customer="bravo"))
        assert (alone, receiver.at("/bravo/bob", 1)[0].json()["linkId"]) == (0, 7)
        assert (linked(other, (101, [])), matched(house, "b5", "101")) == (["deleted"], 1)
        assert matched(house, "b5", "101", customer="bravo") == 0


def test_an_update_is_in_force_at_once(house: ApiHouse, client: httpx.Client) -> None:
    """From its answer on; so is a deletion."""
    seen: list[object] = []
    for entities in (["102"], ["102", BOB], []):
        linked(client, ("sip:door@lobby:5060", entities))
        seen.append(matched(house, "b6", "sip:door@lobby:5060"))
    assert seen == [1, 2, 0]


@pytest.mark.parametrize("ended", [signal.SIGTERM, signal.SIGKILL])
def test_a_rule_outlives_a_restart(
    house: ApiHouse, client: httpx.Client, ended: signal.Signals
) -> None:
    """Gentle or not."""
    linked(client, (101, ["102"]))
    client.close()
    house.restart(ended)
    assert matched(house, "b7", "101") == 1


def test_a_rule_of_the_file_stays(house: ApiHouse, client: httpx.Client) -> None:
    """The item says why, it cannot be taken away either, and it is not in the list."""
    infos = linked(client, (900, [BOB]), (900, []), (101, [BOB]))
    assert infos == [
        "This number has a rule in the configuration file, which only the operator can change.",
        "entity_not_found",
        "created",
    ]
    listed = [one["forward_number"] for one in client.get(LIST).json()["list_items"]]
    assert (listed, matched(house, "b8", "900")) == ([101], 1)


def test_a_thousand_rules_are_one_bulk(house: ApiHouse, client: httpx.Client) -> None:
    """And all of them are in force."""
    bulk: list[tuple[object, list[str]]] = [(number, ["102"]) for number in range(2_000, 3_000)]
    assert set(linked(client, *bulk)) == {"created"}
    assert matched(house, "b9", "2999") == 1
    linked(client, *((number, []) for number, _ in bulk))


@pytest.mark.parametrize(
    ("token", "username", "method", "status"),
    [
        ("viewer", "", "GET", 200),
        ("viewer", "", "POST", 403),
        ("nobody", "", "POST", 401),
        ("admin", "", "POST", 400),
        ("admin", "acme", "GET", 200),
    ],
)
def test_each_token_may_do_what_its_role_may(
    house: ApiHouse, token: str, username: str, method: str, status: int
) -> None:
    """At the door itself; an empty body is none of a bulk."""
    with house.client(token, username=username) as client:
        answer = client.request(method, LIST if method == "GET" else LINK)
    assert answer.status_code == status
