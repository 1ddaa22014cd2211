"""What every Spool must know of the way that calls go: their direction, and who makes them."""

from callpost.engine.ports import Spool
from callpost.model.flow import Way
from spool_nouns import OpenSpool, arrival


def of_call_1(spool: Spool) -> Way:
    """What is known of it."""
    return spool.way_of(customer="", source="", call_id="call-1")


def body(kind: str, more: str) -> bytes:
    """An event of call-1 as stored."""
    return f'{{"event":"{kind}","callId":"call-1"{more}}}'.encode()


class DirectionContract:
    """The behaviour that `direction` in later events relies on."""

    async def test_a_direction_is_known(self, open_spool: OpenSpool) -> None:
        """Once it is on disk."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1, body=body("newCall", ',"direction":"in"'))])
            assert of_call_1(spool) == Way("in")

    async def test_the_latest_new_call_says_the_direction(self, open_spool: OpenSpool) -> None:
        """Whatever others have said, and where an id is used again."""
        said = [("ringing", "out"), ("newCall", "in"), ("newCall", "internal"), ("answer", "out")]
        async with open_spool() as spool:
            for number, (kind, direction) in enumerate(said):
                told = body(kind, f',"direction":"{direction}"')
                await spool.append([arrival(f"e{number}", 1, body=told)])
            assert of_call_1(spool) == Way("internal")

    async def test_the_first_to_say_the_direction_is_believed(self, open_spool: OpenSpool) -> None:
        """Where the newCall is silent."""
        said = [
            ("newCall", ""),
            ("ringing", ',"direction":"out"'),
            ("answer", ',"direction":"in"'),
        ]
        async with open_spool() as spool:
            for number, (kind, more) in enumerate(said):
                await spool.append([arrival(f"e{number}", 1, body=body(kind, more))])
            assert of_call_1(spool) == Way("out")

    async def test_a_direction_in_the_data_is_none(self, open_spool: OpenSpool) -> None:
        """A producer's own field of that name says nothing about the call's."""
        told = body("newCall", ',"data":{"a":"b","direction":"in","from":"101"}')
        async with open_spool() as spool:
            await spool.append([arrival("a", 1, body=told)])
            assert of_call_1(spool) == Way()

    async def test_who_calls_is_known(self, open_spool: OpenSpool) -> None:
        """By the latest newCall, or else by the first to say it, as the direction."""
        said = [
            ("ringing", ',"from":"100"'),
            ("newCall", ',"from":"101"'),
            ("newCall", ',"direction":"internal"'),
            ("answer", ',"from":"102"'),
        ]
        async with open_spool() as spool:
            for number, (kind, more) in enumerate(said):
                await spool.append([arrival(f"e{number}", 1, body=body(kind, more))])
            assert of_call_1(spool) == Way("internal", "101")

    async def test_the_direction_of_another_customer_is_none(self, open_spool: OpenSpool) -> None:
        """Two customers may use one call id."""
        told = body("newCall", ',"direction":"in"')
        async with open_spool() as spool:
            await spool.append([arrival("a", 1, customer="acme", body=told)])
            assert spool.way_of(customer="other", source="", call_id="call-1") == Way()
