"""The fan-out of attempts to whoever watches."""

from callpost.engine.live import Live
from callpost.engine.witnesses import Witnesses
from conditions import an_attempt
from control_house import Uncounted


async def test_each_listener_hears_everything() -> None:
    """In the order in which it happened."""
    witnesses = Witnesses(Uncounted())
    live = Live(witnesses)
    sent = [an_attempt(seq=number) for number in range(3)]
    with live.listen() as first, live.listen() as second:
        for attempt in sent:
            witnesses.attempted(attempt)
        live.close()
        heard = [[one async for one in listener] for listener in (first, second)]
    assert heard == [sent, sent]


async def test_the_gap_has_its_place_among_the_attempts() -> None:
    """Before it what was kept, after it what came when there was room again."""
    witnesses = Witnesses(Uncounted())
    live = Live(witnesses)
    with live.listen() as listener:
        for number in range(1_030):
            witnesses.attempted(an_attempt(seq=number))
        first = await anext(listener)
        witnesses.attempted(an_attempt(seq=5_000))
        live.close()
        rest = [one async for one in listener]
    assert [first, *rest] == [
        *(an_attempt(seq=number) for number in range(1_024)),
        6,
        an_attempt(seq=5_000),
    ]


async def test_a_gap_at_the_end_is_told_too() -> None:
    """Although no attempt comes after it."""
    witnesses = Witnesses(Uncounted())
    live = Live(witnesses)
    with live.listen() as listener:
        for number in range(1_025):
            witnesses.attempted(an_attempt(seq=number))
        live.close()
        assert [one async for one in listener][-1] == 1


async def test_while_nobody_listens_the_witness_is_asked_alone() -> None:
    """An attempt is one call, to the one who counts."""
    counting = Uncounted()
    witnesses = Witnesses(counting)
    with Live(witnesses).listen():
        pass
    assert witnesses.attempted == counting.attempted


async def test_nothing_is_heard_once_the_house_has_ended() -> None:
    """Who comes too late comes to an end at once."""
    live = Live(Witnesses(Uncounted()))
    live.close()
    with live.listen() as listener:
        assert [one async for one in listener] == []
