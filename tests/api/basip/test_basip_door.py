"""BAS-IP's forward rules over HTTP: the bulk upsert item by item, the list, and every refusal."""

import json
from collections.abc import Mapping, Sequence

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.lists import as_json, tables
from callpost.api.basip import read
from callpost.api.basip.bulk import RULES_MAX
from callpost.api.basip.door import language
from callpost.api.ports import Listed
from callpost.model.forward import Forward
from callpost.web.problem import Refusal
from card_house import CardHouse, a_client

LIST = "/api/v1/forward/items"
LINK = "/api/v1/forward/items/link"
BOB = ["sip:bob@pbx.example"]
NO_NUMBER = "expected digits, laskomex:, vizit: or a SIP URI such as sip:bob@pbx.example"
OF_A_FILE = "This number has a rule in the configuration file, which only the operator can change."


async def asked(
    house: CardHouse,
    method: str,
    path: str,
    content: bytes | None = None,
    *,
    who: str = "manager",
    username: str | None = None,
    sent_as: str = "application/json",
) -> httpx.Response:
    """The answer to one request."""
    async with a_client(language(house, house), who=who, username=username) as client:
        headers = {"content-type": sent_as} if content is not None else {}
        return await client.request(method, path, content=content, headers=headers)


async def linked(
    house: CardHouse, *items: object, who: str = "manager", username: str | None = None
) -> httpx.Response:
    """The answer to a bulk of these items."""
    content = as_json({"list_items": items})
    return await asked(house, "POST", LINK, content, who=who, username=username)


def item(number: object, entities: object = BOB, link_id: object = 7) -> dict[str, object]:
    """One item."""
    return {"link_id": link_id, "forward_number": number, "forward_entity_list": entities}


def result(info: str, *, success: bool = True, link_id: int | None = 7) -> dict[str, object]:
    """One result."""
    return {"link_id": link_id, "success": success, "extended_info": info}


def results(answer: httpx.Response) -> list[Mapping[str, object]]:
    """All results of a bulk that was taken."""
    assert answer.status_code == 200, answer.text
    found: list[Mapping[str, object]] = answer.json()["result"]
    return found


def infos(answer: httpx.Response) -> list[object]:
    """What became of each item."""
    return [one["extended_info"] for one in results(answer)]


def rules(house: CardHouse) -> Sequence[Forward]:
    """What is in force."""
    return house.registered.config.forwards


@pytest.mark.parametrize("end", ["", "/"])
async def test_a_new_rule_is_created(end: str) -> None:
    """The answer of its own pages, byte for byte; with and without a slash at the end."""
    content = as_json({"list_items": [item(101, link_id=101)]})
    answer = await asked(CardHouse(), "POST", LINK + end, content)
    assert (answer.status_code, answer.content) == (
        200,
        b'{"result":[{"link_id":101,"success":true,"extended_info":"created"}]}',
    )


async def test_a_rule_is_in_force_for_its_customer() -> None:
    """With the link that it was made with."""
    house = CardHouse()
    await linked(house, item("0101", ["102", 103, "vizit:1"]))
    assert rules(house) == (
        Forward(number="0101", to=("102", "103", "vizit:1"), customer="acme", link_id=7),
    )


@pytest.mark.parametrize("number", [101, "101"])
async def test_a_rule_of_the_same_number_is_updated(number: object) -> None:
    """As a number or as a text; the new one counts as a whole."""
    house = CardHouse()
    await linked(house, item(101))
    answer = await linked(house, {"forward_number": number, "forward_entity_list": ["102"]})
    assert results(answer) == [result("updated", link_id=None)]
    assert rules(house) == (Forward(number="101", to=("102",), customer="acme"),)


