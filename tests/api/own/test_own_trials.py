"""Tests of subscriptions over the API: a caller has so many at once, and others are not held up."""

from dataclasses import dataclass, field

import httpx
import trio

from api.own.own_api import ABOUT, FILES
from callpost.api.own.app import own
from callpost.api.own.verbs import TESTS_AT_ONCE
from callpost.model.trial import Trial
from callpost.web.own import own_language
from card_house import CardHouse, a_client
from control_house import KnownHouse


@dataclass
class SlowHouse(KnownHouse):
    """Its receivers answer when they are let."""

    begun: int = 0
    answered: trio.Event = field(default_factory=trio.Event)

    async def test(self, name: str) -> Trial:
        """Wait for the receiver."""
        self.begun += 1
        await self.answered.wait()
        return await super().test(name)


async def asked(house: SlowHouse) -> tuple[list[int], int, int]:
    """What becomes of one test more than there may be, of another caller's, and of a later one."""
    language = own_language(
        [*own(house.cards, house.cards, house, house, house, house)], about=ABOUT
    )
    statuses: list[int] = []

    async def test(client: httpx.AsyncClient, name: str) -> int:
        return (await client.post(f"/v1/subscriptions/{name}/test")).status_code

    async def noted(client: httpx.AsyncClient) -> None:
        statuses.append(await test(client, "crm"))

    async with a_client(language) as ours, a_client(language, who="other") as others:
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                for _ in range(TESTS_AT_ONCE):
                    nursery.start_soon(noted, ours)
                while house.begun < TESTS_AT_ONCE:
                    await trio.lowlevel.checkpoint()
                one_more = await test(ours, "crm")
                house.answered.set()
                of_others = await test(others, "bravo-crm")
            later = await test(ours, "crm")
    return [*statuses, one_more], of_others, later


async def test_a_caller_has_so_many_tests_at_once() -> None:
    """Each may hold a connection for hours, and the door has few; then there is room again."""
    found = await asked(SlowHouse(cards=CardHouse(FILES)))
    assert found == ([200] * TESTS_AT_ONCE + [429], 200, 200)
