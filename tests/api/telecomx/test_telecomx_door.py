"""TelecomX's callnotify over HTTP: all five operations, who may do what, and every refusal."""

import json
import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.lists import as_json, tables
from callpost.api.telecomx import read
from callpost.api.telecomx.door import language
from callpost.web.problem import Refusal
from card_house import CardHouse, a_client

ALL = "/customer/acme/callnotify"
# The two examples of its own pages; both lie in a network that is closed to strangers.
TCP = {"url": "tcp://100.64.123.103:4010", "method": "POSTJSON", "selection": "ALL"}
HTTP = {"url": "http://100.64.123.100:4000/call", "method": "POSTXML2", "selection": "SIP"}
CRM = {"url": "https://crm.example/calls?key=1", "method": "POSTJSON", "selection": "ALL"}
TWO_CUSTOMERS = '[[customer]]\nid = "acme"\n[[customer]]\nid = "bravo"\n'
ANOTHERS = "/customer/bravo/callnotify"


async def asked(
    house: CardHouse,
    method: str,
    path: str,
    body: object = None,
    *,
    who: str = "manager",
    content: bytes | None = None,
    sent_as: str = "application/json",
) -> httpx.Response:
    """The answer to one request."""
    async with a_client(language(house), who=who) as client:
        if content is None and body is not None:
            content = json.dumps(body).encode()
        headers = {"content-type": sent_as} if content is not None else {}
        return await client.request(method, path, content=content, headers=headers)


async def made(house: CardHouse, item: dict[str, str] = CRM, *, who: str = "trusted") -> str:
    """The id of a new item of acme's."""
    answer = await asked(house, "POST", ALL, item, who=who)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["_id"])


def refusal(answer: httpx.Response) -> tuple[int, object]:
    """Status and body."""
    return answer.status_code, answer.json()


def no(status: int, code: str, message: str) -> tuple[int, object]:
    """A refusal as TelecomX says it."""
    return status, {"error": code, "message": message}


@pytest.mark.parametrize("item", [TCP, HTTP])
async def test_its_own_examples_are_answered_as_items(item: dict[str, str]) -> None:
    """With an id of 24 hexadecimal digits, in its order of fields."""
    answer = await asked(CardHouse(), "POST", ALL, item, who="trusted")
    identity = answer.json()["_id"]
    assert re.fullmatch("[0-9a-f]{24}", identity)
    assert (answer.status_code, answer.content) == (
        200,
        json.dumps({"_id": identity, **item}, separators=(",", ":")).encode(),
    )


async def test_an_item_without_a_selection_wants_all() -> None:
    """That is the default."""
    item = {"url": CRM["url"], "method": "GET1"}
    answer = await asked(CardHouse(), "POST", ALL, item)
    assert answer.json()["selection"] == "ALL"


@pytest.mark.parametrize("end", ["", "/"])
async def test_an_item_is_shown(end: str) -> None:
    """With and without a slash at the end."""
    house = CardHouse()
    identity = await made(house)
    answer = await asked(house, "GET", f"{ALL}/{identity}{end}")
    assert refusal(answer) == (200, {"_id": identity, **CRM})


@pytest.mark.parametrize("end", ["", "/"])
async def test_items_are_listed_in_the_order_in_which_they_were_made(end: str) -> None:
    """As an array."""
    house = CardHouse()
    ids = [await made(house), await made(house, HTTP)]
    answer = await asked(house, "GET", ALL + end)
    assert answer.json() == [{"_id": ids[0], **CRM}, {"_id": ids[1], **HTTP}]


async def test_nobody_has_no_items() -> None:
    """An empty array."""
    answer = await asked(CardHouse(), "GET", ALL)
    assert (answer.status_code, answer.content) == (200, b"[]")


async def test_a_list_can_be_read_as_a_saved_one() -> None:
    """By what imports lists."""
    house = CardHouse()
    identity = await made(house)
    answer = await asked(house, "GET", ALL)
    assert tables(read(answer.content)) == [{"name": f"telecomx-{identity}", **CRM}]


@pytest.mark.parametrize(
    "sent", [{"method": "GET2"}, {"selection": "MVNO"}, {"url": "https://crm.example/2"}]
)
async def test_an_update_changes_what_it_says(sent: dict[str, str]) -> None:
    """And nothing else."""
    house = CardHouse()
    identity = await made(house)
    answer = await asked(house, "POST", f"{ALL}/{identity}", sent)
    assert refusal(answer) == (200, {"_id": identity, **CRM, **sent})