@pytest.mark.parametrize("gone", [{"forward_entity_list": []}, {"forward_entity_list": None}, {}])
async def test_an_item_without_entities_deletes_its_rule(gone: dict[str, object]) -> None:
    """An empty list, or none at all."""
    house = CardHouse()
    await linked(house, item(101), item(102))
    answer = await linked(house, {"link_id": 7, "forward_number": 101, **gone})
    assert results(answer) == [result("deleted")]
    assert [rule.number for rule in rules(house)] == ["102"]


async def test_a_rule_that_is_not_there_cannot_be_deleted() -> None:
    """In BAS-IP's own word."""
    answer = await linked(CardHouse(), item(101, []))
    assert results(answer) == [result("entity_not_found", success=False)]


async def test_items_of_one_number_are_done_in_order() -> None:
    """The last one counts."""
    house = CardHouse()
    answer = await linked(
        house,
        item(1),
        item(1, ["2"]),
        item(1, []),
        item(1, []),
        item(1, ["3"]),
        item(2),
        item(2, []),
    )
    assert infos(answer) == [
        *("created", "updated", "deleted", "entity_not_found", "created", "created", "deleted")
    ]
    assert rules(house) == (Forward(number="1", to=("3",), customer="acme", link_id=7),)


async def test_a_bulk_is_written_down_at_once() -> None:
    """One change for all of it."""
    house = CardHouse()
    await linked(house, item(1), item(2))
    await linked(house, item(1, []), item(2, ["3"]), item(4))
    last = house.changes[-1]
    assert (len(house.changes), len(last.put), len(last.taken)) == (2, 2, 1)


async def test_what_is_sent_again_is_not_written_again() -> None:
    """A link management system sends all it has, day by day."""
    house = CardHouse()
    await linked(house, item(1), item(2))
    answer = await linked(house, item(1), item(2, ["3"]))
    assert infos(answer) == ["updated", "updated"]
    assert [card.said["forward_number"] for card in house.changes[-1].put] == [2]


@pytest.mark.parametrize(
    ("faulty", "info"),
    [
        ({"forward_number": "bob"}, f"forward_number: {NO_NUMBER}"),
        ({"forward_number": -1}, f"forward_number: {NO_NUMBER}"),
        ({"forward_entity_list": ["bob"]}, f"forward_entity_list[0]: {NO_NUMBER}"),
        ({"forward_entity_list": ["1", ""]}, f"forward_entity_list[1]: {NO_NUMBER}"),
        (
            {"forward_entity_list": ["1"] * 101},
            "forward_entity_list: expected 1 to 100 entities, found 101",
        ),
    ],
)
async def test_a_faulty_item_fails_alone(faulty: dict[str, object], info: str) -> None:
    """The others go through, before and behind it."""
    house = CardHouse()
    answer = await linked(house, item(1), item(2) | faulty, item(3))
    assert results(answer) == [
        result("created"),
        result(info, success=False),
        result("created"),
    ]
    assert [rule.number for rule in rules(house)] == ["1", "3"]


@pytest.mark.parametrize("link_id", [2**53, -(2**53), 2**70])
async def test_a_link_beyond_what_readers_keep_exact_fails(link_id: int) -> None:
    """It could not be answered either."""
    answer = await linked(CardHouse(), item(1, link_id=link_id))
    [found] = results(answer)
    assert (found["success"], found["link_id"]) == (False, None)


@pytest.mark.parametrize("number", ["101", "+101"])
async def test_a_rule_of_a_file_stays(number: str) -> None:
    """The item fails and says why; the others go through."""
    house = CardHouse(f'[[forward]]\ncustomer = "acme"\nnumber = "{number}"\nto = ["1"]\n')
    answer = await linked(house, item(101), item(102))
    assert results(answer) == [result(OF_A_FILE, success=False), result("created")]


async def test_a_rule_that_a_file_has_taken_over_can_be_deleted() -> None:
    """But not changed any more."""
    house = CardHouse()
    await linked(house, item(101))
    house.read_again('[[forward]]\ncustomer = "acme"\nnumber = "101"\nto = ["1"]\n')
    answer = await linked(house, item(101, ["2"]), item(101, []))
    assert infos(answer) == [OF_A_FILE, "deleted"]


