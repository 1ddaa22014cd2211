"""Whether a life kept the promise: every law of delivery, asked of what was sent and arrived.

The oracle knows nothing of how callpost works. A law is a function whose docstring says it, and
which tells of each breach in a sentence; what a history does not tell is not judged.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from faults.history import Arrival, Death, History
from faults.ledger import Ledger

# Who is tried so soon after the one before is a fallback in the same round: no pause is as short.
FALLBACK_WITHIN_S: Final = 0.05


@dataclass(frozen=True)
class Breach:
    """One law by its name, and what broke it."""

    law: str
    sentence: str


def breaches_of(history: History) -> list[Breach]:
    """Every breach of every law; none in a life that kept the promise."""
    ledger = Ledger(history)
    return [Breach(law.__name__, sentence) for law in LAWS for sentence in law(ledger)]


def nothing_is_lost(ledger: Ledger) -> Iterator[str]:
    """What was acknowledged has reached everyone that it was for, or is a dead letter."""
    for one in ledger.history.sent:
        for name in one.wanted_by if one.acknowledged_at is not None else ():
            if (name, one.id) not in ledger.taken and (name, one.id) not in ledger.deaths:
                yield f"{one.id} was acknowledged, but never came to {name} and is not dead"


def nothing_is_invented(ledger: Ledger) -> Iterator[str]:
    """Nothing arrives or dies that was not sent, nor for anyone whom it was not for."""
    for noun, name, event_id in (
        *(("arrival", one.subscription, one.id) for one in ledger.history.arrivals),
        *(("dead letter", one.subscription, one.id) for one in ledger.history.deaths),
    ):
        event = ledger.sent.get(event_id)
        if event is None or name not in event.wanted_by | event.perhaps:
            yield f"{noun} of {event_id} at {name}: nobody has sent that"


def bodies_are_intact(ledger: Ledger) -> Iterator[str]:
    """A body says what the producer has said."""
    for one in ledger.history.arrivals:
        event = ledger.sent.get(one.id)
        if event is not None and (event.digest, event.call) != (one.digest, one.call):
            yield f"{one.id} came to {one.subscription} with another body"


def seqs_are_for_good(ledger: Ledger) -> Iterator[str]:
    """Within a call a seq belongs to one event, whatever happens, and an event has one seq."""
    for (name, call), arrivals in ledger.calls.items():
        ids = ledger.seqs((name, call))
        if len(set(ids.values())) != len(ids):
            yield f"{name} heard of an event of {call} under two seqs: {ids}"
        for one in arrivals:
            if ids[one.seq] != one.id:
                yield f"{name} heard of seq {one.seq} of {call} as {one.id} and {ids[one.seq]}"


def each_names_the_one_before(ledger: Ledger) -> Iterator[str]:
    """`previousId` is the id of the event with the seq before; the first has none."""
    for (name, call), arrivals in ledger.calls.items():
        ids = ledger.seqs((name, call))
        for one in arrivals:
            before = "" if one.seq == 1 else ids.get(one.seq - 1, one.previous_id)
            if one.previous_id != before:
                yield f"{name}: {one.id} of {call} names {one.previous_id!r}, not {before!r}"


def seqs_follow_the_producer(ledger: Ledger) -> Iterator[str]:
    """What was sent after an acknowledgement has a higher seq than what was acknowledged."""
    for name, call in ledger.calls:
        latest_sent_at = float("-inf")
        for _, event_id in sorted(ledger.seqs((name, call)).items()):
            event = ledger.sent.get(event_id)
            if event is None:
                continue
            if event.acknowledged_at is not None and event.acknowledged_at < latest_sent_at:
                yield f"{name}: {event_id} of {call} has a higher seq than what was sent later"
            latest_sent_at = max(latest_sent_at, event.sent_at)


def first_arrivals_are_in_order(ledger: Ledger) -> Iterator[str]:
    """Of a call, or of a subscription where it asks for that, in the order of acceptance."""
    for (name, lane), arrivals in ledger.lanes.items():
        highest = 0
        for one in _first_taken(arrivals):
            place = _place_in_order(ledger, one)
            if place is not None and place < highest:
                yield f"{name}: {one.id} of {lane or one.call} came after a later one"
            highest = max(highest, place or 0)


def gaps_are_marked(ledger: Ledger) -> Iterator[str]:
    """When an event first goes out, all before it in its call have come or are dead letters."""
    for call, arrivals in ledger.calls.items():
        if ledger.promise_of(call[0]).order == "none":
            continue
        died_at: dict[int, float] = {}
        for death in ledger.deaths_of_calls.get(call, ()):
            died_at.setdefault(death.seq, death.at)
        come: set[int] = set()
        complete = 0
        for one in arrivals:
            while complete + 1 in come or died_at.get(complete + 1, float("inf")) <= one.begun_at:
                complete += 1
            if not one.replay and one.seq > complete + 1:
                yield f"{call[0]}: {one.id} of {call[1]} has seq {one.seq}, but {complete + 1} ..."
            if one.taken:
                come.add(one.seq)


def calls_are_complete(ledger: Ledger) -> Iterator[str]:
    """In the end every seq up to the highest has come or is a dead letter."""
    for name, call in ledger.calls:
        ids = ledger.seqs((name, call))
        missing = set(range(1, max(ids) + 1)) - ids.keys()
        if missing:
            yield f"{name} never heard of seq {sorted(missing)} of {call}, and they are not dead"


def nothing_is_doubled(ledger: Ledger) -> Iterator[str]:
    """A repeat comes over a crash, after an answer that was lost, or by an operator's replay."""
    for (name, event_id), arrivals in ledger.taken.items():
        for before, after in pairwise(arrivals):
            if not ledger.may_repeat(before, after.begun_at):
                yield f"{name} took {event_id} at {before.begun_at:.3f} and at {after.begun_at:.3f}"


