"""The intake: lines in, replies out, in order and only once everything is on disk."""

import json

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.model.limits import Intake as IntakeLimits
from callpost.model.routing import Router
from callpost.model.subscription import Filter
from callpost.model.tenancy import Customer, Registry, Tenancy
from doubles import MemorySpool, ScriptedWorld
from engine_house import House, a_house, a_subscription

GOOD = b'{"event":"newCall","callId":"a"}'


async def replies(house: House, *lines: bytes | None) -> list[dict[str, object]]:
    """What the intake answers to these lines."""
    return [json.loads(reply) for reply in await house.intake.accept(lines)]


async def test_an_accepted_event_is_answered_with_its_number(autojump_clock: MockClock) -> None:
    """The reply names the id that the daemon gave, the number, and how many want it."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        assert await replies(house, GOOD) == [
            {"ok": True, "id": "evt_1", "number": 1, "matched": 1}
        ]


async def test_a_reply_waits_for_the_disk(autojump_clock: MockClock) -> None:
    """A commit that takes two seconds delays the reply by two seconds."""
    async with a_house(ScriptedWorld(), a_subscription(), MemorySpool(commit_s=2.0)) as house:
        asked_at = trio.current_time()
        await replies(house, GOOD)
        assert trio.current_time() - asked_at == pytest.approx(2.0, abs=0.01)


async def test_refusals_stand_in_their_places(autojump_clock: MockClock) -> None:
    """Bad lines between good ones are answered in order, and cost the good ones nothing."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        answers = await replies(house, GOOD, b"{}", None, b'{"event":"x"}', GOOD)
        assert [answer.get("error", "ok") for answer in answers] == [
            "ok",
            "invalid",
            "too_large",
            "invalid",
            "ok",
        ]


async def test_a_fault_has_its_path_and_not_its_value(autojump_clock: MockClock) -> None:
    """The message never quotes what was sent."""
    line = b'{"event":"newCall","callId":"a","direction":"Geheimnis"}'
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        [answer] = await replies(house, line)
        assert (answer["path"], "Geheimnis" in json.dumps(answer)) == ("$.direction", False)


async def test_a_full_spool_refuses_and_delivers_nothing(autojump_clock: MockClock) -> None:
    """`spool_full` is the whole answer: nothing of the event is kept."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        house.spool.full = True
        [answer] = await replies(house, GOOD)
        await trio.sleep(1)
        assert (answer["error"], house.world.sent) == ("spool_full", [])


async def test_a_repeated_id_is_a_duplicate(autojump_clock: MockClock) -> None:
    """It is answered ok with the first number, and not delivered again."""
    line = b'{"event":"newCall","callId":"a","id":"x1"}'
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        first, again = await replies(house, line, line)
        await trio.sleep(1)
        assert (again, len(house.world.sent)) == (first | {"duplicate": True}, 1)


@pytest.mark.parametrize(
    ("story", "answered"),
    [
        (("newCall", "answer", "hangup"), True),
        (("newCall", "hangup"), False),
        (("newCall", "answer", "hangup", "cdr"), True),
    ],
)
@pytest.mark.parametrize("together", [True, False])
async def test_answered_is_filled_in(
    autojump_clock: MockClock, story: tuple[str, ...], *, answered: bool, together: bool
) -> None:
    """On hangup and cdr, from what the call has seen, in one batch or over a restart."""
    spool = MemorySpool()
    batches = [story] if together else [(kind,) for kind in story]
    world = ScriptedWorld()
    for batch in batches:
        async with a_house(world, a_subscription(), spool) as house:
            house.dispatcher.pause("crm")
            await house.feed(*(("a", kind) for kind in batch))
    bodies = [json.loads(row.body) for row in spool.rows.values()]
    told = [body["answered"] for body in bodies if body["event"] in {"hangup", "cdr"}]
    assert told == [answered] * len(told)


async def test_an_answer_on_its_way_is_known_however_many_there_are(
    autojump_clock: MockClock,
) -> None:
    """The spool has none of them yet when the hangup comes right behind twenty thousand."""
    calls = [f"c{n}" for n in range(20_000)]
    answers = [b'{"event":"answer","callId":"%b"}' % call.encode() for call in calls]
    hangups = [b'{"event":"hangup","callId":"%b"}' % call.encode() for call in calls[-8_000:]]
    spool = MemorySpool()
    async with a_house(ScriptedWorld(), a_subscription(), spool) as house:
        house.dispatcher.pause("crm")
        await house.intake.accept([*answers, *hangups])
    bodies = [json.loads(row.body) for row in spool.rows.values()]
    assert {body["answered"] for body in bodies if body["event"] == "hangup"} == {True}


async def test_what_the_producer_says_of_answered_stands(autojump_clock: MockClock) -> None:
    """It knows better."""
    line = b'{"event":"hangup","callId":"a","answered":true}'
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        await replies(house, line)
        await trio.sleep(1)
        assert json.loads(house.world.sent[0].message.content)["answered"] is True


async def test_a_stopping_daemon_says_so(autojump_clock: MockClock) -> None:
    """After `close` every line is refused with `stopping`."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        house.intake.close()
        assert [answer["error"] for answer in await replies(house, GOOD, GOOD)] == ["stopping"] * 2


