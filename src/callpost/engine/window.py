"""What one subscription has in memory of its queue on disk, and how it is read.

The cursor walks the queue once, in order; lanes that wait on disk are read by themselves when
they fall due. Nothing is taken from memory before what was said of it is on disk.
"""

from functools import partial
from typing import Final

from callpost.engine.bell import Bell
from callpost.engine.ports import Clock, Spool
from callpost.model.delivery import AttemptRecord, Deferred, Released, SpoolUnreadable
from callpost.model.lanes import Hungry, Lanes, Overflowing, Taken
from callpost.model.subscription import Subscription

# Pages read in one turn: a courier that must pass a million deferred rows lets others run.
_PAGES_PER_TURN: Final = 4
_NEVER: Final = float("inf")
# Between two tries to read a disk that fails.
UNREADABLE_S: Final = 1.0


class Window:
    """The window of subscription number `number`: at most `limit` deliveries."""

    def __init__(
        self,
        number: int,
        subscription: Subscription,
        *,
        limit: int,
        spool: Spool,
        clock: Clock,
        bell: Bell,
    ) -> None:
        self._number = number
        self._order = subscription.order
        self._spool = spool
        self._clock = clock
        self._bell = bell
        self._limit = limit
        self._timid_limit = min(limit, subscription.concurrency)
        self._is_timid = False
        self._closed = False
        self._holds = 0
        self._hungry: list[Hungry] = []
        # Until then nothing is read, because the disk has failed; 0 where it has not.
        self._blind_until = 0.0
        self._cursor = 0
        self._more_pages = True
        self._due_at: float | None = clock.steady()
        self._more_due = False
        self.lanes = Lanes(window=limit, carriers=subscription.concurrency)

    def look_again(self) -> None:
        """There is something new behind the cursor."""
        self._more_pages = True

    def look_at_deferred(self) -> None:
        """A lane that waits on disk may be due earlier than was known."""
        self._due_at = self._clock.steady()

    def close(self) -> None:
        """Read nothing more."""
        self._closed = True

    def due_at(self) -> float:
        """When a deferred lane falls due, or did; without room its time means nothing yet."""
        if self._blind_until:
            # Whoever releases rings.
            return _NEVER if self._holds else self._blind_until
        if self._due_at is None or self._holds or not self.lanes.room_for_stored():
            return _NEVER
        return self._due_at

    def has_work(self, now: float) -> bool:
        """Something here may go, or something that may is to be read."""
        if self.lanes.ready:
            return True
        if self._closed or self._holds or self._blind_until or not self.lanes.room():
            return False
        is_unread = self._more_pages and self._spool.pending_of(self._number) > 0
        return is_unread or self.due_at() <= now

    def oldest_at(self) -> float | None:
        """When the oldest delivery in memory was accepted."""
        return self.lanes.oldest_at()

    def refill(self, *, timid: bool) -> None:
        """Read from disk: lanes that fell due, then what the cursor has not passed.

        A timid window holds no more than the carriers can take: nobody knows yet whether the
        subscriber is there, and many that are not must not fill the memory.
        """
        if timid is not self._is_timid:
            self._is_timid = timid
            self.lanes.resize(self._timid_limit if timid else self._limit)
        if self._blind_until and not self._sees_again():
            return
        if self._closed or self._holds or not self.lanes.room():
            return
        try:
            self._read()
        except SpoolUnreadable:
            self._shut_eyes()

    def _read(self) -> None:
        if self._due_at is not None and self.due_at() <= self._clock.steady():
            self._bring_back_due()
        for _ in range(_PAGES_PER_TURN):
            limit = self.lanes.room()
            if not limit or not self._more_pages:
                return
            page = self._spool.page(
                self._number, after=self._cursor, limit=limit, order=self._order
            )
            self._cursor = page.last
            self._more_pages = page.full
            for lane in self.lanes.offer(page.rows):
                self._store(lane)
        self._bell.ring()

    def _shut_eyes(self) -> None:
        self._blind_until = self._clock.steady() + UNREADABLE_S
        self._bell.ring()

    def _sees_again(self) -> bool:
        """Whether it is time for another try; what could not be read on is tried first."""
        if self._holds or self._clock.steady() < self._blind_until:
            return False
        self._blind_until = 0.0
        self._feed_hungry()
        return not self._blind_until

    def _feed_hungry(self) -> None:
        hungry, self._hungry = self._hungry, []
        for one in hungry:
            self._read_on(one)

    def advance(self, key: int) -> None:
        """The delivery of this lane that was out has ended."""
        hungry = self.lanes.advance(key)
        if hungry is not None and not self._closed:
            self._read_on(hungry)

    def postpone(
        self, taken: Taken, *, due_at: float, rounds: int, attempts: tuple[AttemptRecord, ...]
    ) -> None:
        """The lane leaves the memory at once, and may come back when that is on disk."""
        self.lanes.defer(taken.key)

        def written(_: bool) -> None:  # noqa: FBT001 - the port's
            self._forget(taken.key)
            self._due_at = due_at if self._due_at is None else min(self._due_at, due_at)
            self._bell.ring()

        self._spool.settle(
            Deferred(
                subscription=self._number,
                order=self._order,
                key=taken.key,
                delivery=taken.delivery,
                due_at=due_at,
                rounds=rounds,
                attempts=attempts,
            ),
            written,
        )

    def _store(self, lane: Overflowing) -> None:
        """Write a lane down as due at once: it reads on by itself when memory has sent its part."""
        self._spool.settle(
            Deferred(
                subscription=self._number,
                order=self._order,
                key=lane.key,
                delivery=lane.delivery,
                due_at=self._clock.steady(),
                rounds=lane.delivery.rounds,
            )
        )

    def _bring_back_due(self) -> None:
        """Take lanes that fell due into memory, as many as there is room for."""
        now = self._clock.steady()
        # Those in memory already are named again, because their rows stay until they are done.
        limit = self.lanes.room_for_stored() + self.lanes.stored
        keys = self._spool.due(self._number, now=now, limit=limit, order=self._order)
        for key in keys:
            if key not in self.lanes:
                self._read_on(self.lanes.resume(key))
        self._due_at = self._spool.next_due(self._number, now=now)
        self._more_due = len(keys) == limit

    def hold(self) -> None:
        """Read nothing until each `hold` has its `release`.

        The spool would hand out what is on its way to be buried outside of the window.
        """
        self._holds += 1

    def release(self) -> None:
        """What was being buried is on disk as dead: read on, if it was the last."""
        self._holds -= 1
        if not self._holds and not self._blind_until and not self._closed:
            self._feed_hungry()

    def _read_on(self, hungry: Hungry) -> None:
        """Feed a stored lane from disk, or let it go where nothing of it is left."""
        if self._holds or self._blind_until:
            self._hungry.append(hungry)
            return
        try:
            deliveries = self._spool.lane(
                self._number,
                hungry.key,
                after=hungry.after,
                limit=self.lanes.lane_limit,
                order=self._order,
            )
        except SpoolUnreadable:
            self._hungry.append(hungry)
            self._shut_eyes()
            return
        if deliveries:
            self.lanes.feed(hungry.key, deliveries)
            return
        released = Released(subscription=self._number, order=self._order, key=hungry.key)
        self._spool.settle(released, partial(self._after_release, hungry))

    def _after_release(self, hungry: Hungry, was_empty: bool) -> None:  # noqa: FBT001 - the port's
        if was_empty:
            self._forget(hungry.key)
        elif not self._closed:
            self._read_on(hungry)
        self._bell.ring()

    def _forget(self, key: int) -> None:
        self.lanes.forget(key)
        if self._more_due:
            self._due_at = self._clock.steady()