@pytest.mark.parametrize("sent", [None, {}, {"url": None}, {"_id": "f" * 24}, {"note": "x"}])
async def test_an_update_that_says_nothing_changes_nothing(sent: object) -> None:
    """Null is as good as absent, and an id stays what it is."""
    house = CardHouse()
    identity = await made(house)
    answer = await asked(house, "POST", f"{ALL}/{identity}", sent)
    assert refusal(answer) == (200, {"_id": identity, **CRM})


async def test_a_whole_item_can_be_sent_back() -> None:
    """What was read can be written."""
    house = CardHouse()
    identity = await made(house)
    whole = (await asked(house, "GET", f"{ALL}/{identity}")).json()
    answer = await asked(house, "POST", f"{ALL}/{identity}", whole | {"selection": "SIP"})
    assert refusal(answer) == (200, whole | {"selection": "SIP"})


async def test_an_update_keeps_the_queue() -> None:
    """What waits for the subscription still belongs to it."""
    house = CardHouse()
    identity = await made(house)
    before = house.cards("telecomx")[0].subscription
    await asked(house, "POST", f"{ALL}/{identity}", {"method": "GET1"})
    [after] = house.cards("telecomx")
    assert (after.subscription, after.revision) == (before, 2)


async def test_a_deleted_item_is_answered_once_more() -> None:
    """As it was."""
    house = CardHouse()
    identity = await made(house)
    answer = await asked(house, "DELETE", f"{ALL}/{identity}")
    assert refusal(answer) == (200, {"_id": identity, **CRM})


async def test_a_deleted_item_is_gone() -> None:
    """From the list as well."""
    house = CardHouse()
    identity = await made(house)
    await asked(house, "DELETE", f"{ALL}/{identity}")
    answer = await asked(house, "DELETE", f"{ALL}/{identity}")
    assert (answer.status_code, house.cards("telecomx")) == (404, [])


async def test_an_item_is_a_subscription_of_its_customer() -> None:
    """At the place that it names."""
    house = CardHouse()
    await made(house, who="manager")
    [subscription] = house.registered.config.subscriptions
    assert (subscription.filter.customer, subscription.origin, subscription.endpoints[0].host) == (
        "acme",
        "telecomx",
        "crm.example",
    )


async def test_an_id_may_be_written_in_capitals() -> None:
    """It is a number."""
    house = CardHouse()
    identity = await made(house)
    answer = await asked(house, "GET", f"{ALL}/{identity.upper()}")
    assert answer.status_code == 200


@pytest.mark.parametrize("identity", ["0" * 24, "x", "0" * 25, "%00", "é"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_item_is_not_found(method: str, identity: str) -> None:
    """Whatever is asked of it."""
    answer = await asked(CardHouse(), method, f"{ALL}/{identity}")
    assert refusal(answer) == no(404, "not_found", "Callnotify not found")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_another_customers_item_is_not_found(method: str) -> None:
    """Not even under one's own name, and it stays."""
    house = CardHouse()
    identity = await made(house)
    answer = await asked(house, method, f"{ANOTHERS}/{identity}", who="other")
    assert refusal(answer) == no(404, "not_found", "Callnotify not found")
    assert len(house.cards("telecomx")) == 1


@pytest.mark.parametrize("who", ["manager", "owner", "reseller", "admin", "trusted"])
async def test_who_acts_for_a_customer_may_make_items(who: str) -> None:
    """MANAGER, OWNER, RESELLER and ADMIN."""
    answer = await asked(CardHouse(), "POST", ALL, CRM, who=who)
    assert answer.status_code == 200


@pytest.mark.parametrize("who", ["viewer", "manager", "owner", "reseller", "admin", "trusted"])
async def test_who_acts_for_a_customer_may_look(who: str) -> None:
    """VIEWER too."""
    answer = await asked(CardHouse(), "GET", ALL, who=who)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ALL), ("POST", f"{ALL}/x"), ("DELETE", f"{ALL}/x")]
)
async def test_a_viewer_may_only_look(method: str, path: str) -> None:
    """Whether or not there is such an item."""
    answer = await asked(CardHouse(), method, path, CRM, who="viewer")
    assert refusal(answer) == no(403, "access_denied", "Access denied")


