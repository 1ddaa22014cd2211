"""The law of order, as Hypothesis tries to break it."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from callpost.model.delivery import Delivery
from callpost.model.lanes import Hungry, Lanes
from callpost.model.limits import LANE_MAX_DELIVERIES
from examples import examples


def a_delivery(position: int, call: int = 1, rounds: int = 0) -> Delivery:
    """A delivery with the least that lanes look at."""
    return Delivery(
        position=position,
        number=position,
        call=call,
        seq=1,
        previous_id="",
        rounds=rounds,
        attempts=rounds,
        accepted_at=0.0,
        expires_at=1e9,
        body=b"{}",
    )


def rows(*deliveries: Delivery) -> list[tuple[Delivery, int, bool]]:
    """A page of unblocked rows in order of calls."""
    return [(delivery, delivery.call, False) for delivery in deliveries]


def test_two_events_of_one_call_go_one_after_the_other() -> None:
    """The second delivery of a call is taken only after the first has ended."""
    lanes = Lanes(window=16, carriers=4)
    lanes.offer(rows(a_delivery(1), a_delivery(2)))
    lanes.take()
    assert lanes.take() is None


def test_another_call_passes_by() -> None:
    """While one call is out, another may go."""
    lanes = Lanes(window=16, carriers=4)
    lanes.offer(rows(a_delivery(1, call=1), a_delivery(2, call=1), a_delivery(3, call=2)))
    lanes.take()
    taken = lanes.take()
    assert taken is not None
    assert taken.delivery.position == 3


def test_a_deferred_call_leaves_no_delivery_in_memory() -> None:
    """A lane that waits on disk costs no memory."""
    lanes = Lanes(window=16, carriers=4)
    lanes.offer(rows(a_delivery(1), a_delivery(2)))
    lanes.take()
    lanes.defer(1)
    assert len(lanes) == 0


def test_a_page_does_not_pass_a_deferral_that_is_not_yet_on_disk() -> None:
    """Rows of a call that is about to be deferred are left to its row on disk."""
    lanes = Lanes(window=16, carriers=4)
    lanes.offer(rows(a_delivery(1)))
    lanes.take()
    lanes.defer(1)
    lanes.offer(rows(a_delivery(2)))
    assert lanes.take() is None


def test_a_chatty_call_overflows_to_disk() -> None:
    """More than its share of the window makes its lane stored."""
    lanes = Lanes(window=128, carriers=8)
    page = rows(*(a_delivery(n) for n in range(1, LANE_MAX_DELIVERIES + 3)))
    assert [lane.delivery.position for lane in lanes.offer(page)] == [LANE_MAX_DELIVERIES]


def test_a_stored_lane_asks_for_more_when_it_has_sent_its_part() -> None:
    """The last delivery in memory of a stored lane makes it hungry for what is behind it."""
    lanes = Lanes(window=16, carriers=4)
    lanes.resume(7)
    lanes.feed(7, [a_delivery(5, call=7)])
    lanes.take()
    assert lanes.advance(7) == Hungry(7, 5)


def test_retries_hold_at_most_half_of_the_carriers_while_fresh_calls_wait() -> None:
    """Of four carriers at most two carry second rounds while first rounds wait."""
    lanes = Lanes(window=64, carriers=4)
    for call in range(1, 5):
        lanes.resume(call)
        lanes.feed(call, [a_delivery(call, call=call, rounds=1)])
    lanes.offer(rows(*(a_delivery(n, call=n) for n in range(10, 20))))
    taken = [lanes.take() for _ in range(4)]
    assert sum(one.delivery.rounds > 0 for one in taken if one) == 2


def test_retries_leave_half_of_the_carriers_to_what_may_come() -> None:
    """A first round that comes in does not wait for slow second ones."""
    lanes = Lanes(window=64, carriers=4)
    for call in range(1, 5):
        lanes.resume(call)
        lanes.feed(call, [a_delivery(call, call=call, rounds=1)])
    assert [lanes.take() is not None for _ in range(4)] == [True, True, False, False]


class LanesOnADisk(RuleBasedStateMachine):
    """Lanes beside a model of the spool whose writes become visible late, one by one.

    The laws: no two deliveries of a call are out at once; a call's deliveries end in order;
    and when everything succeeds, every delivery ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lanes = Lanes(window=8, carriers=3)
        self.pending: dict[int, Delivery] = {}
        self.deferred: dict[int, bool] = {}
        self.unwritten: list[tuple[str, int, int]] = []
        self.out: dict[int, Delivery] = {}
        self.ended: dict[int, int] = {}
        self.position = 0
        self.cursor = 0

    @rule(calls=st.lists(st.integers(1, 3), min_size=1, max_size=40))
    def arrive(self, calls: list[int]) -> None:
        """Events of a few calls are appended and committed."""
        for call in calls:
            self.position += 1
            self.pending[self.position] = a_delivery(self.position, call=call)

    @rule()
    def read_a_page(self) -> None:
        """The courier reads on from its cursor, as far as there is room."""
        limit = self.lanes.room()
        page = sorted(p for p in self.pending if p > self.cursor)[:limit]
        found = [(self.pending[p], self.pending[p].call, self._blocked(p)) for p in page]
        self.cursor = page[-1] if page else self.cursor
        for lane in self.lanes.offer(found):
            self.unwritten.append(("defer", lane.key, lane.delivery.rounds))

    @rule()
    def a_lane_falls_due(self) -> None:
        """A lane that waits on disk comes back."""
        for call in list(self.deferred):
            if call not in self.lanes:
                self._read_on(self.lanes.resume(call))
                return

    @rule()
    def send(self) -> None:
        """A carrier takes what may go."""
        if len(self.out) < 3 and (taken := self.lanes.take()):
            assert taken.key not in self.out, "two deliveries of one call are out"
            assert taken.delivery.position > self.ended.get(taken.key, 0), "out of order"
            earlier = [
                p
                for p, d in self.pending.items()
                if d.call == taken.key and self.ended.get(taken.key, 0) < p
            ]
            assert taken.delivery.position == min(earlier), "a delivery was passed over"
            self.out[taken.key] = taken.delivery

    @precondition(lambda self: self.out)
    @rule(data=st.data(), success=st.booleans())
    def end(self, data: st.DataObject, success: bool) -> None:  # noqa: FBT001 - hypothesis' way
        """An attempt ends: delivered, or its call is deferred."""
        call = data.draw(st.sampled_from(sorted(self.out)))
        delivery = self.out.pop(call)
        if success:
            self.ended[call] = delivery.position
            self.unwritten.append(("done", call, delivery.position))
            hungry = self.lanes.advance(call)
            if hungry:
                self._read_on(hungry)
        else:
            self.lanes.defer(call)
            self.unwritten.append(("deferred", call, delivery.position))

    @precondition(lambda self: self.unwritten)
    @rule()
    def commit_one(self) -> None:
        """The next queued settlement reaches the disk and is confirmed."""
        what, call, position = self.unwritten.pop(0)
        if what == "done":
            self.pending.pop(position, None)
        elif what == "defer":
            self.deferred[call] = True
        elif what == "deferred":
            self.deferred[call] = True
            self.lanes.forget(call)
        elif any(delivery.call == call for delivery in self.pending.values()):
            self._read_on(Hungry(call, position))
        else:
            self.deferred.pop(call, None)
            self.lanes.forget(call)

    @invariant()
    def the_window_is_bounded(self) -> None:
        """Memory holds the window and what due lanes brought, never the backlog."""
        assert len(self.lanes) <= 8 + 3 * 8

    def teardown(self) -> None:
        """When everything succeeds from now on, every delivery ends."""
        for _ in range(20 * (self.position + 10)):
            while self.unwritten:
                self.commit_one()
            if not self.pending:
                break
            self.read_a_page()
            self.a_lane_falls_due()
            self.send()
            for call in list(self.out):
                delivery = self.out.pop(call)
                self.ended[call] = delivery.position
                self.unwritten.append(("done", call, delivery.position))
                if hungry := self.lanes.advance(call):
                    self._read_on(hungry)
        assert not self.pending, "a delivery was forgotten"

    def _blocked(self, position: int) -> bool:
        return self.pending[position].call in self.deferred

    def _read_on(self, hungry: Hungry) -> None:
        found = sorted(
            p for p, d in self.pending.items() if d.call == hungry.key and p > hungry.after
        )[: self.lanes.lane_limit]
        if found:
            self.lanes.feed(hungry.key, [self.pending[p] for p in found])
        else:
            self.unwritten.append(("released", hungry.key, hungry.after))


LanesOnADisk.TestCase.settings = settings(max_examples=examples(1.6), stateful_step_count=60)
TestLanesOnADisk = LanesOnADisk.TestCase