async def test_another_customers_rule_in_a_file_is_in_nobodys_way() -> None:
    """Each has numbers of their own."""
    house = CardHouse('[[forward]]\ncustomer = "bravo"\nnumber = "101"\nto = ["1"]\n')
    assert infos(await linked(house, item(101))) == ["created"]


async def test_two_customers_have_rules_for_one_number() -> None:
    """Neither sees nor touches the other's."""
    house = CardHouse()
    await linked(house, item(101, ["1"]))
    answer = await linked(house, item(101, ["2"]), who="other")
    gone = await linked(house, item(101, []), who="other")
    assert (infos(answer), infos(gone)) == (["created"], ["deleted"])
    assert [(rule.customer, rule.to) for rule in rules(house)] == [("acme", ("1",))]


async def test_there_is_a_last_rule() -> None:
    """Beyond it an item fails, until another one is deleted."""
    house = CardHouse()
    await linked(house, *(item(number, ["1"]) for number in range(RULES_MAX)))
    answer = await linked(house, item("x:", []), item("00"), item(1, []), item("00"), item(2))
    assert infos(answer)[1:] == [
        *("A customer may have at most 10,000 rules.", "deleted", "created", "updated")
    ]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "Wrong JSON body"),
        (b"{", "Wrong JSON body"),
        (b"\xff", "Wrong JSON body"),
        (b"[]", "Wrong JSON body"),
        (b"null", "Wrong JSON body"),
        (b"{}", "Wrong JSON body: no value for `list_items`"),
        (b'{"list_items":null}', "Wrong JSON body: no value for `list_items`"),
        (b'{"list_items":{}}', "Wrong JSON body: value `list_items` was of the wrong type"),
        (b'{"list_items":[1]}', "Wrong JSON body: value `list_items` was of the wrong type"),
        (b'{"list_items":[{}]}', "Wrong JSON body: no value for `forward_number`"),
    ],
)
async def test_a_body_of_another_shape_is_refused(content: bytes, error: str) -> None:
    """In BAS-IP's own words."""
    answer = await asked(CardHouse(), "POST", LINK, content)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


WRONG: Mapping[str, Sequence[object]] = {
    "forward_number": (True, 1.5, [], {}),
    "link_id": (True, 1.5, "x", "", []),
    "forward_entity_list": (0, "", "101", False, {}, [[]], [None]),
}


@pytest.mark.parametrize(
    ("param", "value"), [(param, value) for param, values in WRONG.items() for value in values]
)
async def test_a_value_of_the_wrong_type_refuses_the_whole(param: str, value: object) -> None:
    """Nothing of it is done."""
    house = CardHouse()
    answer = await linked(house, item(1), item(2) | {param: value})
    error = f"Wrong JSON body: value `{param}` was of the wrong type"
    assert (answer.status_code, answer.json()) == (400, {"error": error})
    assert rules(house) == ()


async def test_a_body_may_have_a_megabyte() -> None:
    """And no more."""
    told = [await asked(CardHouse(), "POST", LINK, b" " * size) for size in (2**20, 2**20 + 1)]
    assert [answer.status_code for answer in told] == [400, 413]


async def test_a_body_that_is_not_sent_as_json_is_refused() -> None:
    """With a sentence."""
    answer = await asked(CardHouse(), "POST", LINK, b"{}", sent_as="text/plain")
    assert (answer.status_code, list(answer.json())) == (415, ["error"])


@pytest.mark.parametrize(("method", "path"), [("GET", LIST), ("POST", LINK), ("GET", LIST + "/x")])
async def test_without_a_token_one_has_to_log_in(method: str, path: str) -> None:
    """In BAS-IP's own words."""
    answer = await asked(CardHouse(), method, path, who="")
    assert (answer.status_code, answer.content) == (401, b'{"error":"Log In"}')
    assert "www-authenticate" in answer.headers


