"""Which delivery of one subscription may go now: the law of order, in one file.

A lane is what must stay in order: a call, a single delivery, or the whole subscription; `key`
names it. Three rules hold:

1. At most one delivery of a lane is out; the next is taken only after `advance`, `feed` or a
   return from disk.
2. A lane that is *stored* has a row on disk that holds its later deliveries back; pages skip
   them, and the lane itself reads on from where it is (`Hungry`). So what a page has passed is
   never lost, and what waits long costs no memory.
3. Second and later rounds never hold more than half of the carriers, so that a first round
   that comes in does not wait for them.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from callpost.model.delivery import Delivery
from callpost.model.limits import LANE_MAX_DELIVERIES

# Who has never had a lane shares this one: an empty deque takes 700 bytes. Nothing is added to it.
_EMPTY: Final[deque[int]] = deque()


class Taken(Struct, frozen=True, gc=False):
    """A delivery on its way out, and the lane it came from."""

    key: int
    delivery: Delivery


class Overflowing(Struct, frozen=True, gc=False):
    """A lane that has become stored because too many of it wait; `delivery` is its last here."""

    key: int
    delivery: Delivery


class Hungry(Struct, frozen=True, gc=False):
    """A stored lane has sent all it had in memory: read on after position `after`."""

    key: int
    after: int


class _Lane(Struct, gc=False):
    waiting: deque[Delivery]
    last: int
    stored: bool
    retries_out: bool = False


class Lanes:
    """The window of one subscription: at most `window` deliveries, for `carriers` carriers."""

    def __init__(self, *, window: int, carriers: int) -> None:
        self._window = window
        self._carriers = carriers
        self._page_min = self._page_min_of(window)
        self._retries_max = max(1, carriers // 2)
        self._lanes: dict[int, _Lane] = {}
        self._fresh = _EMPTY
        self._again = _EMPTY
        self._size = 0
        self._stored = 0
        self._retries_out = 0
        self._fresh_turn = True

    def __contains__(self, key: object) -> bool:
        return key in self._lanes

    def __len__(self) -> int:
        """Count the deliveries in memory, those that are out included."""
        return self._size

    @property
    def ready(self) -> int:
        """How many lanes could send at once, given carriers."""
        ready = len(self._fresh)
        if self._again:
            ready += min(len(self._again), self._retries_max - self._retries_out)
        return ready

    @property
    def stored(self) -> int:
        """How many lanes in memory have, or are about to have, a row on disk."""
        return self._stored

    def room(self) -> int:
        """How many deliveries may be read now; 0 until a page is worth its query."""
        free = self._window - self._size
        return free if free >= self._page_min else 0

    @property
    def lane_limit(self) -> int:
        """How many deliveries of one lane may be here: half of the window feeds all carriers."""
        return max(1, min(LANE_MAX_DELIVERIES, self._window // (2 * self._carriers)))

    def room_for_stored(self) -> int:
        """How many lanes may come back from disk; they never fill more than half of the window."""
        most = max(2, self._carriers)
        return max(0, min(self.room() // self.lane_limit, most - self._stored))

    def positions(self) -> set[int]:
        """The places of all deliveries in memory, those that are out included."""
        return {one.position for lane in self._lanes.values() for one in lane.waiting}

    def oldest_at(self) -> float | None:
        """When the oldest of the deliveries in memory was accepted; walks all lanes."""
        heads = (lane.waiting[0].accepted_at for lane in self._lanes.values() if lane.waiting)
        return min(heads, default=None)

    def resize(self, window: int) -> None:
        """Allow more or fewer deliveries from now on; what is here stays."""
        self._window = window
        self._page_min = self._page_min_of(window)

    def offer(self, rows: Iterable[tuple[Delivery, int, bool]]) -> list[Overflowing]:
        """Take in a page; returns the lanes that must be written down as stored, due at once."""
        overflowing = []
        for delivery, key, blocked in rows:
            lane = self._lanes.get(key)
            if lane is None:
                if not blocked:
                    lane = _Lane(deque(), delivery.position, stored=False)
                    self._lanes[key] = lane
                    self._add(lane, (delivery,))
                    self._line_up(key, lane)
            elif lane.stored:
                continue
            elif len(lane.waiting) >= self.lane_limit:
                self._store(lane)
                overflowing.append(Overflowing(key, lane.waiting[-1]))
            else:
                self._add(lane, (delivery,))
        return overflowing

    def resume(self, key: int) -> Hungry:
        """Bring back a lane that waited on disk and is due; it must not be in memory."""
        lane = _Lane(deque(), 0, stored=False)
        self._lanes[key] = lane
        self._store(lane)
        return Hungry(key, 0)

    def feed(self, key: int, deliveries: Sequence[Delivery]) -> None:
        """Give a hungry lane its next deliveries, at least one."""
        lane = self._lanes[key]
        self._add(lane, deliveries)
        self._line_up(key, lane)

    def take(self) -> Taken | None:
        """The delivery that goes next, or None while nothing may go."""
        again = (
            bool(self._again)
            and self._retries_out < self._retries_max
            and not (self._fresh and self._fresh_turn)
        )
        if not again and not self._fresh:
            return None
        self._fresh_turn = again
        key = (self._again if again else self._fresh).popleft()
        lane = self._lanes[key]
        lane.retries_out = again
        self._retries_out += again
        return Taken(key, lane.waiting[0])

    def take_expired(self, now: float) -> Taken | None:
        """The head of a lane that is ready and past its age, taken out of turn."""
        for line in (self._fresh, self._again):
            for key in line:
                if self._lanes[key].waiting[0].expires_at <= now:
                    line.remove(key)
                    return Taken(key, self._lanes[key].waiting[0])
        return None

    def advance(self, key: int) -> Hungry | None:
        """The delivery that was out has ended, on disk or about to be: the next may go."""
        lane = self._lanes[key]
        self._come_back(lane)
        lane.waiting.popleft()
        self._size -= 1
        if lane.waiting:
            self._line_up(key, lane)
        elif lane.stored:
            return Hungry(key, lane.last)
        else:
            del self._lanes[key]
        return None

    def defer(self, key: int) -> None:
        """The lane leaves for the disk; until `forget` it only keeps pages from passing it."""
        lane = self._lanes[key]
        self._come_back(lane)
        self._size -= len(lane.waiting)
        lane.waiting.clear()
        self._store(lane)

    def forget(self, key: int) -> None:
        """What was said of the lane is on disk: pages may decide again."""
        self._stored -= self._lanes.pop(key).stored

    def _page_min_of(self, window: int) -> int:
        """An eighth of the window, or eight where that leaves no carrier idle.

        A query of its own for each of two rows costs three times the reading of them.
        """
        return max(1, window // 8, min(8, (window - self._carriers) // 2))

    def _store(self, lane: _Lane) -> None:
        self._stored += not lane.stored
        lane.stored = True

    def _add(self, lane: _Lane, deliveries: Sequence[Delivery]) -> None:
        lane.waiting.extend(deliveries)
        lane.last = deliveries[-1].position
        self._size += len(deliveries)

    def _line_up(self, key: int, lane: _Lane) -> None:
        if lane.waiting[0].rounds:
            if self._again is _EMPTY:
                self._again = deque()
            self._again.append(key)
        else:
            if self._fresh is _EMPTY:
                self._fresh = deque()
            self._fresh.append(key)

    def _come_back(self, lane: _Lane) -> None:
        self._retries_out -= lane.retries_out
        lane.retries_out = False
