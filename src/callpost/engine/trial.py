"""The test of one subscription: newCall and hangup of a made-up call, straight to its doors.

Nothing passes through the spool, and nothing that happens is held against an endpoint: breaker,
pauses, lanes and rate limit do not hear of it. Each exchange keeps the endpoint's time-outs.
"""

from collections.abc import Sequence
from typing import Final

from callpost.engine.ports import Clock, Dice, Sender, SenderFactory
from callpost.model.delivery import Message
from callpost.model.disclosure import without_secrets
from callpost.model.endpoint import Endpoint
from callpost.model.event import CallEvent, encode
from callpost.model.flow import seen_by
from callpost.model.formats import content_of
from callpost.model.instant import utc_text
from callpost.model.numbers import Numbers
from callpost.model.outcome import Delivered, Outcome, narrowed, overridden
from callpost.model.subscription import Subscription
from callpost.model.tailor import tailor_of
from callpost.model.trial import Exchange, Trial

# Country code 999 is assigned to nobody (ITU-T E.164): no such number can be called back.
_CALLER: Final = "+999000000001"
_CALLED: Final = "+999000000002"
# How much of an answer's body is worth showing.
_ANSWER_SHOWN_BYTES: Final = 1_024


class Trials:
    """Tries subscriptions out, over senders of its own."""

    def __init__(self, *, open_sender: SenderFactory, clock: Clock, dice: Dice) -> None:
        self._open_sender = open_sender
        self._clock = clock
        self._dice = dice

    async def of(self, subscription: Subscription) -> Trial:
        """Send each event to each door on its way, one after the other, and tell how it went.

        The events are newCall and hangup whatever the filter says, so that what answers is the
        way and not the filter, and nothing stays ringing.
        """
        call_id = f"callpost-test-{self._dice.event_id().removeprefix('evt_')}"
        events = self._events(subscription, call_id)
        exchanges: list[Exchange] = []
        delivered: set[str] = set()
        for seq, event in enumerate(events, start=1):
            before = events[seq - 2].id if seq > 1 else None
            for endpoint in subscription.endpoints_for(event.event):
                outcome, exchange = await self._exchange(
                    subscription, endpoint, event, seq=seq, previous_id=before or ""
                )
                exchanges.append(exchange)
                if isinstance(outcome, Delivered):
                    delivered.add(event.event)
        return Trial(
            subscription=subscription.name,
            call_id=call_id,
            ok=len(delivered) == len(events),
            exchanges=tuple(exchanges),
        )

    def _events(self, subscription: Subscription, call_id: str) -> Sequence[CallEvent]:
        begins = utc_text(self._clock.wall())
        customer = subscription.filter.customer
        ringing = CallEvent(
            event="newCall",
            call_id=call_id,
            from_=_CALLER,
            to=_CALLED,
            direction="in",
            id=self._dice.event_id(),
            time=begins,
            customer=None if customer in {"", "*"} else customer,
            source="callpost",
            data={"callpost": "test"},
        )
        ended = CallEvent(
            event="hangup",
            call_id=call_id,
            from_=_CALLER,
            to=_CALLED,
            direction="in",
            cause="cancel",
            id=self._dice.event_id(),
            time=begins,
            customer=ringing.customer,
            source=ringing.source,
            answered=False,
            data=ringing.data,
        )
        return (ringing, ended)

    async def _exchange(
        self,
        subscription: Subscription,
        endpoint: Endpoint,
        event: CallEvent,
        *,
        seq: int,
        previous_id: str,
    ) -> tuple[Outcome, Exchange]:
        message = self._message(subscription, endpoint, event, seq=seq, previous_id=previous_id)
        sender = self._open_sender(endpoint, subscription.tenant)
        try:
            return await _told(sender, message, subscription, endpoint, event)
        finally:
            sender.close()

    def _message(
        self,
        subscription: Subscription,
        endpoint: Endpoint,
        event: CallEvent,
        *,
        seq: int,
        previous_id: str,
    ) -> Message:
        body = encode(event)
        # Nobody has the numbers of a test, so that they are in the same form for everybody.
        tailor = tailor_of(subscription, Numbers())
        content = content_of(
            body if tailor is None else tailor(body),
            method=endpoint.method,
            level=endpoint.level,
            vocabulary=subscription.vocabulary,
            seq=seq,
            previous_id=previous_id,
            seen=seen_by(subscription, body),
        )
        return Message(
            content=content.content,
            content_type=content.content_type,
            id=event.id or "",
            seq=seq,
            previous_id=previous_id,
            attempt=1,
            sent_at=self._clock.wall(),
        )


async def _told(
    sender: Sender,
    message: Message,
    subscription: Subscription,
    endpoint: Endpoint,
    event: CallEvent,
) -> tuple[Outcome, Exchange]:
    """Make one attempt; the outcome is as the subscription reads it."""
    headers = sender.headers(message)
    report = await sender.send(message)
    outcome = narrowed(overridden(report.outcome, subscription.responses), endpoint.retried)
    # Cut last: a secret that the cut divides would not be found.
    answer = without_secrets(report.answer.decode("utf-8", "replace"), endpoint)
    return outcome, Exchange(
        kind=event.event,
        place=endpoint.place,
        endpoint=endpoint.origin,
        method=endpoint.method,
        headers=headers,
        content=message.content.decode("utf-8", "replace"),
        outcome=type(outcome).__name__.lower(),
        reason=outcome.reason,
        http_status=outcome.http_status,
        answer=answer.encode()[:_ANSWER_SHOWN_BYTES].decode("utf-8", "ignore"),
        connect_ms=None if report.connect_ms is None else round(report.connect_ms, 1),
        total_ms=round(report.total_ms, 1),
    )