async def test_a_viewer_may_only_look() -> None:
    """At the list."""
    house = CardHouse()
    refused = await linked(house, item(1), who="viewer")
    looked = await asked(house, "GET", LIST, who="viewer")
    assert (refused.status_code, refused.json()) == (403, {"error": "Access denied"})
    assert looked.status_code == 200


async def test_who_acts_for_several_names_one() -> None:
    """As the user name that comes along with the token."""
    house = CardHouse()
    refused = await linked(house, item(1), who="reseller")
    taken = await linked(house, item(1), who="reseller", username="bravo")
    assert (refused.status_code, taken.status_code) == (400, 200)
    assert [rule.customer for rule in rules(house)] == ["bravo"]


async def test_a_stranger_for_a_customer_is_not_let_in_by_naming_it() -> None:
    """The token's own customer counts."""
    house = CardHouse()
    await linked(house, item(1), username="bravo")
    assert [rule.customer for rule in rules(house)] == ["acme"]


async def test_an_admins_rule_is_nobodys_own() -> None:
    """Where nobody has to be named."""
    house = CardHouse()
    await linked(house, item(1), who="admin")
    assert [rule.customer for rule in rules(house)] == [""]


async def test_an_admin_names_the_customer_where_that_is_required() -> None:
    """One that exists."""
    house = CardHouse('[tenancy]\ncustomers = "required"\n[[customer]]\nid = "acme"\n')
    answers = [
        await linked(house, item(1), who="admin", username=username)
        for username in (None, "nobody", "*", "acme")
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 200]


async def test_what_cannot_be_written_down_is_not_said_to_be() -> None:
    """It may work later."""
    house = CardHouse()
    house.closed = "callpost is stopping."
    answer = await linked(house, item(1))
    assert (answer.status_code, answer.json()) == (503, {"error": "callpost is stopping."})


class Late(CardHouse):
    """A house whose roster does not know yet what the files say."""

    async def forwards(self) -> Sequence[Listed]:
        """Nothing."""
        return ()


async def test_a_bulk_that_is_overtaken_changes_nothing() -> None:
    """The files have changed since it was looked at; it may be sent again."""
    house = Late('[[forward]]\ncustomer = "acme"\nnumber = "101"\nto = ["1"]\n')
    answer = await linked(house, item(101), item(102))
    assert (answer.status_code, list(answer.json())) == (503, ["error"])
    assert house.cards("basip") == []


async def test_a_page_is_answered_as_bas_ip_has_it() -> None:
    """Byte for byte."""
    house = CardHouse()
    await linked(house, item("102", ["1"]), item(101))
    answer = await asked(house, "GET", LIST)
    assert answer.content == (
        b'{"list_items":[{"link_id":7,"forward_number":101,'
        b'"forward_entity_list":["sip:bob@pbx.example"]},'
        b'{"link_id":7,"forward_number":102,"forward_entity_list":["1"]}],'
        b'"list_option":{"pagination":{"total_items":2,"items_limit":10,"total_pages":1,'
        b'"current_page":1},"sort":{"field":"forward_number","asc":true,'
        b'"available_fields":["forward_number"]}}}'
    )


async def test_a_list_can_be_read_as_a_saved_one() -> None:
    """By what imports lists."""
    house = CardHouse()
    await linked(house, item(101, ["1"]))
    answer = await asked(house, "GET", LIST)
    assert tables(read(answer.content)) == [{"number": "101", "to": ["1"], "link_id": 7}]


