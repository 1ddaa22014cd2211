"""Any request at all: VoipNow's door answers it, and never by a mistake of its own."""

import json

import trio
from hypothesis import given
from hypothesis import strategies as st

from api.voipnow.uapi import EVENTS, EXAMPLE, a_uapi
from callpost.api.document import Item
from callpost.api.voipnow.items import Event, read_event, said

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from([*EXAMPLE, "id", "links", "x"]), ANY_JSON, max_size=4)
PATHS = st.sampled_from(["", "/", "/0", "/2/", "/9", "/0/1", "/0/ID", "/0/ID/", "/0//"])
EVENT = st.builds(
    Event,
    type=st.integers(0, 4),
    method=st.sampled_from(["GET1", "POSTARGS"]),
    note=st.text(st.characters(codec="utf-8"), max_size=20),
    url=st.sampled_from(["https://a.example/x?y=1", "http://b.example:8080"]),
    is_enabled=st.booleans(),
)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=PATHS,
    body=ANY_JSON | FIELDS | FIELDS.map(lambda fields: EXAMPLE | fields),
)
def test_any_json_is_answered(method: str, path: str, body: object) -> None:
    """With one of the statuses that the documentation has, and JSON."""

    async def asked() -> int:
        async with a_uapi() as uapi:
            made = await uapi.make()
            at = f"{EVENTS}{path.replace('ID', str(made['id']))}"
            content = json.dumps(body).encode()
            headers = {"content-type": "application/json"}
            answer = await uapi.client.request(method, at, content=content, headers=headers)
            assert answer.json() is not None
            return answer.status_code

    assert trio.run(asked) in {200, 201, 400, 404, 405}


@given(user=st.text(max_size=8), extension=st.text(max_size=8), query=st.text(max_size=20))
def test_any_path_and_query_is_answered(user: str, extension: str, query: str) -> None:
    """Whatever somebody writes there."""

    async def asked() -> int:
        async with a_uapi() as uapi:
            at = f"/uapi/extensions/{_quoted(user)}/{_quoted(extension)}/phoneCallEvents"
            return (await uapi.client.get(f"{at}?fields={_quoted(query)}")).status_code

    assert trio.run(asked) in {200, 400, 404}


@given(EVENT)
def test_an_event_reads_as_it_was_written(event: Event) -> None:
    """In the words of VoipNow, and every field of it."""
    item = Item("$", said(event))
    assert (read_event(item, type_code="x"), item.faults) == (event, [])


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "replace"))
