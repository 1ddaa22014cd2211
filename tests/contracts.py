"""What every Spool must do, whatever it keeps things in.

Subclass `SpoolContract` in a test file and override `open_spool`.
"""

import pytest
import trio

from callpost.model.subscription import Order
from contract_of_answers import AnswerContract
from contract_of_directions import DirectionContract
from contract_of_endings import EndingContract
from spool_nouns import (
    NEVER,
    OpenSpool,
    arrival,
    blocked,
    deferred,
    died,
    done,
    key_of,
    pending,
    released,
    settled,
)


class SpoolContract(EndingContract, AnswerContract, DirectionContract):
    """The behaviour that the engine relies on."""

    async def test_a_done_delivery_is_gone(self, open_spool: OpenSpool) -> None:
        """It is gone for its own subscription only."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1, 2)])
            assert await settled(spool, done(1, pending(spool, 1)[0]))
            assert [len(pending(spool, owner)) for owner in (1, 2)] == [0, 1]

    async def test_a_dead_delivery_is_gone(self, open_spool: OpenSpool) -> None:
        """It is no longer pending."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            assert await settled(spool, died(1, pending(spool, 1)[0]))
            assert pending(spool, 1) == []

    async def test_settling_twice_is_harmless(self, open_spool: OpenSpool) -> None:
        """What is gone stays gone, and the second confirmation comes all the same."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1), arrival("b", 1)])
            first, second = pending(spool, 1)
            for settlement in (done(1, first), died(1, second)):
                await settled(spool, settlement)
                assert await settled(spool, settlement)
            assert pending(spool, 1) == []

    async def test_a_bare_done_is_written_soon(self, open_spool: OpenSpool) -> None:
        """Nobody has to ask for it: it rides with what is queued after it."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1), arrival("b", 1)])
            first, second = pending(spool, 1)
            spool.settle(done(1, first))
            await settled(spool, done(1, second))
            assert pending(spool, 1) == []

    @pytest.mark.parametrize(
        ("order", "held"),
        [
            ("call", [True, True, False]),
            ("none", [True, False, False]),
            ("subscription", [True, True, True]),
        ],
    )
    async def test_a_deferred_lane_is_blocked_on_pages(
        self, open_spool: OpenSpool, order: Order, held: list[bool]
    ) -> None:
        """Its lane is held back, the others are not."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1), arrival("b", 1), arrival("c", 1, call="2")])
            await settled(spool, deferred(1, pending(spool, 1)[0], order=order))
            assert blocked(spool, 1, order=order) == held

    async def test_a_deferral_holds_back_its_own_subscription_only(
        self, open_spool: OpenSpool
    ) -> None:
        """Another subscription's deliveries of the same call pass freely."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1, 2)])
            await settled(spool, deferred(1, pending(spool, 1)[0]))
            assert blocked(spool, 2) == [False]

    async def test_a_deferral_keeps_the_counts(self, open_spool: OpenSpool) -> None:
        """Rounds are what the settlement says, attempts grow by those it brings."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            for _ in range(2):
                await settled(spool, deferred(1, pending(spool, 1)[0]))
            [head] = pending(spool, 1)
            assert (head.rounds, head.attempts) == (2, 2)

    @pytest.mark.parametrize("order", ["call", "none", "subscription"])
    async def test_a_deferred_lane_falls_due(self, open_spool: OpenSpool, order: Order) -> None:
        """It is named from its time on, not before."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            [head] = pending(spool, 1)
            await settled(spool, deferred(1, head, due_at=2_000.0, order=order))
            due = [spool.due(1, now=now, limit=9, order=order) for now in (1_999.0, 2_000.0)]
            assert due == [[], [key_of(head, order)]]

    async def test_the_longest_due_lane_comes_first(self, open_spool: OpenSpool) -> None:
        """Due lanes come by their time, and no more than asked for."""
        async with open_spool() as spool:
            await spool.append([arrival(name, 1, call=name) for name in "abc"])
            heads = pending(spool, 1)
            for head, due_at in zip(heads, (30.0, 10.0, 20.0), strict=True):
                await settled(spool, deferred(1, head, due_at=due_at))
            assert spool.due(1, now=50.0, limit=2, order="call") == [heads[1].call, heads[2].call]

    async def test_next_due_is_the_earliest_after_now(self, open_spool: OpenSpool) -> None:
        """What is due already does not count, and without any there is no time."""
        async with open_spool() as spool:
            await spool.append([arrival(name, 1, call=name) for name in "ab"])
            for head, due_at in zip(pending(spool, 1), (10.0, 20.0), strict=True):
                await settled(spool, deferred(1, head, due_at=due_at))
            assert [spool.next_due(1, now=now) for now in (5.0, 10.0, 20.0)] == [10.0, 20.0, None]

    async def test_deferring_again_moves_the_time(self, open_spool: OpenSpool) -> None:
        """A lane waits for one time only, the last."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            for due_at in (10.0, 20.0):
                await settled(spool, deferred(1, pending(spool, 1)[0], due_at=due_at))
            assert spool.due(1, now=15.0, limit=9, order="call") == []

    @pytest.mark.parametrize(
        ("order", "ids"), [("call", "ac"), ("none", "a"), ("subscription", "abc")]
    )
    async def test_a_lane_has_its_own_deliveries(
        self, open_spool: OpenSpool, order: Order, ids: str
    ) -> None:
        """All that is pending of the lane, in order, and nothing else."""
        async with open_spool() as spool:
            await spool.append(
                [
                    arrival("a", 1, 2, body=b"a"),
                    arrival("b", 1, 2, call="2", body=b"b"),
                    arrival("c", 1, 2, body=b"c"),
                ]
            )
            head = pending(spool, 1)[0]
            lane = spool.lane(1, key_of(head, order), after=0, limit=9, order=order)
            assert [one.body.decode() for one in lane] == list(ids)

    @pytest.mark.parametrize("order", ["call", "subscription"])
    async def test_a_lane_is_read_on_from_a_cursor(
        self, open_spool: OpenSpool, order: Order
    ) -> None:
        """Reads joined by the last position give every delivery once."""
        async with open_spool() as spool:
            await spool.append([arrival(str(n), 1) for n in range(5)])
            expected = pending(spool, 1)
            key = key_of(expected[0], order)
            first = spool.lane(1, key, after=0, limit=3, order=order)
            rest = spool.lane(1, key, after=first[-1].position, limit=3, order=order)
            assert [*first, *rest] == expected

    @pytest.mark.parametrize("order", ["call", "none", "subscription"])
    async def test_an_empty_lane_is_released(self, open_spool: OpenSpool, order: Order) -> None:
        """Its row goes, and the confirmation says so."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            [head] = pending(spool, 1, order=order)
            await settled(spool, deferred(1, head, order=order))
            spool.settle(done(1, head))
            assert await settled(spool, released(1, head, order=order))
            assert spool.due(1, now=NEVER, limit=9, order=order) == []

    @pytest.mark.parametrize("order", ["call", "none", "subscription"])
    async def test_a_lane_with_pending_deliveries_is_not_released(
        self, open_spool: OpenSpool, order: Order
    ) -> None:
        """The confirmation is False and the lane stays where it is."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            [head] = pending(spool, 1)
            await settled(spool, deferred(1, head, order=order))
            assert not await settled(spool, released(1, head, order=order))
            assert spool.due(1, now=NEVER, limit=9, order=order) == [key_of(head, order)]

    async def test_a_release_sees_the_appends_of_its_own_transaction(
        self, open_spool: OpenSpool
    ) -> None:
        """An event that becomes visible together with the release keeps its lane closed."""
        async with open_spool() as spool, trio.open_nursery() as nursery:
            await spool.append([arrival("a", 1)])
            [head] = pending(spool, 1)
            await settled(spool, deferred(1, head))
            nursery.start_soon(spool.append, [arrival("b", 1)])
            # One turn of the loop: append and settlements queue before the writer wakes.
            await trio.lowlevel.checkpoint()
            spool.settle(done(1, head))
            assert not await settled(spool, released(1, head))
            assert blocked(spool, 1) == [True]

    async def test_an_event_of_a_deferred_call_is_blocked_when_it_comes(
        self, open_spool: OpenSpool
    ) -> None:
        """It stays behind the head that waits on disk."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            await settled(spool, deferred(1, pending(spool, 1)[0]))
            await spool.append([arrival("b", 1)])
            assert blocked(spool, 1) == [True, True]

    async def test_confirmations_come_in_the_order_of_the_settlements(
        self, open_spool: OpenSpool
    ) -> None:
        """Whatever the kinds, the first queued is the first confirmed."""
        async with open_spool() as spool:
            await spool.append([arrival(name, 1, call=name) for name in "abc"])
            first, second, third = pending(spool, 1)
            heard: list[str] = []
            spool.settle(deferred(1, first), lambda _: heard.append("deferred"))
            spool.settle(done(1, second), lambda _: heard.append("done"))
            spool.settle(died(1, third), lambda _: heard.append("died"))
            await settled(spool, released(1, second))
            assert heard == ["deferred", "done", "died"]
