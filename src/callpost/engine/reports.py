"""Delivery reports of one subscription: made here, stored with the settlement they tell of."""

from collections.abc import Callable

from msgspec import UNSET

from callpost.engine.attempt import Attempt
from callpost.engine.ports import Clock
from callpost.model.delivery import Arrival, Delivery
from callpost.model.event import stored
from callpost.model.instant import utc_text
from callpost.model.letter import Heading, Letter
from callpost.model.report import Report, arrival_of
from callpost.model.subscription import Ended, Subscription


class Reports:
    """Makes the reports that `subscription` asks for; `ring` wakes the queue that sends them."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        queue: int | None,
        ring: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._subscription = subscription
        self._queue = queue
        self._ring = ring
        self._clock = clock

    def stored(self, _: bool) -> None:  # noqa: FBT001 - a confirmation of the spool's
        """A settlement with a report is on disk."""
        self._ring()

    def about(
        self,
        ended: Ended,
        delivery: Delivery,
        letter: Letter,
        *,
        reason: str,
        attempts: tuple[Attempt, ...],
    ) -> Arrival | None:
        """The report about a delivery's end, None where nobody asked for it."""
        wanted = ended in self._subscription.report_on
        if self._queue is None or not wanted or not isinstance(letter, Heading):
            return None
        last = attempts[-1] if attempts else None
        report = Report(
            type="delivery.delivered" if ended == "delivered" else "delivery.dead",
            subscription=self._subscription.name,
            event_id=letter.id,
            call_id=letter.call_id,
            seq=delivery.seq,
            reason=reason,
            attempts=delivery.attempts + len(attempts),
            endpoint=last.origin if last else UNSET,
            http_status=(last.outcome.http_status if last else None) or UNSET,
            time=utc_text(self._clock.wall()),
        )
        return arrival_of(
            report,
            stored(delivery.body),
            delivery,
            queue=self._queue,
            accepted_at=self._clock.steady(),
        )
