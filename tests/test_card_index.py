"""The index of cards in a whole house: real files, a real spool, real couriers."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from msgspec.structs import replace

from callpost.api.ports import CardsRefused, TooManyCards
from callpost.card_index import CardIndex
from callpost.daemon import House, opened
from callpost.edge.logs import Logs
from callpost.engine.operator import Operator
from callpost.loading import ConfigFiles
from callpost.model.card import Card, CardsChanged
from callpost.model.unknown import CannotNow
from callpost.registered import Cards, Registered
from callpost.roster import Roster
from doubles import logs_into

ACME = '[[customer]]\nid = "acme"\n'
BRAVO = '[[customer]]\nid = "bravo"\n'


class Lived:
    """A house that lives, its index, and what it has logged."""

    def __init__(self, house: House, path: Path, lines: list[dict[str, object]]) -> None:
        self.house = house
        self.path = path
        self.lines = lines
        self.index = CardIndex(house.settings, house.clock)
        self.roster = Roster(house.settings)

    def a_card(self, url: str = "https://crm.example.com/", customer: str = "acme") -> Card:
        """A card that is not in the index yet."""
        name = self.index.given_name("api", "crm")
        now = self.index.now()
        return Card(
            dialect="api",
            id=name,
            customer=customer,
            subscription=name,
            said={"url": url},
            created_at=now,
            modified_at=now,
        )

    def a_rule(self, number: str) -> Card:
        """A card that stands for a forward rule of acme's."""
        now = self.index.now()
        return Card(
            dialect="api",
            id=f"rule-{number}",
            customer="acme",
            said={"number": number, "to": ["7"]},
            created_at=now,
            modified_at=now,
        )

    async def put(self, *cards: Card) -> None:
        """Put these in."""
        await self.index.change(lambda: CardsChanged(put=cards))

    def names(self) -> list[str]:
        """The subscriptions in force."""
        return [one.name for one in self.house.settings.config.subscriptions]


def written(directory: Path, *more: str) -> Path:
    """A configuration file in a directory of its own."""
    path = directory / "callpost.toml"
    places = [f'state_directory = "{directory}/state"', f'runtime_directory = "{directory}/run"']
    path.write_text("\n".join([*places, '[control]\nsocket = ""', *more]))
    return path


@asynccontextmanager
async def a_house(path: Path) -> AsyncIterator[Lived]:
    """A house that lives by this file until the end."""
    lines: list[dict[str, object]] = []
    logs: Logs = logs_into(lines)
    files = ConfigFiles(path, {})
    with opened(files.load(), {}, logs, files=files) as house:
        async with trio.open_nursery() as nursery:
            stopping = trio.Event()
            operator = await nursery.start(house.live, stopping)
            assert isinstance(operator, Operator)
            yield Lived(house, path, lines)
            stopping.set()


@pytest.fixture
async def lived(tmp_path: Path) -> AsyncIterator[Lived]:
    """A house with two customers."""
    async with a_house(written(tmp_path, ACME, BRAVO)) as one:
        yield one


def told(lines: list[dict[str, object]], name: str) -> Iterator[dict[str, object]]:
    """The log lines of one name."""
    return (line for line in lines if line["event"] == name)


async def test_what_is_put_in_is_in_force_at_once(lived: Lived) -> None:
    """The next event is for it."""
    card = lived.a_card()
    await lived.put(card)
    door = lived.house.doors.stream
    assert door is not None
    stream = await trio.open_unix_socket(door.getsockname())
    async with stream:
        await stream.send_all(b'{"event":"newCall","callId":"1","customer":"acme"}\n')
        reply = json.loads(await stream.receive_some(4_096))
    assert reply["matched"] == 1


async def test_what_is_taken_out_is_gone(lived: Lived) -> None:
    """From the index and from what is in force."""
    card = lived.a_card()
    await lived.put(card)
    await lived.index.change(lambda: CardsChanged(taken=(card,)))
    assert (lived.index.card("api", card.id), lived.names()) == (None, [])


async def test_a_start_finds_the_cards(tmp_path: Path) -> None:
    """They live in the spool."""
    path = written(tmp_path, ACME)
    async with a_house(path) as before:
        card = before.a_card()
        await before.put(card)
    async with a_house(path) as after:
        assert (after.index.cards("api"), after.names()) == ([card], [card.subscription])


