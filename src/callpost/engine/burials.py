"""Makes dead letters: each with all that the delivery was, told once it is on disk.

What waits outside of the window is not read while it is on its way to be buried.
"""

from collections.abc import Callable
from typing import Final

from callpost.engine.attempt import Attempt
from callpost.engine.staff import Staff
from callpost.engine.world import World
from callpost.model.delivery import DeadReason, Delivery, Died
from callpost.model.letter import Letter, letter_or_spoilt

# While nothing may be sent: how often what has expired is looked for in the whole queue, and
# the pause between two parts of a long one.
_CULL_INTERVAL_S: Final = 5.0
_CULL_PAUSE_S: Final = 0.1


class Burials:
    """Those of subscription number `number`."""

    def __init__(
        self,
        number: int,
        name: str,
        staff: Staff,
        *,
        world: World,
    ) -> None:
        self._number = number
        self._name = name
        self._bell = staff.bell
        self._figures = staff.gate.figures
        self._window = staff.window
        self._cull = staff.cull
        self._reports = staff.reports
        self._spool = world.spool
        self._clock = world.clock
        self._witness = world.witness
        self._log = world.log
        self._under_way = 0
        self._cull_at = 0.0

    def shed_excess(self) -> None:
        """Let the oldest go where more waits than may."""
        if not self._under_way and self._cull.is_overfull():
            # Else the spool would name again what is on its way to be buried.
            self._bury_all(self._cull.excess(self._window.lanes.positions()), "overflow")

    def shed_expired(self) -> float:
        """While nothing may be sent ages still count; returns when to look for more of them."""
        while (expired := self._window.lanes.take_expired(self._clock.steady())) is not None:
            if self._spool.is_purged(expired.delivery.number):
                self._window.advance(expired.key)
            else:
                self.bury(expired.delivery, "expired", key=expired.key)
        now = self._clock.steady()
        if now >= self._cull_at and not self._under_way:
            self._bury_all(self._cull.expired(self._window.lanes), "expired")
            pause_s = _CULL_INTERVAL_S if self._cull.has_seen_all else _CULL_PAUSE_S
            self._cull_at = now + pause_s
        return max(_CULL_PAUSE_S, self._cull_at - now)

    def bury(
        self,
        delivery: Delivery,
        reason: DeadReason,
        *,
        key: int | None,
        last: str = "",
        attempts: tuple[Attempt, ...] = (),
    ) -> None:
        """Make it a dead letter; its lane `key`, where it has one, goes on once that is on disk."""
        letter = letter_or_spoilt(delivery.body)
        self._under_way += 1
        if key is None:
            self._window.hold()
        self._spool.settle(
            Died(
                subscription=self._number,
                delivery=delivery,
                reason=reason,
                last=last,
                died_at=self._clock.steady(),
                attempts=tuple(attempt.record for attempt in attempts),
                report=self._reports.about(
                    "dead", delivery, letter, reason=reason, attempts=attempts
                ),
            ),
            self._after(delivery, letter, reason, last, key),
        )

    def _bury_all(self, deliveries: list[Delivery], reason: DeadReason) -> None:
        for delivery in deliveries:
            self.bury(delivery, reason, key=None)

    def _after(
        self, delivery: Delivery, letter: Letter, reason: DeadReason, last: str, key: int | None
    ) -> Callable[[bool], None]:
        def written(_: bool) -> None:  # noqa: FBT001 - the port's
            self._tell(delivery, letter, reason, last)
            self._under_way -= 1
            if key is None:
                self._window.release()
            else:
                self._window.advance(key)
            self._reports.stored(True)
            self._bell.ring()

        return written

    def _tell(self, delivery: Delivery, letter: Letter, reason: DeadReason, last: str) -> None:
        self._figures.died += 1
        self._witness.died(self._name, reason)
        self._log.warning(
            "delivery.died",
            subscription=self._name,
            eventId=letter.id,
            callId=letter.call_id,
            seq=delivery.seq,
            kind=letter.event,
            reason=reason,
            last=last,
        )
