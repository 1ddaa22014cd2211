"""The plans of the hot queries: none may ever scan what grows with the backlog."""

import re
from pathlib import Path

import pytest

from callpost.edge.logs import collecting_log
from callpost.edge.spool import (
    choice,
    dead,
    enroll,
    ledger,
    open_spool,
    pending,
    read,
    replay,
    said,
    settle,
    story,
    sweep,
)
from callpost.model.limits import SpoolLimits
from edge.spool.spool_on_disk import Query

_DELIVERIES = "SEARCH d USING PRIMARY KEY (subscription=? AND position>?)"
_EVENT = "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)"
_FIRST = "SEARCH deliveries USING PRIMARY KEY (subscription=?)"
_CALL_FROM = "SEARCH e USING {}INDEX events_by_call (call=? AND rowid>?)"
_DEAD_BELOW = "SEARCH d USING {}INDEX dead_by_age ((died_at,number,subscription)<(?,?,?))"
# The event of a letter, and the short lists that it is compared with.
_CHOSEN = [
    "SCAN json_each VIRTUAL TABLE INDEX 1:",
    _EVENT,
    "SCAN json_each VIRTUAL TABLE INDEX 1:",
    "SCAN k VIRTUAL TABLE INDEX 1:",
]
_TOLD = [
    "SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
    "SEARCH s USING INTEGER PRIMARY KEY (rowid=?)",
    "SEARCH n USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
]
_WAITS = "SEARCH x USING PRIMARY KEY (subscription=? AND position=?) LEFT-JOIN"
_EVENTS_OF_A_CALL = [
    "SEARCH s USING COVERING INDEX sqlite_autoindex_scopes_1 (customer=? AND source=?)",
    "SEARCH c USING COVERING INDEX sqlite_autoindex_calls_1 (call_id=? AND scope=?)",
    "SEARCH e USING INDEX events_by_call (call=?)",
]