async def test_a_faulty_card_changes_nothing(lived: Lived) -> None:
    """Neither it, nor the good one beside it."""
    with pytest.raises(CardsRefused) as refused:
        await lived.put(lived.a_card(), lived.a_card("gopher://crm.example.com/"))
    places = [(one.path, one.sentence) for one in refused.value.faults]
    assert (places, lived.index.cards("api")) == ([("url", "URL protocol is invalid")], [])


async def test_what_decide_raises_is_passed_on(lived: Lived) -> None:
    """And the next one can change something."""

    def refuse() -> CardsChanged:
        raise LookupError

    with pytest.raises(LookupError):
        await lived.index.change(refuse)
    await lived.put(lived.a_card())
    assert len(lived.names()) == 1


async def test_a_customer_has_so_many_and_no_more(tmp_path: Path) -> None:
    """The other customers have theirs."""
    path = written(tmp_path, ACME, BRAVO, "[api]\nmax_subscriptions_per_customer = 2")
    async with a_house(path) as lived:
        await lived.put(lived.a_card(), lived.a_card(), lived.a_card(customer="bravo"))
        with pytest.raises(TooManyCards, match="at most 2"):
            await lived.put(lived.a_card())
        assert len(lived.names()) == 3


async def test_a_customer_has_so_many_rules_and_no_more(lived: Lived) -> None:
    """Of one dialect; else one token could fill the memory."""
    await lived.put(*(lived.a_rule(f"{number:05}") for number in range(10_000)))
    with pytest.raises(TooManyCards, match="at most 10,000"):
        await lived.put(lived.a_rule("+45"))


async def test_a_rule_cannot_push_another_one_out(lived: Lived) -> None:
    """Of two rules for one number the older one counts: the newer one would be gone unasked."""
    older, newer = lived.a_rule("101"), lived.a_rule("102")
    await lived.put(older, newer)
    with pytest.raises(CardsRefused, match="this number has a rule already"):
        await lived.put(replace(older, said=newer.said))
    assert len(lived.house.settings.config.forwards) == 2


async def test_what_is_left_out_stands_in_nobodys_way(lived: Lived) -> None:
    """The others can still be changed."""
    await lived.put(lived.a_rule("101"), lived.a_rule("102"))
    rule = '[[forward]]\ncustomer = "acme"\nnumber = "101"\nto = ["9"]'
    written(lived.path.parent, ACME, rule)
    await lived.house.settings.reload(dry_run=False)
    await lived.put(lived.a_card())
    assert len(lived.names()) == 1


async def test_a_change_whose_client_has_gone_is_made_to_the_end(lived: Lived) -> None:
    """What is on disk is in the index, and in force."""
    card, written_down = lived.a_card(), trio.Event()
    write = lived.house.spool.write_cards

    async def write_and_tell(changed: CardsChanged) -> None:
        await write(changed)
        written_down.set()
        await trio.lowlevel.checkpoint()

    lived.house.spool.write_cards = write_and_tell  # type: ignore[method-assign]  # so that the test knows when
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lived.put, card)
        await written_down.wait()
        nursery.cancel_scope.cancel()
    assert (lived.index.cards("api"), lived.names()) == ([card], [card.subscription])


async def test_changes_at_the_same_time_all_count(lived: Lived) -> None:
    """Each decides on what the one before has left."""
    card = lived.a_card()
    await lived.put(card)

    def one_more() -> CardsChanged:
        found = lived.index.card("api", card.id)
        assert found is not None
        return CardsChanged(put=(replace(found, revision=found.revision + 1),))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(lived.index.change, one_more)
    assert [one.revision for one in lived.index.cards("api")] == [11]


async def test_a_reload_keeps_what_was_made(lived: Lived) -> None:
    """It is nothing of the files."""
    card = lived.a_card()
    await lived.put(card)
    reloaded = await lived.house.settings.reload(dry_run=False)
    assert reloaded.changes is not None
    assert (reloaded.changes.removed, lived.names()) == ((), [card.subscription])


async def test_a_reload_gives_new_defaults_to_what_was_made(lived: Lived) -> None:
    """They count for every subscription."""
    await lived.put(lived.a_card())
    written(lived.path.parent, ACME, BRAVO, "[delivery]\nconcurrency = 3")
    await lived.house.settings.reload(dry_run=False)
    [subscription] = lived.house.settings.config.subscriptions
    assert subscription.concurrency == 3


async def test_who_leaves_the_registry_is_served_no_more(lived: Lived) -> None:
    """The card stays, and what is left out is shouted."""
    card = lived.a_card()
    await lived.put(card, lived.a_card(customer="bravo"))
    written(lived.path.parent, BRAVO)
    await lived.house.settings.reload(dry_run=False)
    [line] = told(lived.lines, "card.left_out")
    seen = (line["subscription"], card in lived.index.cards("api"), len(lived.names()))
    assert seen == (card.subscription, True, 1)


