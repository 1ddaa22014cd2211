"""What many share: nobody is forgotten, and who has least of it comes first."""

import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import trio
from hypothesis import given
from hypothesis import strategies as st

from callpost.edge.dial import Dialer, Link
from callpost.edge.dial.fair import FairLimiter
from callpost.model.egress import Guard
from callpost.model.limits import Egress

Serve = Callable[..., Awaitable[int]]

# What happens one after the other: a tenant comes; one that waits gives up; one gives back; all
# of them get their turn. Without that, several things happen at the same moment.
_STEPS = st.lists(
    st.tuples(st.sampled_from(["come", "give up", "give back", "pause"]), st.sampled_from("abc")),
    max_size=40,
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

    def give_up(self, tenant: str) -> None:
        """The first of this tenant's that waits goes away."""
        for one, scope in self.waiting:
            if one == tenant and not scope.cancel_called:
                scope.cancel()
                return

    def give_back(self, tenant: str) -> None:
        """One of what it holds."""
        if self.held[tenant]:
            self.held[tenant] -= 1
            self._limiter.release(tenant)

    def all_who_wait_have_some(self) -> bool:
        """Nobody else waits."""
        return all(self.held[tenant] for tenant, _ in self.waiting)

    async def _want(self, tenant: str) -> None:
        with trio.CancelScope() as scope:
            self.waiting.append((tenant, scope))
            try:
                await self._limiter.acquire(tenant)
            finally:
                self.waiting.remove((tenant, scope))
            self.held[tenant] += 1
            self.served.append(tenant)


async def served_after(total: int, came: str, *given_back: str) -> str:
    """Who was served, in turn, when these gave one back, one after the other."""
    async with trio.open_nursery() as nursery:
        crowd = _Crowd(FairLimiter(total), nursery)
        await crowd.come(*came)
        for tenant in given_back:
            crowd.give_back(tenant)
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    return "".join(crowd.served)


async def test_what_becomes_free_goes_to_who_has_least() -> None:
    """However many of the others have waited for longer."""
    assert await served_after(3, "aaaaaabcb", *"aaa") == "aaabca"


async def test_equals_take_turns_and_one_tenants_come_in_their_order() -> None:
    """As at a counter."""
    assert await served_after(1, "abbcc", *"abcb") == "abcbc"


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


async def test_who_gave_up_at_the_moment_of_a_return_gets_nothing() -> None:
    """It is there for the next one who comes."""
    limiter = FairLimiter(1)
    await limiter.acquire("a")
    async with trio.open_nursery() as nursery:
        crowd = _Crowd(limiter, nursery)
        await crowd.come("b")
        crowd.waiting[0][1].cancel()
        limiter.release("a")
        await crowd.come("c")
    assert crowd.served == ["c"]


async def _after_one_gave_up(*, pause_s: float, came: str) -> str:
    """Who was served of these, who came so long after `b` gave up and `a` gave back one of two."""
    async with trio.open_nursery() as nursery:
        crowd = _Crowd(FairLimiter(2), nursery)
        await crowd.come("a", "a", "b", "a")
        crowd.give_up("b")
        await trio.testing.wait_all_tasks_blocked()
        crowd.give_back("a")
        await trio.sleep(pause_s)
        await crowd.come(*came)
        nursery.cancel_scope.cancel()
    return "".join(crowd.served[2:])


async def test_one_is_left_for_who_gave_up_waiting(autojump_clock: trio.testing.MockClock) -> None:
    """It comes again after a second; who holds one already does not get it meanwhile."""
    assert await _after_one_gave_up(pause_s=1, came="ab") == "b"


async def test_who_gave_up_and_stays_away_has_nothing_left_for_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Who waited all the time comes before who comes now and holds as much."""
    assert await _after_one_gave_up(pause_s=3, came="a") == "a"


async def test_who_gave_up_and_comes_late_still_goes_first(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """It has none, whoever waited meanwhile has one."""
    assert await _after_one_gave_up(pause_s=3, came="b") == "b"


async def test_nothing_is_left_for_who_has_given_back() -> None:
    """Who has what it wants does not cost others a place between two of its deliveries."""
    assert await served_after(2, "aba", "b") == "aba"


async def test_who_waits_is_served_before_a_newcomer_who_holds_more(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Also where nothing but time has passed since what was left for another became free."""
    async with trio.open_nursery() as nursery:
        crowd = _Crowd(FairLimiter(4), nursery)
        await crowd.come(*"aaac", *"bc")
        crowd.give_up("b")
        await trio.testing.wait_all_tasks_blocked()
        crowd.give_back("a")
        await trio.sleep(3)
        await crowd.come("a")
        nursery.cancel_scope.cancel()
    assert "".join(crowd.served) == "aaacc"


async def test_two_who_come_at_the_same_moment_do_not_count_on_the_same_one() -> None:
    """What the first one sees free is its own before the second one looks."""
    limiter = FairLimiter(2)
    seen: list[bool] = []

    async def come(tenant: str) -> None:
        seen.append(limiter.has_room_for(tenant))
        await limiter.acquire(tenant)

    async with trio.open_nursery() as nursery:
        for tenant in "abc":
            nursery.start_soon(come, tenant)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert seen.count(True) == 2


@given(steps=_STEPS, total=st.integers(1, 3))
async def test_nothing_is_lost_and_nobody_waits_in_vain(
    steps: Sequence[tuple[str, str]], total: int
) -> None:
    """Who has none waits only while all is taken; in the end all of it can be had again."""
    async with trio.open_nursery() as nursery:
        crowd = _Crowd(FairLimiter(total), nursery)
        for step, tenant in [*steps, ("pause", "a")]:
            match step:
                case "come":
                    await crowd.come(tenant)
                case "give up":
                    crowd.give_up(tenant)
                case "give back":
                    crowd.give_back(tenant)
                case _:
                    await trio.testing.wait_all_tasks_blocked()
                    assert crowd.held.total() <= total
                    assert crowd.held.total() == total or crowd.all_who_wait_have_some()
        while crowd.held.total():
            for tenant in "abc":
                crowd.give_back(tenant)
            await trio.testing.wait_all_tasks_blocked()
        assert not crowd.waiting
        await crowd.come(*"def"[:total])
        assert [crowd.held[tenant] for tenant in "def"[:total]] == [1] * total


class _House:
    """Links of several tenants to one host that has few places."""

    def __init__(self, dialer: Dialer, port: int, nursery: trio.Nursery) -> None:
        self._dialer = dialer
        self._port = port
        self._nursery = nursery
        self.served: list[str] = []
        self.links: list[Link] = []

    async def come(self, *tenants: str) -> None:
        """Each wants a link; who gets none waits."""
        for tenant in tenants:
            self._nursery.start_soon(self._connect, tenant)
            await trio.testing.wait_all_tasks_blocked(0.01)

    async def come_together(self, *tenants: str) -> None:
        """All of them at the same moment."""
        for tenant in tenants:
            self._nursery.start_soon(self._connect, tenant)
        await trio.testing.wait_all_tasks_blocked(0.01)

    async def _connect(self, tenant: str) -> None:
        own = self._dialer.on_behalf_of(tenant)
        link = await own.connect(
            "127.0.0.1", self._port, tls=None, connect_timeout_s=5, strict=False
        )
        assert isinstance(link, Link)
        self.served.append(tenant)
        self.links.append(link)


async def _silent(stream: trio.abc.Stream) -> None:
    await stream.receive_some()


@asynccontextmanager
async def _a_house(serve: Serve, nursery: trio.Nursery, *, places: int) -> AsyncIterator[_House]:
    dialer = Dialer(Egress(max_connections_per_host=places), Guard())
    await nursery.start(dialer.tend)
    house = _House(dialer, await serve(_silent), nursery)
    yield house
    for link in house.links:
        link.close()


async def test_the_place_that_becomes_free_goes_to_the_tenant_who_has_fewest(
    serve: Serve, nursery: trio.Nursery
) -> None:
    """One whose connections all hang holds others up until the first of them ends."""
    async with _a_house(serve, nursery, places=2) as house:
        await house.come(*["hog"] * 5, "shop")
        house.links[0].close()
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert house.served == ["hog", "hog", "shop"]


async def test_a_tenant_who_has_fewest_keeps_its_place(serve: Serve, nursery: trio.Nursery) -> None:
    """Its turn is over, and others wait: but they have more; one of theirs has to go."""
    async with _a_house(serve, nursery, places=3) as house:
        await house.come("hog", "hog", "shop", "hog")
        now = trio.current_time() + 1
        of_hog, _, of_shop = house.links
        of_shop.rest(now)
        of_hog.rest(now)
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert (of_shop.wake(now), of_hog.wake(now)) == (True, False)
        assert house.served == ["hog", "hog", "shop", "hog"]


async def test_a_link_that_rests_is_taken_from_who_has_fewer_only_after_a_while(
    serve: Serve, nursery: trio.Nursery
) -> None:
    """Between two deliveries it is not worth less than what the other one has in plenty."""
    async with _a_house(serve, nursery, places=3) as house:
        await house.come("hog", "hog", "shop")
        of_shop = house.links[2]
        now = trio.current_time()
        of_shop.rest(now)
        await house.come("hog")
        is_kept = of_shop.wake(now)
        of_shop.rest(now - 1.5)
        await house.come("hog")
        assert (is_kept, of_shop.wake(now)) == (True, False)


async def test_two_who_need_a_place_at_once_take_two_resting_links(
    serve: Serve, nursery: trio.Nursery
) -> None:
    """One is free and two rest: the second one does not count on the place of the first."""
    async with _a_house(serve, nursery, places=3) as house:
        await house.come("shop", "shop")
        for link in house.links:
            link.rest(trio.current_time())
        await house.come_together("desk", "desk")
        assert house.served == ["shop", "shop", "desk", "desk"]


async def test_each_who_waits_has_a_resting_link_of_its_own_on_the_way(
    serve: Serve, nursery: trio.Nursery
) -> None:
    """Two wait for what two customers with one link each let rest for a second."""
    async with _a_house(serve, nursery, places=4) as house:
        await house.come("shop", "desk", "hog", "hog")
        now = trio.current_time()
        for link in house.links[:2]:
            link.rest(now)
        await house.come("hog", "hog")
        assert [link.deadline - now for link in house.links[:2]] == [1.0, 1.0]


async def test_a_tenant_whose_names_all_hang_holds_others_up_for_one_of_them_only() -> None:
    """Every thread waits for its names, and more of them wait for a thread."""
    first_ends, all_end = threading.Event(), threading.Event()
    asked: list[str] = []
    told = threading.Semaphore(0)

    def look_up(name: str) -> tuple[str, ...]:
        asked.append(name)
        told.release()
        (first_ends if name == "hog-0" else all_end).wait(5)
        return ()

    def wait_for(count: int) -> None:
        for _ in range(count):
            told.acquire(timeout=5)

    dialer = Dialer(Egress(), Guard(), look_up=look_up)

    async def connect(tenant: str, host: str) -> None:
        own = dialer.on_behalf_of(tenant)
        await own.connect(host, 1, tls=None, connect_timeout_s=5, strict=False)

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            for number in range(150):
                nursery.start_soon(connect, "hog", f"hog-{number}")
                await trio.testing.wait_all_tasks_blocked()
            await trio.to_thread.run_sync(wait_for, 100)
            nursery.start_soon(connect, "shop", "shop")
            await trio.testing.wait_all_tasks_blocked()
            first_ends.set()
            await trio.to_thread.run_sync(wait_for, 1)
            all_end.set()
    assert asked[100] == "shop"
