"""Small histories with one thing wrong each, and some with what only looks wrong.

One call of three events to one subscription, told by hand: here is what each law means.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from faults.history import Arrival, Death, History, Promise, Replay, Reported, Sent

Happen = Callable[[History], None]


def a_promise() -> Promise:
    """A subscription in the order of calls, with reports about the dead."""
    reasons = frozenset({"expired", "gap", "superseded"})
    return Promise(
        name="crm",
        reasons=reasons,
        reported=frozenset({"dead"}),
        concurrency=2,
        ages_s={"newCall": 60.0},
    )


def an_event(place: int, *, call: str = "c1", **changes: Any) -> Sent:  # noqa: ANN401 - any field
    """The event number `place`, acknowledged."""
    event = Sent(
        id=f"e{place}",
        call=call,
        kind="newCall",
        digest="d",
        wanted_by=frozenset({"crm"}),
        sent_at=float(place),
        acknowledged_at=place + 0.1,
        number=place,
    )
    return replace(event, **changes)


def an_arrival(place: int, *, at: float | None = None, **changes: Any) -> Arrival:  # noqa: ANN401 - any field
    """The event number `place` of the call comes and is taken."""
    begun_at = place + 0.2 if at is None else at
    arrival = Arrival(
        subscription="crm",
        place="primary",
        id=f"e{place}",
        call="c1",
        kind="newCall",
        seq=place,
        previous_id=f"e{place - 1}" if place > 1 else "",
        attempt=1,
        digest="d",
        begun_at=begun_at,
        ended_at=begun_at + 0.1,
    )
    return replace(arrival, **changes)


def a_death(place: int, *, at: float, reason: str = "expired") -> Death:
    """The event number `place` of the call becomes a dead letter."""
    return Death("crm", f"e{place}", "c1", place, reason, at)


def a_good_life() -> History:
    """Three events of one call: two come, and the last dies and is reported."""
    return History(
        promises=[a_promise()],
        sent=[an_event(1), an_event(2), an_event(3)],
        arrivals=[an_arrival(1), an_arrival(2)],
        deaths=[a_death(3, at=60.0)],
        told=[("crm", "e3", "expired")],
        reports=[Reported("crm", "e3", "dead")],
        settles_within_s=0.5,
    )


def lose(life: History) -> None:
    """The last of a call vanishes."""
    life.sent.append(an_event(4))


def invent(life: History) -> None:
    """Something comes that nobody has sent."""
    life.arrivals.append(an_arrival(1, at=50.0, id="e9", call="c9"))


def misdirect(life: History) -> None:
    """Something comes to whom it was not for."""
    life.sent.append(an_event(9, call="c9", wanted_by=frozenset()))
    life.arrivals.append(an_arrival(1, at=50.0, id="e9", call="c9"))


def bury_a_stranger(life: History) -> None:
    """A dead letter of something that nobody has sent."""
    life.deaths.append(Death("crm", "e9", "c9", 1, "expired", 70.0))
    life.reports.append(Reported("crm", "e9", "dead"))


def garble(life: History) -> None:
    """A body is not what was sent."""
    life.arrivals[1].digest = "x"


def mistake_the_call(life: History) -> None:
    """A body is of another call."""
    life.sent.append(an_event(7, call="c7"))
    life.arrivals.append(an_arrival(1, at=50.0, id="e7", call="c8"))


def renumber(life: History) -> None:
    """One event comes under two seqs."""
    life.sent.append(an_event(4))
    life.arrivals += [an_arrival(4, at=61.0), an_arrival(5, at=62.0, id="e4", taken=False)]


def share_a_seq(life: History) -> None:
    """Two events come under one seq."""
    life.sent.append(an_event(4))
    life.arrivals.append(an_arrival(2, at=4.5, id="e4"))


def forget_the_previous(life: History) -> None:
    """The second does not name the first."""
    life.arrivals[1].previous_id = ""


def name_a_previous(life: History) -> None:
    """The first names one before it."""
    life.arrivals[0].previous_id = "e0"


def number_backwards(life: History) -> None:
    """What was sent later has the lower seq."""
    life.sent[0].sent_at, life.sent[0].acknowledged_at = 2.5, 2.6


def swap(life: History) -> None:
    """The second comes first, although the first was marked as dead then, and lived."""
    life.deaths.append(a_death(1, at=0.1))
    life.told.append(("crm", "e1", "expired"))
    life.reports.append(Reported("crm", "e1", "dead"))
    life.arrivals = [an_arrival(2), an_arrival(1, at=5.0)]


def swap_the_subscription(life: History) -> None:
    """In the order of a subscription even calls must not overtake each other."""
    life.promises[0].order = "subscription"
    life.sent.append(an_event(4, call="c4"))
    life.arrivals.insert(0, an_arrival(1, at=0.2, id="e4", call="c4"))


def skip(life: History) -> None:
    """The third goes out while the second has neither come nor died."""
    life.sent.append(an_event(4))
    life.arrivals.append(an_arrival(4, at=50.0))


def skip_what_was_refused(life: History) -> None:
    """What came but was not taken does not count as come."""
    life.arrivals[0].taken = False
    life.arrivals.append(an_arrival(1, at=10.0))


def leave_a_hole(life: History) -> None:
    """A seq belongs to nothing that was ever sent, even where order does not matter."""
    life.promises[0].order = "none"
    life.sent.append(an_event(5))
    life.arrivals.append(an_arrival(5, at=50.0, previous_id="e9"))


def repeat(life: History) -> None:
    """The first comes again for no reason."""
    life.arrivals.append(an_arrival(1, at=10.0, attempt=2))


def repeat_long_after_a_crash(life: History) -> None:
    """The crash came when everybody had long written down that it was delivered."""
    life.crashes.append(5.0)
    life.arrivals.append(an_arrival(1, at=10.0, attempt=2))


def replay_twice(life: History) -> None:
    """One replay brings it twice."""
    life.replays.append(Replay("crm", "e1", 9.0))
    life.arrivals += [an_arrival(1, at=at, replay=True) for at in (10.0, 20.0)]


def kill_the_delivered(life: History) -> None:
    """It came, everybody knew, and it died."""
    life.deaths.append(a_death(2, at=30.0))
    life.reports.append(Reported("crm", "e2", "dead"))


def die_without_a_reason(life: History) -> None:
    """A dead letter without a reason."""
    life.deaths[0].reason = ""
    life.told.clear()


def die_of_what_cannot_be(life: History) -> None:
    """The configuration does not have it."""
    life.deaths[0].reason = "overflow"
    life.told.clear()


def die_of_no_gap(life: History) -> None:
    """A gap where everything before it has come."""
    life.deaths[0].reason = "gap"
    life.told.clear()


def supersede_by_nothing(life: History) -> None:
    """Superseded, and no hangup was ever sent."""
    life.deaths[0].reason = "superseded"
    life.told.clear()


def supersede_after_the_end(life: History) -> None:
    """Superseded by a hangup that was before it."""
    life.sent[1].kind = "hangup"
    supersede_by_nothing(life)


def mourn_the_living(life: History) -> None:
    """The log tells of a death that was none."""
    life.told.append(("crm", "e2", "expired"))


def mourn_twice(life: History) -> None:
    """The log tells of one death twice."""
    life.told.append(life.told[0])


def grow_old(life: History) -> None:
    """It is sent again when nobody wants to hear of it any more."""
    life.arrivals[1].taken = False
    life.arrivals.append(an_arrival(2, at=70.0))


def overlap(life: History) -> None:
    """The second goes out while the first is still out."""
    life.deaths.append(a_death(1, at=0.1))
    life.reports.append(Reported("crm", "e1", "dead"))
    life.arrivals[0] = replace(an_arrival(1), taken=False, ended_at=2.5)


def crowd(life: History) -> None:
    """Three calls are out where two may be."""
    for place in (4, 5, 6):
        life.sent.append(an_event(place, call=f"c{place}"))
        life.arrivals.append(an_arrival(1, at=9.0, id=f"e{place}", call=f"c{place}"))


def knock_at_a_callback(life: History) -> None:
    """A subscription without a callback has one visited."""
    life.arrivals[0].place = "callback"


def knock_at_the_primary(life: History) -> None:
    """With a callback only new calls go to the primary."""
    life.promises[0].has_callback = True
    life.arrivals[1].kind = "hangup"


def keep_a_death_quiet(life: History) -> None:
    """A death that a report is owed for has none."""
    life.reports.clear()


def report_what_lives(life: History) -> None:
    """A report tells of a death that was none."""
    life.reports.append(Reported("crm", "e2", "dead"))


def be_late(life: History) -> None:
    """The fresh event takes too long."""
    life.sent.append(an_event(7, call="c7", within_s=10.0))
    life.arrivals.append(an_arrival(1, at=50.0, id="e7", call="c7"))


# Which laws each history breaks; most break one, some cannot but break a second.
BROKEN: Final[dict[Happen, set[str]]] = {
    lose: {"nothing_is_lost"},
    invent: {"nothing_is_invented"},
    misdirect: {"nothing_is_invented"},
    bury_a_stranger: {"nothing_is_invented"},
    garble: {"bodies_are_intact"},
    mistake_the_call: {"bodies_are_intact"},
    renumber: {"seqs_are_for_good"},
    share_a_seq: {"seqs_are_for_good"},
    forget_the_previous: {"each_names_the_one_before"},
    name_a_previous: {"each_names_the_one_before"},
    number_backwards: {"seqs_follow_the_producer"},
    swap: {"first_arrivals_are_in_order"},
    swap_the_subscription: {"first_arrivals_are_in_order"},
    skip: {"gaps_are_marked"},
    skip_what_was_refused: {"gaps_are_marked", "first_arrivals_are_in_order"},
    leave_a_hole: {"calls_are_complete"},
    repeat: {"nothing_is_doubled"},
    repeat_long_after_a_crash: {"nothing_is_doubled"},
    replay_twice: {"nothing_is_doubled"},
    kill_the_delivered: {"the_delivered_do_not_die"},
    die_without_a_reason: {"deaths_have_their_reasons"},
    die_of_what_cannot_be: {"deaths_have_their_reasons"},
    die_of_no_gap: {"deaths_have_their_reasons"},
    supersede_by_nothing: {"deaths_have_their_reasons"},
    supersede_after_the_end: {"deaths_have_their_reasons"},
    mourn_the_living: {"the_log_tells_the_truth"},
    mourn_twice: {"the_log_tells_the_truth"},
    grow_old: {"the_old_are_given_up"},
    overlap: {"lanes_go_one_by_one"},
    crowd: {"nobody_is_crowded"},
    knock_at_a_callback: {"doors_are_the_right_ones"},
    knock_at_the_primary: {"doors_are_the_right_ones"},
    keep_a_death_quiet: {"ends_are_reported"},
    report_what_lives: {"ends_are_reported"},
    be_late: {"the_fresh_come_soon"},
}


def repeat_after_a_crash(life: History) -> None:
    """The crash came before it could be written that it was delivered."""
    life.crashes.append(1.5)
    life.arrivals.insert(1, an_arrival(1, at=1.7, attempt=2))


def repeat_after_a_lost_answer(life: History) -> None:
    """Only the receiver knows that it had taken it."""
    life.arrivals[0].heard = False
    life.arrivals.insert(1, an_arrival(1, at=1.7, attempt=2))


def replay(life: History) -> None:
    """An operator wanted it again; also the dead."""
    life.replays += [Replay("crm", "e1", 100.0), Replay("crm", "e3", 100.0)]
    life.arrivals += [an_arrival(1, at=101.0, replay=True), an_arrival(3, at=102.0, replay=True)]


def die_after_a_lost_answer(life: History) -> None:
    """It was taken, nobody heard so, and it grew too old."""
    life.arrivals[1].heard = False
    life.deaths.insert(0, a_death(2, at=30.0))
    life.reports.append(Reported("crm", "e2", "dead"))


def arrive_unacknowledged(life: History) -> None:
    """The reply was lost in a crash; the event was not."""
    life.sent[1].acknowledged_at = life.sent[1].number = None


def vanish_unacknowledged(life: History) -> None:
    """Nobody was promised anything."""
    life.sent.append(an_event(4, acknowledged_at=None, number=None))


ALLOWED: Final[tuple[Happen, ...]] = (
    repeat_after_a_crash,
    repeat_after_a_lost_answer,
    replay,
    die_after_a_lost_answer,
    arrive_unacknowledged,
    vanish_unacknowledged,
)