@pytest.mark.parametrize("limit", [10, 20, 30, 50])
async def test_pages_hold_every_rule_once(limit: int) -> None:
    """By their numbers, whatever they were written as; what is no number stands last."""
    house = CardHouse()
    numbers = [*range(55, 0, -1), "sip:bob@pbx"]
    await linked(house, *(item(number) for number in numbers))
    found: list[object] = []
    for page in range(1, 7):
        answer = await asked(house, "GET", f"{LIST}?limit={limit}&page_number={page}")
        found += [one["forward_number"] for one in answer.json()["list_items"]]
    pagination = answer.json()["list_option"]["pagination"]
    assert found == [*range(1, 56), "sip:bob@pbx"]
    assert pagination == {
        "total_items": 56,
        "items_limit": limit,
        "total_pages": -(-56 // limit),
        "current_page": 6,
    }


async def test_a_list_may_fall() -> None:
    """From the highest number."""
    house = CardHouse()
    await linked(house, item(1), item(2))
    answer = await asked(house, "GET", f"{LIST}/?sort_field=forward_number&sort_type=desc")
    assert [one["forward_number"] for one in answer.json()["list_items"]] == [2, 1]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("limit=15", "limit: expected one of 10, 20, 30, 50."),
        ("limit=x", "limit: expected int, got str."),
        ("page_number=0", "page_number: expected int >= 1."),
        ("page_number=1&page_number=2", "page_number: is given more than once."),
        ("sort_type=up", "sort_type: expected one of asc, desc."),
        ("filter=x", "filter: there is no such field."),
    ],
)
async def test_a_page_that_there_cannot_be_is_refused(query: str, error: str) -> None:
    """With a sentence that names the parameter."""
    answer = await asked(CardHouse(), "GET", f"{LIST}?{query}")
    assert (answer.status_code, answer.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    ("method", "path", "status"), [("DELETE", LIST, 405), ("GET", LINK, 405), ("GET", "x", 404)]
)
async def test_another_path_or_method_is_refused(method: str, path: str, status: int) -> None:
    """In BAS-IP's form."""
    answer = await asked(CardHouse(), method, path if path != "x" else f"{LIST}/x")
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_a_mistake_of_ours_is_told_in_its_form() -> None:
    """As everything."""
    answer = language(CardHouse(), CardHouse()).refused(Refusal(500, "It is our fault."))
    assert json.loads(bytes(answer.body)) == {"error": "It is our fault."}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ENTITY = st.sampled_from([1, "1", "01", "vizit:1", "sip:bob@pbx:5060", "sip:", "", -1, 2**60])
ITEM = st.fixed_dictionaries(
    {},
    optional={
        "link_id": st.integers() | JSON,
        "forward_number": ENTITY | JSON,
        "forward_entity_list": st.lists(ENTITY, max_size=4) | JSON,
    },
)


@given(sent=JSON | st.fixed_dictionaries({"list_items": JSON | st.lists(ITEM, max_size=5)}))
async def test_whatever_is_sent_is_taken_or_refused(sent: object) -> None:
    """Never with a mistake of ours, and with a result for each item."""
    house = CardHouse()
    answer = await asked(house, "POST", LINK, as_json(sent))
    assert answer.status_code in {200, 400}
    if answer.status_code == 200:
        assert isinstance(sent, dict)
        assert len(results(answer)) == len(sent["list_items"])


ITEMS = st.lists(
    st.builds(item, st.integers(1, 4), st.lists(st.sampled_from(["7", "8"]), max_size=1)),
    max_size=8,
)


@given(bulks=st.lists(ITEMS, max_size=3))
async def test_rules_are_what_the_last_items_said(bulks: list[list[dict[str, object]]]) -> None:
    """However they were spread over bulks."""
    house = CardHouse()
    expected: dict[object, object] = {}
    for bulk in bulks:
        await linked(house, *bulk)
        expected |= {one["forward_number"]: one["forward_entity_list"] for one in bulk}
    listed = (await asked(house, "GET", f"{LIST}?limit=50")).json()["list_items"]
    found = {one["forward_number"]: one["forward_entity_list"] for one in listed}
    assert found == {number: entities for number, entities in expected.items() if entities}