def the_delivered_do_not_die(ledger: Ledger) -> Iterator[str]:
    """What was delivered becomes a dead letter only where nobody could know that it was."""
    for place, deaths in ledger.deaths.items():
        for death in deaths:
            before = [one for one in ledger.taken.get(place, ()) if one.ended_at <= death.at]
            if before and not ledger.may_repeat(before[-1], death.at):
                yield f"{place[0]} took {place[1]}, and then it died ({death.reason})"


def deaths_have_their_reasons(ledger: Ledger) -> Iterator[str]:
    """A dead letter says why, and that can be; what is stale has its hangup, a gap its cause."""
    for death in ledger.history.deaths:
        if death.reason not in ledger.promise_of(death.subscription).reasons:
            yield f"{death.id} died of {death.reason!r} at {death.subscription}"
        call = (death.subscription, death.call)
        if death.reason == "gap" and not any(
            one.at <= death.at and one.seq != death.seq and one.reason != "superseded"
            for one in ledger.deaths_of_calls[call]
        ):
            yield f"{death.id} died of a gap at {death.subscription}, where there is none"
        if death.reason == "superseded" and not any(
            seq > death.seq and event_id in ledger.sent and ledger.sent[event_id].kind == "hangup"
            for seq, event_id in ledger.seqs(call).items()
        ):
            yield f"{death.id} was superseded at {death.subscription} with no hangup after it"


def the_log_tells_the_truth(ledger: Ledger) -> Iterator[str]:
    """Whom the log calls dead is dead, and it says so once for each death."""
    told = Counter(ledger.history.told)
    died = Counter((one.subscription, one.id, one.reason) for one in ledger.history.deaths)
    for name, event_id, reason in told - died:
        yield f"the log says that {event_id} died at {name} ({reason}), but it did not"


def the_old_are_given_up(ledger: Ledger) -> Iterator[str]:
    """No round begins when the event is past its age; a replay has an age of its own."""
    ended_at: dict[tuple[str, str], float] = {}
    for one in ledger.history.arrivals:
        place = (one.subscription, one.id)
        is_fallback = one.begun_at - ended_at.get(place, float("-inf")) < FALLBACK_WITHIN_S
        ended_at[place] = one.ended_at
        event = ledger.sent.get(one.id)
        if one.replay or is_fallback or event is None or event.acknowledged_at is None:
            continue
        age_s = ledger.promise_of(one.subscription).ages_s.get(event.kind, float("inf"))
        if one.begun_at > event.acknowledged_at + age_s:
            yield f"{one.id} went to {one.subscription} at {one.begun_at:.3f}, past its age"


