"""A history as a text to read: what was promised, then everything that happened, by time."""

from collections.abc import Iterator, Sequence

from faults.history import Arrival, History
from faults.oracle import Breach


def told(
    history: History, deeds: Sequence[tuple[float, str]] = (), breaches: Sequence[Breach] = ()
) -> str:
    """The promises, the story, and in the end the breaches."""
    moments = [*deeds, *_sent(history), *_ended(history)]
    moments += [(one.begun_at, _arrival(one)) for one in history.arrivals]
    story = [f"{at:12.3f}  {what}" for at, what in sorted(moments, key=lambda one: one[0])]
    promises = [f"{one}" for one in history.promises]
    verdict = [f"BREACH of {one.law}: {one.sentence}" for one in breaches]
    return "\n".join([*promises, *story, *verdict])


def _sent(history: History) -> Iterator[tuple[float, str]]:
    for one in history.sent:
        yield one.sent_at, f"{one.id} ({one.kind} of {one.call}) sent, for {set(one.wanted_by)}"
        if one.acknowledged_at is not None:
            yield one.acknowledged_at, f"{one.id} acknowledged as {one.number}"


def _ended(history: History) -> Iterator[tuple[float, str]]:
    for death in history.deaths:
        yield death.at, f"{death.id} (seq {death.seq}) dead at {death.subscription}: {death.reason}"
    for replay in history.replays:
        yield replay.at, f"{replay.id} queued again for {replay.subscription}"
    for at in history.crashes:
        yield at, "CRASH"


def _arrival(one: Arrival) -> str:
    fate = "taken" if one.taken else "not taken"
    heard = "" if one.heard else ", its answer was lost"
    kind = " again by a replay" if one.replay else ""
    return (
        f"{one.id} (seq {one.seq}, attempt {one.attempt}) at {one.subscription}/{one.place}{kind}"
        f" until {one.ended_at:.3f}: {fate}{heard}"
    )
