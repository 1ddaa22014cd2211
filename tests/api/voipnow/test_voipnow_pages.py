"""Lists of VoipNow by the page: count, start, filter, fields, order, and the links between them."""

import pytest

from api.voipnow.uapi import EVENTS, Uapi, a_uapi, refused


async def some(uapi: Uapi, many: int) -> list[object]:
    """Make so many events; their URLs fall from the first to the last."""
    urls = [f"http://{many - number:02}.example/" for number in range(many)]
    return [(await uapi.make(url=url, type=number % 5))["url"] for number, url in enumerate(urls)]


def urls(entry: list[dict[str, object]]) -> list[object]:
    """Which ones they are."""
    return [event["url"] for event in entry]


async def test_a_page_has_twenty_events_where_no_more_is_asked_for() -> None:
    """And says where the next ones are."""
    async with a_uapi() as uapi:
        made = await some(uapi, 21)
        answer = (await uapi.client.get(EVENTS)).json()
        rest = (await uapi.client.get(answer["links"]["next"])).json()
    assert (urls(answer["entry"]), urls(rest["entry"])) == (made[:20], made[20:])
    assert rest["links"] == {"prev": f"http://api.example{EVENTS}?startIndex=0&count=20"}


async def test_pages_lead_from_one_to_the_other_with_all_that_was_asked() -> None:
    """Until there are no more."""
    async with a_uapi() as uapi:
        made = await some(uapi, 7)
        found: list[object] = []
        link = f"{EVENTS}/?count=3&fields=url&sortOrder=ascending"
        while link:
            answer = (await uapi.client.get(link)).json()
            found += answer["entry"]
            link = answer.get("links", {}).get("next", "")
    assert found == [{"url": url} for url in reversed(made)]


async def test_one_page_needs_no_links() -> None:
    """The answer is then what a saved list has."""
    async with a_uapi() as uapi:
        await uapi.make()
        assert [*(await uapi.client.get(EVENTS)).json()] == ["entry"]


@pytest.mark.parametrize(
    ("query", "which"),
    [
        ("startIndex=1&count=1", [1]),
        ("startIndex=5000", []),
        ("count=5000", [0, 1, 2]),
        ("filterBy=type&filterValue=1", [1]),
        ("filterBy=url&filterValue=http://03.example/", [0]),
        ("filterBy=note&filterValue=", []),
        ("sortOrder=ascending", [2, 1, 0]),
        ("sortOrder=descending", [0, 1, 2]),
        ("count=&startIndex=&fields=&filterBy=&sortOrder=", [0, 1, 2]),
        ("sortOder=ascending&unknown=1", [0, 1, 2]),
    ],
)
async def test_a_query_says_which_events_are_meant(query: str, which: list[int]) -> None:
    """What VoipNow does not know is passed over."""
    async with a_uapi() as uapi:
        made = await some(uapi, 3)
        found = urls(await uapi.listed(f"{EVENTS}?{query}"))
    assert found == [made[number] for number in which]


async def test_only_some_fields_can_be_asked_for() -> None:
    """In the order that they always have."""
    async with a_uapi() as uapi:
        made = await uapi.make()
        [found] = await uapi.listed(f"{EVENTS}?fields=id,type")
    assert [*found.items()] == [("type", "0"), ("id", made["id"])]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("count=0", "count_invalid"),
        ("count=5001", "count_invalid"),
        ("count=x", "count_invalid"),
        ("count=" + "9" * 5_000, "count_invalid"),
        ("startIndex=-1", "startindex_invalid"),
        ("startIndex=5001", "startindex_invalid"),
        ("fields=id,colour", "fields_invalid"),
        ("fields=,", "fields_invalid"),
        ("filterBy=links&filterValue=x", "filterby_invalid"),
        ("filterBy=type", "filtervalue_invalid"),
        ("sortOrder=up", "sortorder_invalid"),
    ],
)
async def test_a_query_at_fault_has_its_code(query: str, code: str) -> None:
    """Those of the page on return codes, and one after their pattern."""
    async with a_uapi() as uapi:
        assert refused(await uapi.client.get(f"{EVENTS}?{query}")) == (400, code)