async def test_a_rule_that_is_left_out_is_told_by_its_id(lived: Lived) -> None:
    """It has no other name, and the log does not have its number."""
    card = lived.a_rule("101")
    await lived.put(card)
    written(lived.path.parent, BRAVO)
    await lived.house.settings.reload(dry_run=False)
    [line] = told(lived.lines, "card.left_out")
    assert (line["id"], line["subscription"]) == (card.id, "")


async def test_rules_that_are_left_out_are_counted_by_themselves(lived: Lived) -> None:
    """They are no subscriptions."""
    await lived.put(lived.a_rule("101"), lived.a_card())
    written(lived.path.parent, BRAVO)
    await lived.house.settings.reload(dry_run=False)
    figures = lived.house.settings.figures
    assert (figures.left_out, figures.left_out_forwards) == (1, 1)


async def test_a_reload_says_beforehand_what_it_would_remove(lived: Lived) -> None:
    """Also of what was made over the API."""
    card = lived.a_card()
    await lived.put(card)
    written(lived.path.parent, BRAVO)
    reloaded = await lived.house.settings.reload(dry_run=True)
    assert reloaded.changes is not None
    assert [one.name for one in reloaded.changes.removed] == [card.subscription]


async def test_a_spool_that_takes_nothing_changes_nothing(lived: Lived) -> None:
    """The caller is told, and can try again."""
    lived.house.spool.finish()
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(CannotNow):
        await lived.put(lived.a_card())
    assert (lived.index.cards("api"), lived.names()) == ([], [])


async def test_a_house_that_stops_takes_no_more(tmp_path: Path) -> None:
    """What is answered is in force, or not answered."""
    async with a_house(written(tmp_path, ACME)) as lived:
        card = lived.a_card()
    with pytest.raises(CannotNow, match="stopping"):
        await lived.put(card)


class Counted(str):
    """A name that counts how often it is compared with another one."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        """As every text, and counted."""
        Counted.comparisons += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


async def test_what_is_left_out_costs_the_roster_no_more_than_the_rest(lived: Lived) -> None:
    """Where a registry has lost its customers, it would hold up the loop for a second."""
    names = [Counted(f"api.crm.{number:08x}") for number in range(100)]
    cards = [
        replace(lived.a_card(customer="gone"), id=name, subscription=name, said={})
        for name in names
    ]
    settings = lived.house.settings
    settings.registered = Registered(settings.registered.files, Cards.of(cards))
    Counted.comparisons = 0
    assert await lived.roster.subscriptions() == []
    assert Counted.comparisons < 1_000


async def test_the_roster_has_what_is_left_out_with_all_its_cards(lived: Lived) -> None:
    """By itself, subscriptions and rules apart."""
    hangup = {"type": "2", "method": "0", "url": "https://crm.example.com/", "status": "1"}
    lane = [
        replace(
            lived.a_card(),
            dialect="voipnow",
            id=type_,
            scope="0003*210",
            subscription="voipnow.lane.00000000",
            said={**hangup, "type": type_},
        )
        for type_ in "02"
    ]
    rule = lived.a_rule("101")
    await lived.put(*lane, rule, lived.a_card(customer="bravo"))
    written(lived.path.parent, BRAVO)
    await lived.house.settings.reload(dry_run=False)
    found = {
        one.name: one.left_out
        for kind in ("subscription", "forward")
        for one in lived.roster.left_out(kind)
    }
    assert found == {
        "voipnow.lane.00000000": tuple(lane),
        "voipnow.lane.00000000-out": (lane[1],),
        rule.id: (rule,),
    }


async def test_the_roster_has_files_and_cards(tmp_path: Path) -> None:
    """Those of the files first, with the keys that stand there."""
    of_file = '[[subscription]]\nname = "wall"\nurl = "https://wall.example/"\nevents = ["cdr"]'
    async with a_house(written(tmp_path, ACME, of_file)) as lived:
        card = lived.a_card()
        await lived.put(card)
        found = [(one.origin, one.table, one.card) for one in await lived.roster.subscriptions()]
    wall = {"url": "https://wall.example/", "events": ["cdr"]}
    assert [(*found[0][:1], found[0][1]["events"], found[0][2]), found[1]] == [
        ("file", wall["events"], None),
        ("api", {"url": "https://crm.example.com/"}, card),
    ]
