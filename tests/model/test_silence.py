"""The hangup that the daemon sends for a call that nobody has ended."""

from callpost.model.event import CallEvent, encode
from callpost.model.silence import SilentCall, hangup_of

FIRST = CallEvent(
    event="newCall",
    call_id="c-1",
    id="a",
    from_="+4526110203",
    to="+4570305050",
    direction="in",
    user=("Alice", "Bob"),
    customer="acme",
    source="pbx-1",
    data={"k": "v"},
)
LAST = CallEvent(
    event="answer",
    call_id="c-1",
    id="b",
    user=("Alice",),
    customer="acme",
    source="pbx-1",
    answer_time="2026-01-01T00:00:00.000Z",
)


def silent_call(number: int = 2) -> SilentCall:
    """A call that was answered, and then nothing."""
    return SilentCall(
        number=number, customer="acme", source="pbx-1", first=encode(FIRST), last=encode(LAST)
    )


def test_the_hangup_says_whose_call_it_was_and_who_ended_it() -> None:
    """What is known of the parties comes from its events, the latest word counts."""
    hangup = hangup_of(silent_call(), time="2026-01-01T06:00:00.000Z", answered=False)
    assert hangup == CallEvent(
        event="hangup",
        call_id="c-1",
        id=hangup.id,
        from_="+4526110203",
        to="+4570305050",
        direction="in",
        user=("Alice",),
        cause="unknown",
        time="2026-01-01T06:00:00.000Z",
        customer="acme",
        source="callpost",
        answered=True,
        answer_time="2026-01-01T00:00:00.000Z",
    )


def test_one_silence_has_one_hangup() -> None:
    """Found again after a restart it has the same id, and is stored once."""
    ids = {hangup_of(silent_call(), time=time, answered=False).id for time in ("x", "y")}
    assert len(ids) == 1


def test_another_silence_of_the_call_has_another() -> None:
    """A call that went on after all and fell silent again is ended again."""
    first = hangup_of(silent_call(2), time="x", answered=False).id
    assert hangup_of(silent_call(7), time="x", answered=False).id != first