async def test_a_flood_of_refusals_is_logged_with_its_count(autojump_clock: MockClock) -> None:
    """The first is logged at once, then one line in ten seconds says how many there were."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        await replies(house, *[b"{}"] * 1000)
        await trio.sleep(11)
        await replies(house, b"{}")
        logged = [line["refusedSince"] for line in house.logged("intake.refused")]
        assert logged == [0, 999]


async def test_seq_counts_per_call_and_names_the_event_before(autojump_clock: MockClock) -> None:
    """A receiver can prove that it missed nothing."""
    async with a_house(ScriptedWorld(), a_subscription()) as house:
        await house.feed(("a", "newCall"), ("b", "newCall"), ("a", "answer"))
        await trio.sleep(1)
        marks = {s.message.id: (s.message.seq, s.message.previous_id) for s in house.world.sent}
        assert marks == {"evt_1": (1, ""), "evt_2": (1, ""), "evt_3": (2, "evt_1")}


REQUIRED = Tenancy(required=True, customers=(Customer(id="acme"),))


@pytest.mark.parametrize(
    ("customer", "message"),
    [
        ("", "The customer is required here."),
        (',"customer":"acne"', "There is no such customer here."),
    ],
)
async def test_where_customers_are_required_an_event_of_nobodys_is_refused(
    autojump_clock: MockClock, customer: str, message: str
) -> None:
    """A forgotten or misspelt customer would reach the wrong subscribers, or none."""
    line = f'{{"event":"newCall","callId":"a"{customer}}}'.encode()
    async with a_house(ScriptedWorld(), a_subscription(), tenancy=REQUIRED) as house:
        [answer] = await replies(house, line)
        assert answer == {
            "ok": False,
            "error": "invalid",
            "message": message,
            "path": "$.customer",
        }


async def test_where_customers_are_required_an_event_of_one_is_accepted(
    autojump_clock: MockClock,
) -> None:
    """A registered customer's event goes its way."""
    line = b'{"event":"newCall","callId":"a","customer":"acme"}'
    async with a_house(ScriptedWorld(), a_subscription(), tenancy=REQUIRED) as house:
        [answer] = await replies(house, line)
        assert answer["ok"] is True


async def test_dropped_digits_choose_the_subscriber_and_are_not_kept(
    autojump_clock: MockClock,
) -> None:
    """The filter sees them; what lies on disk has an empty `dtmf`."""
    wanting = replace(a_subscription(), filter=Filter(dtmf=("4711",)))
    async with a_house(ScriptedWorld(), wanting) as house:
        router, nobody = Router([(1, wanting)]), Registry(Tenancy())
        house.intake.obey(router, IntakeLimits(), nobody, drops_digits=True)
        line = b'{"event":"dtmf","callId":"a","id":"x","dtmf":"4711"}'
        [answer] = await replies(house, line)
        [kept] = [delivery.body for delivery in house.spool.rows.values()]
        assert (answer["matched"], b'"dtmf":""' in kept, b"4711" in kept) == (1, True, False)