@pytest.mark.parametrize("path", [ANOTHERS, "/customer/nobody/callnotify"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nobody_learns_which_customers_there_are(method: str, path: str) -> None:
    """Access is denied to those that exist as to those that do not."""
    house = CardHouse(TWO_CUSTOMERS)
    await asked(house, "POST", ANOTHERS, CRM, who="admin")
    answer = await asked(house, method, path, CRM)
    assert refusal(answer) == no(403, "access_denied", "Access denied")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_admin_is_told_of_a_customer_that_is_not_there(method: str) -> None:
    """For there is a registry."""
    answer = await asked(
        CardHouse(TWO_CUSTOMERS), method, "/customer/nobody/callnotify", CRM, who="admin"
    )
    assert refusal(answer) == no(404, "customer", "Customer not found")


@pytest.mark.parametrize("customer", ["*", "%0a", "x" * 256])
async def test_what_cannot_be_a_customer_is_none(customer: str) -> None:
    """Also where there is no registry; everybody is nobody."""
    answer = await asked(CardHouse(), "POST", f"/customer/{customer}/callnotify", CRM, who="admin")
    assert refusal(answer) == no(404, "customer", "Customer not found")


async def test_a_customer_may_have_any_name() -> None:
    """Where there is no registry."""
    answer = await asked(
        CardHouse(), "POST", "/customer/Søn%20%26%20Co/callnotify", CRM, who="admin"
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "Invalid URL"),
        ("nothing", "Invalid URL"),
        (None, "Invalid URL"),
        (7, "Invalid URL"),
        ("credential:crm", "Invalid URL"),
        ("ftp://a.b/", "URL protocol is invalid"),
        ("file:///etc/passwd", "URL protocol is invalid"),
        ("tcp://a.b:1024/path", "Protocol types TCP and UDP only permit host and port"),
        ("udp://a.b", "Protocol types TCP and UDP requires a valid port"),
        ("http://a.b:0/", "Port is invalid"),
        ("http://a.b:22/", "Port is invalid"),
        ("http://1.2.3.999/", "URL points to an invalid IP address"),
        ("http://127.0.0.1:8080/", "URL points to an invalid IP address"),
        ("http://169.254.169.254/", "URL points to an invalid IP address"),
        ("tcp://100.64.123.103:4010", "URL points to an invalid IP address"),
        ("http://[::1]:8080/", "URL points to an invalid IP address"),
        ("http://a..b/", "URL points to an invalid hostname"),
    ],
)
async def test_every_fault_of_a_url_has_its_own_words(url: object, message: str) -> None:
    """And what is closed to strangers is no place for one."""
    answer = await asked(CardHouse(), "POST", ALL, CRM | {"url": url})
    assert refusal(answer) == no(422, "url", message)


@pytest.mark.parametrize("value", ["PUT", "get1", "", 1, None, []])
async def test_another_method_is_invalid(value: object) -> None:
    """Also none at all."""
    answer = await asked(CardHouse(), "POST", ALL, CRM | {"method": value})
    assert refusal(answer) == no(422, "method", "Invalid method")


@pytest.mark.parametrize("value", ["ISDN", "all", "", 1, []])
async def test_another_selection_is_invalid(value: object) -> None:
    """In its own words."""
    answer = await asked(CardHouse(), "POST", ALL, CRM | {"selection": value})
    assert refusal(answer) == no(422, "selection", "Invalid selection")


async def test_the_first_fault_is_told() -> None:
    """The URL before the method before the selection."""
    answer = await asked(CardHouse(), "POST", ALL, {"selection": 1, "method": 2})
    assert refusal(answer) == no(422, "url", "Invalid URL")


async def test_a_faulty_update_changes_nothing() -> None:
    """Not even what is right about it."""
    house = CardHouse()
    identity = await made(house)
    sent = {"method": "GET1", "selection": "x"}
    answer = await asked(house, "POST", f"{ALL}/{identity}", sent)
    assert refusal(answer) == no(422, "selection", "Invalid selection")
    assert house.cards("telecomx")[0].said == CRM


async def test_a_stranger_cannot_take_over_a_trusted_place() -> None:
    """Who changes an item answers for the whole of it."""
    house = CardHouse()
    identity = await made(house, TCP)
    answer = await asked(house, "POST", f"{ALL}/{identity}", {"selection": "SIP"})
    assert refusal(answer) == no(422, "url", "URL points to an invalid IP address")


