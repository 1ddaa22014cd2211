"""The last part of what every Spool must do: reports, ages, counts and gaps."""

import pytest

from callpost.model.delivery import Delivery, Settlement, Standing, StandingChanged
from contract_of_appends import AppendContract
from spool_nouns import NEVER, OpenSpool, arrival, died, done, pending, settled

REPORT = arrival("report-1", 9, call="reports")


class EndingContract(AppendContract):
    """What the end of a delivery leaves behind, and what can be asked about it."""

    @pytest.mark.parametrize("ended", [done, died])
    async def test_a_report_is_stored_with_the_settlement(
        self, open_spool: OpenSpool, ended: object
    ) -> None:
        """It is pending for whoever it is for once the settlement is confirmed."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            await settled(spool, _ended(ended, pending(spool, 1)[0]))
            assert [one.body for one in pending(spool, 9)] == [REPORT.body]

    @pytest.mark.parametrize("ended", [done, died])
    async def test_a_report_is_stored_once(self, open_spool: OpenSpool, ended: object) -> None:
        """However often the delivery is settled, whatever the report's id is then."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            [delivery] = pending(spool, 1)
            await settled(spool, _ended(ended, delivery))
            await settled(spool, _ended(ended, delivery))
            await settled(spool, done(1, delivery, report=arrival("report-2", 9)))
            await settled(spool, died(1, delivery, report=arrival("report-3", 9)))
            assert len(pending(spool, 9)) == 1

    async def test_what_is_past_its_age_is_found(self, open_spool: OpenSpool) -> None:
        """From the moment on that it is due to be given up, for its own subscription."""
        async with open_spool() as spool:
            ages = {"a": 50.0, "b": 60.0, "c": 61.0, "d": NEVER}
            await spool.append([arrival(name, 1, 2, expires_at=at) for name, at in ages.items()])
            await settled(spool, done(1, pending(spool, 1)[0]))
            found, _ = spool.expired(1, after=0, scan=9, now=60.0)
            assert found == pending(spool, 1)[:1]

    async def test_looking_for_the_expired_ends_at_the_end(self, open_spool: OpenSpool) -> None:
        """The place to go on from is 0 then, whether something was found or not."""
        async with open_spool() as spool:
            empty = spool.expired(1, after=0, scan=9, now=60.0)
            await spool.append([arrival("a", 1, expires_at=50.0)])
            _, after = spool.expired(1, after=0, scan=9, now=60.0)
            assert (empty, after) == (([], 0), 0)

    async def test_looking_for_the_expired_goes_on_where_it_was(
        self, open_spool: OpenSpool
    ) -> None:
        """Each look goes so far and no farther, and all looks together find everything."""
        async with open_spool() as spool:
            ages = [50.0, NEVER, 50.0, 50.0, NEVER, NEVER, 50.0]
            await spool.append([arrival(str(n), 1, expires_at=at) for n, at in enumerate(ages)])
            found, after = spool.expired(1, after=0, scan=2, now=60.0)
            looks = [len(found)]
            while after:
                more, after = spool.expired(1, after=after, scan=2, now=60.0)
                looks.append(len(more))
                found += more
            assert looks == [1, 2, 0, 1]
            assert found == [one for one in pending(spool, 1) if one.expires_at == 50.0]

    async def test_pending_deliveries_are_counted(self, open_spool: OpenSpool) -> None:
        """What was appended less what has ended, each ending counted once."""
        async with open_spool() as spool:
            await spool.append([arrival(name, 1, 2) for name in "abc"])
            first, second, _ = pending(spool, 1)
            for settlement in (done(1, first), died(1, second)):
                await settled(spool, settlement)
                await settled(spool, settlement)
            assert [spool.pending_of(owner) for owner in (1, 2, 3)] == [1, 3, 0]

    async def test_a_dead_letter_is_a_gap_in_its_call(self, open_spool: OpenSpool) -> None:
        """For its own subscription and call, and no other."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1, 2), arrival("b", 1, call="2")])
            dead, other = pending(spool, 1)
            before = spool.has_gap(1, dead.call)
            await settled(spool, died(1, dead))
            gaps = [spool.has_gap(1, dead.call), spool.has_gap(2, dead.call)]
            assert (before, gaps, spool.has_gap(1, other.call)) == (False, [True, False], False)

    async def test_a_superseded_delivery_is_no_gap(self, open_spool: OpenSpool) -> None:
        """The subscriber has asked not to hear of it."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            [delivery] = pending(spool, 1)
            await settled(spool, died(1, delivery, reason="superseded"))
            assert not spool.has_gap(1, delivery.call)

    async def test_a_change_of_standing_is_confirmed(self, open_spool: OpenSpool) -> None:
        """As every settlement is."""
        async with open_spool() as spool:
            standing = Standing(paused="auto")
            assert await settled(spool, StandingChanged(subscription=1, standing=standing))

    async def test_a_spool_that_works_is_not_clogged(self, open_spool: OpenSpool) -> None:
        """Not even when something waits."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1)])
            spool.settle(done(1, pending(spool, 1)[0]))
            assert not spool.clogged


def _ended(how: object, delivery: Delivery) -> Settlement:
    return done(1, delivery, report=REPORT) if how is done else died(1, delivery, report=REPORT)
