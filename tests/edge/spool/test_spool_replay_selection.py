"""Which ended deliveries a replay takes."""

import pytest
from msgspec.structs import replace

from callpost.edge.spool import SqliteSpool
from callpost.model.replay import Selection
from callpost.model.vocabulary import Kind
from edge.spool.replaying import ALL, deliver_all, enrolled, kill_all, replay
from edge.spool.spool_on_disk import Query
from spool_nouns import arrival


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (ALL, "abcdef"),
        (Selection(subscription="crm"), "abcdef"),
        (Selection(subscription="nobody"), ""),
        (Selection(customer="acme"), "cd"),
        (Selection(customer="nobody"), ""),
        (Selection(call_id="x"), "bc"),
        (Selection(event_id="d"), "d"),
        (Selection(event_id="d", call_id="x"), ""),
        (Selection(call_id="x", customer="acme"), "c"),
        (Selection(kinds=frozenset[Kind]({"hangup"})), "e"),
        (Selection(since=20.0), "bcdef"),
        (Selection(until=20.0), "a"),
        (Selection(since=20.0, until=40.0), "bcd"),
    ],
)
@pytest.mark.parametrize("delivered", [False, True])
async def test_a_selection_names_what_is_replayed(
    spool: SqliteSpool, query: Query, selection: Selection, ids: str, *, delivered: bool
) -> None:
    """All criteria must hold, for dead letters as for what was delivered."""
    [owner] = await enrolled(spool, "crm")
    await spool.append(
        [
            arrival("a", owner, at=10.0),
            arrival("b", owner, call="x", at=20.0),
            arrival("c", owner, call="x", customer="acme", at=30.0),
            arrival("d", owner, customer="acme", source="pbx", at=30.0),
            arrival("e", owner, at=40.0, body=b'{"event":"hangup"}'),
            arrival("f", owner, at=50.0, body=b'{"id":"report"}'),
        ]
    )
    await (deliver_all if delivered else kill_all)(spool, owner)
    await replay(spool, replace(selection, delivered=delivered))
    found = query(
        "select e.id from deliveries d join events e on e.number = d.number order by d.position"
    )
    assert "".join(str(name) for (name,) in found) == ids