async def test_a_strangers_change_makes_an_item_strict() -> None:
    """Nobody is trusted for what somebody else has made."""
    house = CardHouse()
    identity = await made(house)
    await asked(house, "POST", f"{ALL}/{identity}", {"selection": "SIP"})
    assert not house.cards("telecomx")[0].trusted


async def test_a_customer_may_not_have_too_many() -> None:
    """As many as the configuration allows."""
    house = CardHouse("[api]\nmax_subscriptions_per_customer = 1\n")
    await made(house)
    answer = await asked(house, "POST", ALL, CRM)
    assert refusal(answer) == no(422, "limit", "A customer may have at most 1 of them.")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ALL), ("POST", f"{ALL}/ID"), ("DELETE", f"{ALL}/ID")]
)
async def test_what_cannot_be_written_down_is_not_said_to_be(method: str, path: str) -> None:
    """It may work later."""
    house = CardHouse()
    identity = await made(house)
    house.closed = "callpost is stopping."
    answer = await asked(house, method, path.replace("ID", identity), CRM)
    assert refusal(answer) == no(503, "unavailable", "callpost is stopping.")


@pytest.mark.parametrize("who", ["", "stranger"])
async def test_without_a_token_nobody_comes_in(who: str) -> None:
    """401 and not 403, so that clients ask for the token; also where there is no such path."""
    for path in (ALL, "/customer/acme/nothing"):
        answer = await asked(CardHouse(), "GET", path, who=who)
        assert refusal(answer) == no(401, "access_denied", "A token is required.")
        assert "www-authenticate" in answer.headers


@pytest.mark.parametrize(
    ("content", "sent_as", "told"),
    [
        (b"{", "application/json", (400, "bad_request")),
        (b"\xff", "application/json", (400, "bad_request")),
        (b"[" * 60_000, "application/json", (400, "bad_request")),
        (b"[]", "application/json", (400, "bad_request")),
        (b"null", "application/json", (422, "url")),
        (b"{}", "text/plain", (415, "unsupported_media_type")),
        (b"url=x", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (b" " * 70_000, "application/json", (413, "too_large")),
    ],
)
async def test_a_body_that_is_no_object_is_refused(
    content: bytes, sent_as: str, told: tuple[int, str]
) -> None:
    """Each kind by itself."""
    answer = await asked(CardHouse(), "POST", ALL, content=content, sent_as=sent_as)
    assert (answer.status_code, answer.json()["error"]) == told


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", f"{ALL}/x", "DELETE, GET, HEAD, POST"), ("DELETE", ALL, "GET, HEAD, POST")],
)
async def test_another_method_of_http_is_not_allowed(method: str, path: str, allowed: str) -> None:
    """And which ones are is told."""
    answer = await asked(CardHouse(), method, path)
    assert (answer.status_code, answer.json()["error"], answer.headers["allow"]) == (
        405,
        "method_not_allowed",
        allowed,
    )


@pytest.mark.parametrize("path", ["/customer/", "/customer/acme", "/customer//callnotify"])
async def test_another_path_is_not_found(path: str) -> None:
    """In TelecomX's words."""
    answer = await asked(CardHouse(), "GET", path)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_a_mistake_of_ours_is_an_internal_error() -> None:
    """As its table of errors has it."""
    answer = language(CardHouse()).refused(Refusal(500, "It is our fault."))
    assert json.loads(bytes(answer.body)) == {
        "error": "internal_error",
        "message": "It is our fault.",
    }


async def test_what_others_have_made_is_not_listed() -> None:
    """Neither what stands in a file."""
    house = CardHouse('[[subscription]]\nname = "crm"\ncustomer = "acme"\nurl = "http://a.b/"\n')
    answer = await asked(house, "GET", ALL)
    assert answer.json() == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(
    st.sampled_from(["_id", "url", "method", "selection", "note"]),
    st.sampled_from(["", "GET1", "ALL", CRM["url"], TCP["url"], "https://é.example/\x00"]) | JSON,
)


@pytest.mark.parametrize("path", [ALL, f"{ALL}/ID"])
@given(sent=FIELDS | JSON)
async def test_whatever_is_sent_is_taken_or_refused(path: str, sent: object) -> None:
    """Never with a mistake of ours, and what was taken can be read back."""
    house = CardHouse()
    identity = await made(house)
    answer = await asked(house, "POST", path.replace("ID", identity), content=as_json(sent))
    assert answer.status_code in {200, 400, 422}
    listed = (await asked(house, "GET", ALL)).json()
    assert answer.status_code != 200 or answer.json() in listed
