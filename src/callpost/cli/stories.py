"""Stories as they are read: each event, below it who wanted it, below that each attempt.

On a terminal times are local, with the day and the zone said once; elsewhere RFC 3339 in UTC.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.text import Text

from callpost.cli.figures import counted
from callpost.cli.tables import folded
from callpost.cli.waits import Waits, in_a_sentence
from callpost.model.story import AttemptStory, CallStory, DeliveryStory, EventStory
from callpost.model.terminal import escaped

_STYLES: Final = {"delivered": "green", "dead": "red", "pending": "yellow", "retry": "yellow"}
# Of a long row of attempts the first ones tell how it began, the last ones how it stands.
_FIRST: Final = 3
_LAST: Final = 6
_DELIVERY_INDENT: Final = 2
_ATTEMPT_INDENT: Final = 6
_HANGING: Final = 2
_NARROWEST: Final = 20


def call_told(
    story: CallStory, width: int | None, *, waits: Waits, subscription: str = ""
) -> list[Text]:
    """The lines of a call; its story is that of one subscription where one is given."""
    times = _Times(width, [event.accepted_at for event in story.events], waits)
    lines = [*_line(f"Call {story.call_id}", 0, width, style="bold"), *times.said_once()]
    for event in story.events:
        lines += [Text(""), *_event(event, times, width, subscription, of_call=True)]
    if story.more:
        lines += [Text(""), *_line("There are further events; --limit shows more.", 0, width)]
    return lines


def events_told(
    events: Sequence[EventStory], width: int | None, *, waits: Waits, subscription: str = ""
) -> list[Text]:
    """The lines of the events that have one id."""
    times = _Times(width, [event.accepted_at for event in events], waits)
    lines = list(times.said_once())
    for event in events:
        lines += [Text("")] if lines else []
        lines += _event(event, times, width, subscription, of_call=False)
    return lines


class _Times:
    """Writes moments; on a terminal without the day that most of them have."""

    def __init__(self, width: int | None, moments: Sequence[str], waits: Waits) -> None:
        self._waits = waits
        self._is_local = width is not None
        self._width = width
        self._day = self._local(moments[0]).date() if moments else None

    def said_once(self) -> Iterator[Text]:
        """The day and the zone."""
        if self._is_local and self._day is not None:
            zone = f"{datetime.now().astimezone():%Z}"
            yield from _line(f"{self._day}, times in {zone}", 0, self._width, style="dim")

    def of(self, text: str) -> str:
        """A moment to the millisecond."""
        if not self._is_local:
            return text
        local = self._local(text)
        day = "" if local.date() == self._day else f"{local.date()} "
        return f"{day}{local:%H:%M:%S}.{local.microsecond // 1000:03}"

    def wait(self, delivery: DeliveryStory) -> str:
        """When a pending delivery goes on, or what it waits for."""
        wait = self._waits.of(delivery.subscription, delivery.next_attempt_at)
        return in_a_sentence(wait, self.of)

    def _local(self, text: str) -> datetime:
        return datetime.fromisoformat(text).astimezone()


def _event(
    event: EventStory, times: _Times, width: int | None, subscription: str, *, of_call: bool
) -> Iterator[Text]:
    heading = f"{times.of(event.accepted_at)}  {event.kind or 'delivery report'}"
    yield from _line(heading, 0, width, style="bold")
    yield from _line(", ".join(_about(event, of_call=of_call)), _DELIVERY_INDENT, width)
    if not event.deliveries:
        nobody = f"nothing for {subscription}" if subscription else "nobody wanted it"
        yield from _line(nobody, _DELIVERY_INDENT, width, style="dim")
    for delivery in event.deliveries:
        yield from _delivery(delivery, times, width)


def _about(event: EventStory, *, of_call: bool) -> Iterator[str]:
    if not of_call:
        yield f"call {event.call_id}"
    parties = [
        f"{word} {party}" for word, party in (("from", event.caller), ("to", event.called)) if party
    ]
    if parties:
        yield " ".join(parties)
    if event.direction:
        yield event.direction
    if event.customer:
        yield f"customer {event.customer}"
    if event.source:
        yield f"source {event.source}"
    yield f"id {event.event_id}"


def _delivery(delivery: DeliveryStory, times: _Times, width: int | None) -> Iterator[Text]:
    again = " (replay)" if delivery.replay else ""
    words = f"{delivery.subscription}, seq {delivery.seq}{again}: {_fate(delivery, times)}"
    style = _STYLES[delivery.state]
    yield from _line(words, _DELIVERY_INDENT, width, style=style)
    attempts = delivery.attempts
    left_out = len(attempts) - _FIRST - _LAST
    # To say that one is left out takes as much room as the one.
    if left_out <= 1:
        yield from _attempts(attempts, times, width)
        return
    yield from _attempts(attempts[:_FIRST], times, width)
    more = f"... {counted(left_out, 'further attempt')} (--json shows all)"
    yield from _line(more, _ATTEMPT_INDENT, width, style="dim")
    yield from _attempts(attempts[-_LAST:], times, width)


def _fate(delivery: DeliveryStory, times: _Times) -> str:
    tried = counted(len(delivery.attempts), "attempt")
    ended = f" at {times.of(delivery.ended_at)}" if delivery.ended_at else ""
    match delivery.state:
        case "delivered":
            return f"delivered{ended}, {tried}"
        case "dead":
            why = f", {delivery.reason}" if delivery.reason else ""
            return f"dead{ended}{why}, {tried}"
        case "pending":
            until = delivery.expires_at
            given_up = f", given up at {times.of(until)}" if until else ""
            return f"pending, {times.wait(delivery)}{given_up}"


def _attempts(attempts: Sequence[AttemptStory], times: _Times, width: int | None) -> Iterator[Text]:
    for one in attempts:
        status = "" if one.http_status is None else f" {one.http_status}"
        # Of an HTTP status the reason says nothing more.
        says_more = one.reason not in {"", one.outcome, f"http_{one.http_status}"}
        reason = f", {one.reason}" if says_more else ""
        words = f"{times.of(one.at)}  {one.place}  {one.outcome}{status}{reason}"
        # A unit stays with its number where a line is folded.
        space = " " if width is None else "\u00a0"
        text = f"{words}, {one.total_ms:,.1f}{space}ms"
        yield from _line(text, _ATTEMPT_INDENT, width, style=_STYLES.get(one.outcome, "red"))


def _line(text: str, indent: int, width: int | None, *, style: str = "") -> Iterator[Text]:
    """A text, and where it is too long its rest below it, further in."""
    shown = escaped(text)
    if width is None:
        yield Text(" " * indent + shown, style)
        return
    first, *rest = folded(shown, max(_NARROWEST, width - indent - _HANGING))
    yield Text(" " * indent + first, style)
    for part in rest:
        yield Text(" " * (indent + _HANGING) + part, style)