PLANS = {
    "last reason": (
        settle.LAST_REASON,
        ["SEARCH attempts USING PRIMARY KEY (number=? AND subscription=?)"],
    ),
    "burial": (
        enroll.BURY,
        [
            "SEARCH d USING PRIMARY KEY (subscription=? AND position<?)",
            "SEARCH a USING PRIMARY KEY (number=? AND subscription=?)",
        ],
    ),
    "was answered": (
        said.ANSWERED,
        _EVENTS_OF_A_CALL,
    ),
    "way of a call": (
        said.WAY,
        [*_EVENTS_OF_A_CALL, "USE TEMP B-TREE FOR ORDER BY"],
    ),
    "page by call": (
        read.PAGE["call"],
        [
            _DELIVERIES,
            _EVENT,
            "SEARCH x USING COVERING INDEX deferred_by_call (subscription=? AND call=?)",
        ],
    ),
    "page without order": (
        read.PAGE["none"],
        [_DELIVERIES, _EVENT, "SEARCH x USING PRIMARY KEY (subscription=? AND position=?)"],
    ),
    "page by subscription": (
        read.PAGE["subscription"],
        [
            _DELIVERIES,
            _EVENT,
            "SEARCH x USING COVERING INDEX deferred_by_due (subscription=?)",
        ],
    ),
    "oldest": (read.OLDEST, ["SEARCH d USING PRIMARY KEY (subscription=?)", _EVENT]),
    "due calls": (
        read.DUE["call"],
        ["SEARCH deferred USING INDEX deferred_by_due (subscription=? AND due_at<?)"],
    ),
    "due positions": (
        read.DUE["none"],
        ["SEARCH deferred USING COVERING INDEX deferred_by_due (subscription=? AND due_at<?)"],
    ),
    "due subscription": (
        read.DUE["subscription"],
        ["SEARCH deferred USING COVERING INDEX deferred_by_due (subscription=? AND due_at<?)"],
    ),
    "next due": (
        read.NEXT_DUE,
        ["SEARCH deferred USING COVERING INDEX deferred_by_due (subscription=? AND due_at>?)"],
    ),
    "lane of a call": (
        read.LANE["call"][0],
        [
            _CALL_FROM.format(""),
            _FIRST,
            "SEARCH d USING PRIMARY KEY (subscription=? AND position=?)",
        ],
    ),
    "replays of a call": (
        read.LANE["call"][1],
        [
            "SEARCH d USING INDEX deliveries_replayed (subscription=? AND call=? AND position>?)",
            _EVENT,
        ],
    ),
    "lane of one": (
        read.LANE["none"][0],
        ["SEARCH d USING PRIMARY KEY (subscription=? AND position=?)", _EVENT],
    ),
    "lane of all": (read.LANE["subscription"][0], [_DELIVERIES, _EVENT]),
    "may a call's lane close": (
        settle.PENDING["call"][0],
        [
            _CALL_FROM.format("COVERING "),
            _FIRST,
            "SEARCH d USING PRIMARY KEY (subscription=? AND position=?)",
        ],
    ),
    "has the call a replay": (
        settle.PENDING["call"][1],
        ["SEARCH deliveries USING INDEX deliveries_replayed (subscription=? AND call=?)"],
    ),
    "first with this id": (
        ledger.FIRST_OF,
        ["SEARCH events USING INDEX sqlite_autoindex_events_1 (id=? AND scope=?)"],
    ),
    "call of a callId": (
        ledger.CALL_OF,
        ["SEARCH calls USING COVERING INDEX sqlite_autoindex_calls_1 (call_id=? AND scope=?)"],
    ),
    "counter": (
        ledger.COUNTER_OF,
        ["SEARCH counters USING PRIMARY KEY (call=? AND subscription=?)"],
    ),
    "events to take": (sweep.EVENTS, ["SEARCH events USING INTEGER PRIMARY KEY (rowid>?)"]),
    "dead among them": (
        sweep.DEAD_AMONG,
        ["SEARCH dead USING PRIMARY KEY (number>? AND number<?)"],
    ),
    "replayed among them": (
        sweep.REPLAYED_AMONG,
        ["SEARCH deliveries USING COVERING INDEX deliveries_replayed_of (number>? AND number<?)"],
    ),
    "pending among them": (
        sweep.PENDING_AMONG,
        ["SEARCH deliveries USING PRIMARY KEY (subscription=? AND position>? AND position<?)"],
    ),
    "events that go": (
        sweep.DELETE_EVENTS,
        ["SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"],
    ),
    "attempts that go": (
        sweep.DELETE_ATTEMPTS,
        ["SEARCH attempts USING PRIMARY KEY (number>? AND number<?)"],
    ),
    "old dead letters": (
        sweep.OLD_DEAD,
        ["SEARCH dead USING COVERING INDEX dead_by_age (died_at<?)"],
    ),
    "old calls": (
        sweep.OLD_CALLS,
        [
            "SEARCH calls USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
            "SEARCH e USING COVERING INDEX events_by_call (call=?)",
        ],
    ),
    "counters that go": (
        sweep.DELETE_COUNTERS,
        ["SEARCH counters USING PRIMARY KEY (call=?)"],
    ),
    "how far a look for the expired goes": (
        read.SCANNED,
        [
            "SEARCH deliveries USING PRIMARY KEY (subscription=? AND position>?)",
            # The rows of that search, as many as were asked for.
            "SCAN (subquery-1)",
        ],
    ),
    "expired": (
        read.EXPIRED,
        ["SEARCH d USING PRIMARY KEY (subscription=? AND position>? AND position<?)", _EVENT],
    ),
    "gap": (read.GAP, ["SEARCH dead USING INDEX dead_gaps (subscription=? AND call=?)"]),
    "dead letters to replay": (
        replay.DEAD,
        ["SEARCH dead USING PRIMARY KEY ((number,subscription)>(?,?) AND number<?)"],
    ),
    "dead letters of one subscription to replay": (
        replay.DEAD_OF,
        ["SEARCH dead USING INDEX dead_by_subscription (subscription=? AND number>? AND number<?)"],
    ),
    "made deliveries to replay": (
        replay.TRIED,
        ["SEARCH attempts USING PRIMARY KEY ((number,subscription)>(?,?) AND number<?)"],
    ),
    "event to replay": (
        replay.EVENT,
        [
            _EVENT,
            "SEARCH d USING PRIMARY KEY (subscription=? AND position=?)",
            "SEARCH d USING COVERING INDEX deliveries_replayed_of (number=? AND subscription=?)",
            "SEARCH a USING PRIMARY KEY (number=? AND subscription=?)",
        ],
    ),
    "oldest of a paused subscription": (sweep.OLDEST_OF, [_FIRST]),
    "newest dead letters": (
        dead.NEWEST,
        [
            _DEAD_BELOW.format(""),
            # The rows of that search, as many as a slice has.
            "SCAN d",
            *_CHOSEN,
            *_TOLD,
            "USE TEMP B-TREE FOR ORDER BY",
        ],
    ),
    "end of a slice of dead letters": (
        dead.SLICE_END,
        [_DEAD_BELOW.format("COVERING ")],
    ),
    "dead letters of one subscription": (
        dead.NEWEST_OF,
        [
            "SEARCH d USING INDEX dead_by_subscription (subscription=?)",
            *_CHOSEN,
            *_TOLD,
            "USE TEMP B-TREE FOR ORDER BY",
        ],
    ),
    "how many dead letters one subscription has": (
        dead.COUNT_OF,
        ["SEARCH dead USING COVERING INDEX dead_by_subscription (subscription=?)"],
    ),
    "how many of a slice are meant": (
        dead.COUNT_IN_SLICE,
        [_DEAD_BELOW.format(""), "SCAN d", *_CHOSEN],
    ),
    "how many of one subscription's dead letters are meant": (
        dead.COUNT_WANTED_OF,
        ["SEARCH d USING COVERING INDEX dead_by_subscription (subscription=?)", *_CHOSEN],
    ),
    "numbers of subscriptions": (
        choice.NAMED,
        [
            "SEARCH subscriptions USING COVERING INDEX sqlite_autoindex_subscriptions_1 (name=?)",
            "SCAN json_each VIRTUAL TABLE INDEX 1:",
        ],
    ),
    "scopes of customers": (
        choice.SCOPES,
        [
            "SEARCH scopes USING COVERING INDEX sqlite_autoindex_scopes_1 (customer=?)",
            "SCAN json_each VIRTUAL TABLE INDEX 1:",
        ],
    ),
    "next pending delivery of some customers": (
        pending.NEXT_OF_CUSTOMERS,
        [_DELIVERIES, _EVENT, "SCAN json_each VIRTUAL TABLE INDEX 1:"],
    ),
    "next pending delivery": (
        pending.NEXT,
        ["SEARCH deliveries USING PRIMARY KEY (subscription=? AND position>?)"],
    ),
    "one pending delivery": (
        pending.ONE,
        ["SEARCH d USING PRIMARY KEY (subscription=? AND position=?)", _EVENT, *_TOLD, _WAITS],
    ),
    "calls with a callId": (
        story.CALLS,
        [
            "SEARCH c USING COVERING INDEX sqlite_autoindex_calls_1 (call_id=?)",
            "SEARCH s USING INTEGER PRIMARY KEY (rowid=?)",
        ],
    ),
    "events of a call": (
        story.EVENTS_OF_CALL,
        ["SEARCH events USING INDEX events_by_call (call=?)"],
    ),
    "events with an id": (
        story.EVENTS_OF_ID,
        [
            "SEARCH e USING INDEX sqlite_autoindex_events_1 (id=?)",
            "SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
            "SEARCH s USING INTEGER PRIMARY KEY (rowid=?)",
            "SCAN json_each VIRTUAL TABLE INDEX 1:",
            "USE TEMP B-TREE FOR ORDER BY",
        ],
    ),
    "pending deliveries of an event": (
        story.PENDING,
        [
            "SEARCH k USING PRIMARY KEY (call=?)",
            "SEARCH d USING PRIMARY KEY (subscription=? AND position=?)",
            _WAITS,
        ],
    ),
    "pending replays of an event": (
        story.REPLAYED,
        ["SEARCH d USING INDEX deliveries_replayed_of (number=?)", _WAITS],
    ),
    "dead letters of an event": (story.DEAD, ["SEARCH dead USING PRIMARY KEY (number=?)"]),
    "attempts of an event": (story.ATTEMPTS, ["SEARCH attempts USING PRIMARY KEY (number=?)"]),
    "last event": (replay.LAST_EVENT, ["SEARCH events"]),
    "events of an id": (
        choice.OF_ID,
        ["SEARCH events USING COVERING INDEX sqlite_autoindex_events_1 (id=?)"],
    ),
    "events of a callId": (
        choice.OF_CALL,
        [
            "SEARCH c USING COVERING INDEX sqlite_autoindex_calls_1 (call_id=?)",
            "SEARCH e USING COVERING INDEX events_by_call (call=?)",
        ],
    ),
}


@pytest.fixture
def plan_of(directory: Path, query: Query) -> Query:
    """The steps of a query's plan in an empty spool, headings left out."""
    log = collecting_log(lambda _: None)
    open_spool(directory, limits=SpoolLimits(), log=log).close()

    def plan(sql: str) -> list[tuple[object, ...]]:
        numbered = re.sub(r":\w+", "?", sql)
        steps = query(f"explain query plan {numbered}", *[1] * numbered.count("?"))
        return [
            (detail,) for *_, detail in steps if str(detail).startswith(("SCAN", "SEARCH", "USE"))
        ]

    return plan


@pytest.mark.parametrize("name", PLANS)
def test_a_hot_query_goes_by_its_index(plan_of: Query, name: str) -> None:
    """Each step is a search, in the order that was meant, without sorting."""
    sql, steps = PLANS[name]
    assert [step for (step,) in plan_of(sql)] == steps


def test_pending_subscriptions_are_found_by_hopping(plan_of: Query) -> None:
    """The only scan is over the subscriptions found so far."""
    scans = {step for (step,) in plan_of(sweep.FIRST_PENDING) if str(step).startswith("SCAN")}
    assert scans == {"SCAN owner"}
