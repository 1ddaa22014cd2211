"""A limit that many share: nobody gets more than there is, and nobody is forgotten."""

from collections import Counter
from collections.abc import Sequence

import trio
from hypothesis import given
from hypothesis import strategies as st

from callpost.edge.dial.fair import FairLimiter

# What happens one after the other: a tenant comes; one that waits gives up; one gives back.
_STEPS = st.lists(
    st.tuples(st.sampled_from(["come", "give up", "give back"]), st.sampled_from("abc")),
    max_size=30,
)


class _Crowd:
    """Tenants who want something of a limiter; `served` are those who got it, in turn."""

    def __init__(self, limiter: FairLimiter, nursery: trio.Nursery) -> None:
        self._limiter = limiter
        self._nursery = nursery
        self.held = Counter[str]()
        self.waiting: list[tuple[str, trio.CancelScope]] = []
        self.served: list[str] = []

    async def come(self, *tenants: str) -> None:
        """They come one after the other."""
        for tenant in tenants:
            self._nursery.start_soon(self._want, tenant)
            await trio.testing.wait_all_tasks_blocked()

    async def give_up(self, tenant: str) -> None:
        """The first of this tenant's that waits goes away."""
        for one, scope in self.waiting:
            if one == tenant:
                scope.cancel()
                await trio.testing.wait_all_tasks_blocked()
                return

    async def give_back(self, tenant: str) -> None:
        """One of what it holds."""
        if self.held[tenant]:
            self.held[tenant] -= 1
            self._limiter.release(tenant)
            await trio.testing.wait_all_tasks_blocked()

    async def _want(self, tenant: str) -> None:
        with trio.CancelScope() as scope:
            self.waiting.append((tenant, scope))
            try:
                await self._limiter.acquire(tenant)
            finally:
                self.waiting.remove((tenant, scope))
            self.held[tenant] += 1
            self.served.append(tenant)


async def test_what_becomes_free_goes_to_who_has_least() -> None:
    """However many of the others have waited for longer."""
    async with trio.open_nursery() as nursery:
        crowd = _Crowd(FairLimiter(3), nursery)
        await crowd.come(*"aaaaaa", "b", "c", "b")
        for _ in range(3):
            await crowd.give_back("a")
        nursery.cancel_scope.cancel()
    assert "".join(crowd.served) == "aaabca"


async def test_equals_take_turns_and_one_tenants_come_in_their_order() -> None:
    """As at a counter."""
    async with trio.open_nursery() as nursery:
        crowd = _Crowd(FairLimiter(1), nursery)
        await crowd.come("a", "b", "b", "c", "c")
        for tenant in "abcb":
            await crowd.give_back(tenant)
        nursery.cancel_scope.cancel()
    assert "".join(crowd.served) == "abcbc"


async def test_who_is_cancelled_at_the_moment_of_being_served_has_it() -> None:
    """It is handed over, and who got it gives it back."""
    limiter = FairLimiter(1)
    await limiter.acquire("a")
    async with trio.open_nursery() as nursery:
        crowd = _Crowd(limiter, nursery)
        await crowd.come("b")
        limiter.release("a")
        crowd.waiting[0][1].cancel()
    assert crowd.served == ["b"]


@given(steps=_STEPS, total=st.integers(1, 3))
async def test_nothing_is_lost_and_nobody_waits_in_vain(
    steps: Sequence[tuple[str, str]], total: int
) -> None:
    """Somebody waits only while all is taken; in the end all of it can be had again."""
    async with trio.open_nursery() as nursery:
        crowd = _Crowd(FairLimiter(total), nursery)
        for step, tenant in steps:
            match step:
                case "come":
                    await crowd.come(tenant)
                case "give up":
                    await crowd.give_up(tenant)
                case _:
                    await crowd.give_back(tenant)
            assert crowd.held.total() <= total
            assert crowd.held.total() == total or not crowd.waiting
        while crowd.held.total():
            for tenant in "abc":
                await crowd.give_back(tenant)
        assert not crowd.waiting
        await crowd.come(*"d" * total)
        assert crowd.held["d"] == total