def lanes_go_one_by_one(ledger: Ledger) -> Iterator[str]:
    """Of a call, or a subscription where it asks for that, one attempt is out at a time."""
    for (name, _), arrivals in ledger.lanes.items():
        in_turn = sorted(arrivals, key=lambda one: one.begun_at)
        for before, after in pairwise(in_turn):
            if after.begun_at < before.ended_at:
                yield f"{name}: {before.id} and {after.id} were out together"


def nobody_is_crowded(ledger: Ledger) -> Iterator[str]:
    """No more attempts are out at a subscription than its `concurrency` allows."""
    for name, promise in ledger.promises.items():
        if promise.concurrency is None:
            continue
        out = 0
        # An end comes before a beginning of the same moment.
        moments = [
            moment
            for one in ledger.history.arrivals
            if one.subscription == name and one.ended_at > one.begun_at
            for moment in ((one.begun_at, 1), (one.ended_at, -1))
        ]
        for at, change in sorted(moments):
            out += change
            if out > promise.concurrency:
                yield f"{name} had {out} attempts out at {at:.3f}"


def doors_are_the_right_ones(ledger: Ledger) -> Iterator[str]:
    """With a status callback the new calls go one way and everything after them another."""
    for one in ledger.history.arrivals:
        if ledger.promise_of(one.subscription).has_callback:
            if (one.kind == "newCall") is (one.place == "callback"):
                yield f"{one.id} ({one.kind}) came to {one.place} of {one.subscription}"
        elif one.place == "callback":
            yield f"{one.id} came to a callback that {one.subscription} does not have"


def ends_are_reported(ledger: Ledger) -> Iterator[str]:
    """Each end that a report is owed for is reported, and nothing is that has not ended so."""
    reports = {(one.subscription, one.event_id, one.ended) for one in ledger.history.reports}
    died = {(*place, "dead") for place in ledger.deaths}
    made = {(*place, "delivered") for place in ledger.taken}
    for name, event_id, ended in sorted(reports - died - made):
        yield f"{event_id} was reported as {ended} by {name}, but it is not"
    # With a subscription go its reports.
    removed = {place for place, deaths in ledger.deaths.items() if _were_removed(deaths)}
    owed = {one for one in died | made if one[:2] not in removed}
    owed -= {one for one in made if one[:2] in ledger.deaths}
    for name, event_id, ended in sorted(owed - reports):
        if ended in ledger.promise_of(name).reported:
            yield f"{event_id} was {ended} at {name} and nobody has reported it"


def the_fresh_come_soon(ledger: Ledger) -> Iterator[str]:
    """After the faults have stopped a fresh event is delivered within a bound."""
    for one in ledger.history.sent:
        if one.within_s is None:
            continue
        for name in one.wanted_by:
            first = next(iter(ledger.taken.get((name, one.id), ())), None)
            if first is None or first.ended_at > one.sent_at + one.within_s:
                yield f"{one.id} did not come to {name} within {one.within_s:.0f} s"


LAWS: Final[tuple[Callable[[Ledger], Iterator[str]], ...]] = (
    nothing_is_lost,
    nothing_is_invented,
    bodies_are_intact,
    seqs_are_for_good,
    each_names_the_one_before,
    seqs_follow_the_producer,
    first_arrivals_are_in_order,
    gaps_are_marked,
    calls_are_complete,
    nothing_is_doubled,
    the_delivered_do_not_die,
    deaths_have_their_reasons,
    the_log_tells_the_truth,
    the_old_are_given_up,
    lanes_go_one_by_one,
    nobody_is_crowded,
    doors_are_the_right_ones,
    ends_are_reported,
    the_fresh_come_soon,
)


def _were_removed(deaths: list[Death]) -> bool:
    return any(one.reason == "subscription_removed" for one in deaths)


def _first_taken(arrivals: list[Arrival]) -> Iterator[Arrival]:
    """Those that a receiver had not taken before; a replay comes when its operator wants it."""
    seen: set[str] = set()
    for one in arrivals:
        if one.taken and not one.replay and one.id not in seen:
            seen.add(one.id)
            yield one


def _place_in_order(ledger: Ledger, one: Arrival) -> int | None:
    match ledger.promise_of(one.subscription).order:
        case "call":
            return one.seq
        case "subscription":
            event = ledger.sent.get(one.id)
            return None if event is None else event.number
        case "none":
            return None
