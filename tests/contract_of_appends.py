"""The first half of what every Spool must do: appending, and pages of what is pending."""

import pytest

from callpost.model.delivery import Accepted, Delivery, Receipt
from callpost.model.subscription import Order
from spool_nouns import NEVER, OpenSpool, arrival, key_of, pending


class AppendContract:
    """What is appended is pending, once, and in order."""

    @pytest.fixture
    def open_spool(self) -> OpenSpool:
        """Override: returns a spool, ready for use, for the length of the context."""
        raise NotImplementedError

    async def test_an_append_gives_a_receipt_for_each_arrival(self, open_spool: OpenSpool) -> None:
        """Receipts come in the order of the arrivals, numbers grow, matches are counted."""
        async with open_spool() as spool:
            receipts = await spool.append([arrival("a", 1, 2), arrival("b")])
            assert _numbers(receipts) == sorted(_numbers(receipts))
            assert [one.matched for one in receipts if isinstance(one, Accepted)] == [2, 0]

    async def test_an_appended_event_is_on_the_page_of_each_match(
        self, open_spool: OpenSpool
    ) -> None:
        """Every subscription that matched has the delivery, no other has."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1, 2)])
            assert [len(pending(spool, owner)) for owner in (1, 2, 3)] == [1, 1, 0]

    async def test_a_delivery_carries_what_was_appended(self, open_spool: OpenSpool) -> None:
        """Body, stamps and counts arrive unchanged; a live delivery's position is its number."""
        async with open_spool() as spool:
            [receipt] = await spool.append([arrival("a", 1, at=1_234.5, body=b"{}")])
            [delivery] = pending(spool, 1)
            assert delivery == Delivery(
                position=_numbers([receipt])[0],
                number=_numbers([receipt])[0],
                call=delivery.call,
                seq=1,
                previous_id="",
                rounds=0,
                attempts=0,
                accepted_at=1_234.5,
                expires_at=NEVER,
                body=b"{}",
            )

    async def test_a_repeated_id_is_not_stored_again(self, open_spool: OpenSpool) -> None:
        """The second receipt names the first number and says that it is a duplicate."""
        async with open_spool() as spool:
            first = await spool.append([arrival("a", 1)])
            second = await spool.append([arrival("a", 1)])
            [number] = _numbers(first)
            assert second == [Accepted(number=number, matched=1, duplicate=True)]
            assert len(pending(spool, 1)) == 1

    async def test_a_repeated_id_within_one_append_is_not_stored_again(
        self, open_spool: OpenSpool
    ) -> None:
        """The first of the two counts."""
        async with open_spool() as spool:
            receipts = await spool.append([arrival("a", 1), arrival("a", 1)])
            assert [one.duplicate for one in receipts if isinstance(one, Accepted)] == [False, True]
            assert len(pending(spool, 1)) == 1

    @pytest.mark.parametrize(("customer", "source"), [("b", ""), ("", "b")])
    async def test_an_id_is_unique_within_customer_and_source_only(
        self, open_spool: OpenSpool, customer: str, source: str
    ) -> None:
        """Two producers may use one id."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            [receipt] = await spool.append([arrival("a", 1, customer=customer, source=source)])
            assert isinstance(receipt, Accepted)
            assert not receipt.duplicate

    @pytest.mark.parametrize(("customer", "source"), [("b", ""), ("", "b")])
    async def test_a_call_belongs_to_its_customer_and_source(
        self, open_spool: OpenSpool, customer: str, source: str
    ) -> None:
        """One callId from two producers is two calls."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1), arrival("b", 1, customer=customer, source=source)])
            first, second = pending(spool, 1)
            assert first.call != second.call

    async def test_seq_counts_the_deliveries_of_a_call_to_a_subscription(
        self, open_spool: OpenSpool
    ) -> None:
        """What a subscription did not match leaves no hole, and the previous id is its own."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1, 2), arrival("b", 1)])
            await spool.append([arrival("c", 1, 2), arrival("d", 2, call="call-2")])
            told = [
                [(one.seq, one.previous_id) for one in pending(spool, owner)] for owner in (1, 2)
            ]
            assert told == [[(1, ""), (2, "a"), (3, "b")], [(1, ""), (2, "a"), (1, "")]]

    async def test_a_duplicate_takes_no_seq(self, open_spool: OpenSpool) -> None:
        """The event after a duplicate follows the one before it."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1), arrival("a", 1), arrival("b", 1)])
            assert [(one.seq, one.previous_id) for one in pending(spool, 1)] == [(1, ""), (2, "a")]

    async def test_a_page_begins_after_its_cursor_and_is_bounded(
        self, open_spool: OpenSpool
    ) -> None:
        """Pages joined by their cursors give every delivery once, in order."""
        async with open_spool() as spool:
            await spool.append([arrival(str(n), 1, call=str(n)) for n in range(5)])
            first = spool.page(1, after=0, limit=3, order="call")
            second = spool.page(1, after=first.last, limit=3, order="call")
            assert [len(first.rows), first.full, len(second.rows), second.full] == [
                3,
                True,
                2,
                False,
            ]
            assert [one.seq for one, _, _ in (*first.rows, *second.rows)] == [1] * 5

    async def test_an_empty_page_keeps_the_cursor(self, open_spool: OpenSpool) -> None:
        """Nothing read, nothing moved."""
        async with open_spool() as spool:
            page = spool.page(1, after=7, limit=3, order="call")
            assert (page.rows, page.last, page.full) == ((), 7, False)

    @pytest.mark.parametrize("order", ["call", "none", "subscription"])
    async def test_a_page_gives_the_key_of_each_lane(
        self, open_spool: OpenSpool, order: Order
    ) -> None:
        """The key is the call, the position, or 0, as the order says."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1), arrival("b", 1), arrival("c", 1, call="2")])
            rows = spool.page(1, after=0, limit=9, order=order).rows
            assert [key for _, key, _ in rows] == [key_of(one, order) for one, _, _ in rows]


def _numbers(receipts: list[Receipt]) -> list[int]:
    return [one.number for one in receipts if isinstance(one, Accepted)]
