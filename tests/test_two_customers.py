"""Two customers on one daemon who share every id and number, and never see a byte of each other."""

import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from callpost.edge.listen import Behaviour
from household import Daemon, Producer, Receiver, a_receiver, an_event

CUSTOMERS = ("acme", "globex")
KINDS = ("newCall", "ringing", "answer", "hangup", "cdr")
REFUSALS = ("The customer is required here.", "There is no such customer here.")
REGISTRY = (
    '[tenancy]\ncustomers = "required"\n'
    '[[customer]]\nid = "acme"\n\n[[customer]]\nid = "globex"\n\n'
)


@dataclass
class House:
    """One daemon, and a good and a bad receiver for each customer, by the customer's name."""

    daemon: Daemon
    good: dict[str, Receiver]
    bad: dict[str, Receiver]

    async def feed(self, *lines: bytes) -> list[dict[str, object]]:
        """Send lines; returns what is replied to each."""
        producer = Producer(self.daemon.door)
        await producer.feed(lines)
        return producer.replies

    async def callpost(self, *arguments: str, status: int = 0) -> str:
        """Run a command; returns what it prints."""
        command = [sys.executable, "-m", "callpost", *arguments]
        command += ["--config", str(self.daemon.config)]
        with trio.fail_after(20):
            run = await trio.run_process(
                command, check=False, capture_stdout=True, capture_stderr=True
            )
        assert run.returncode == status, run.stderr.decode()
        return run.stdout.decode()


def subscriptions(customer: str, good: Receiver, bad: Receiver) -> str:
    """What both want is the same but for the customer; the bad one refuses everything."""
    wanted = f'customer = "{customer}"\ncalled = ["+4570305050"]\nextension = ["210"]\n'
    return (
        f'[[subscription]]\nname = "{customer}"\nurl = "http://127.0.0.1:{good.port}/"\n{wanted}'
        f'[[subscription]]\nname = "{customer}-bad"\n'
        f'url = "http://127.0.0.1:{bad.port}/"\n{wanted}events = ["hangup"]\n'
    )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Running; nothing has been fed yet."""
    async with a_house(tmp_path) as running:
        yield running


@asynccontextmanager
async def a_house(directory: Path) -> AsyncIterator[House]:
    """One that runs in this directory."""
    async with (
        a_receiver() as acme,
        a_receiver() as globex,
        a_receiver(Behaviour(status=422)) as acme_bad,
        a_receiver(Behaviour(status=422)) as globex_bad,
    ):
        good = dict(zip(CUSTOMERS, (acme, globex), strict=True))
        bad = dict(zip(CUSTOMERS, (acme_bad, globex_bad), strict=True))
        written = "".join(subscriptions(one, good[one], bad[one]) for one in CUSTOMERS)
        daemon = Daemon(directory, written, REGISTRY)
        async with daemon.running():
            yield House(daemon, good, bad)


def a_line(customer: str, kind: str, **more: object) -> bytes:
    """The same for both, but for whose it is and the mark that is nobody else's business."""
    about = {"from": "+4526110203", "to": "+4570305050", "extension": "210", "direction": "in"}
    mark = {"customer": customer, "fromName": f"{customer}'s caller", "id": f"1-{kind}"}
    return an_event("1", kind, **(about | mark | more))


def both_calls() -> list[bytes]:
    """One call of each, event by event in turns."""
    return [a_line(customer, kind) for kind in KINDS for customer in CUSTOMERS]


async def both_delivered(house: House) -> None:
    """Feed both calls and wait until each customer's receivers have theirs."""
    await house.feed(*both_calls())
    for one in CUSTOMERS:
        await house.good[one].until(lambda r: len(r.arrived) == len(KINDS), within_s=10)
    await house.daemon.until(lambda log: len(deaths(log)) == len(CUSTOMERS), within_s=10)


def deaths(log: list[dict[str, object]]) -> list[dict[str, object]]:
    """The dead letters in the log."""
    return [line for line in log if line["event"] == "delivery.died"]


def bytes_at(receiver: Receiver) -> bytes:
    """All that a receiver has seen: targets, headers, bodies."""
    return b"".join(f"{one.target}{one.headers}".encode() + one.content for one in receiver.arrived)


@dataclass
class Day:
    """A house in which both calls were delivered, and has ended, and what commands said of it."""

    good: dict[str, Receiver]
    bad: dict[str, Receiver]
    said: dict[tuple[str, ...], str]


# What is asked about the one day; each is a command that changes nothing.
ASKED: Sequence[tuple[str, ...]] = (
    ("inspect", "1", "--customer", "acme", "--json"),
    ("inspect", "1", "--customer", "globex"),
    ("inspect", "1", "--customer", "globex", "--json"),
    ("inspect", "1-hangup", "--customer", "globex"),
    ("inspect", "1-hangup", "--customer", "globex", "--json"),
    ("inspect", "1", "--json"),
    ("inspect", "1-hangup", "--json"),
    ("dead", "--customer", "globex", "--json"),
)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """One house for all who only look; it has ended when they do."""
    return trio.run(a_day, tmp_path_factory.mktemp("day"))


async def a_day(directory: Path) -> Day:
    """Deliver both calls, and ask everything that is asked."""
    async with a_house(directory) as house:
        await both_delivered(house)
        said = {question: await house.callpost(*question) for question in ASKED}
    return Day(house.good, house.bad, said)


@pytest.mark.parametrize(("mine", "other"), [CUSTOMERS, CUSTOMERS[::-1]])
def test_no_receiver_sees_a_byte_of_the_other_customer(day: Day, mine: str, other: str) -> None:
    """Good or bad, whatever it is sent is its own customer's."""
    seen = bytes_at(day.good[mine]) + bytes_at(day.bad[mine])
    assert (mine.encode() in seen, other.encode() in seen) == (True, False)


def test_each_customers_call_is_counted_for_itself(day: Day) -> None:
    """From 1 without a hole, each event with the id of the one before it."""
    places = {
        customer: [(body["seq"], body.get("previousId")) for body in receiver.bodies()]
        for customer, receiver in day.good.items()
    }
    before = [None, *(f"1-{kind}" for kind in KINDS[:-1])]
    expected = list(enumerate(before, start=1))
    assert places == {"acme": expected, "globex": expected}


async def test_an_id_is_known_of_the_customer_who_used_it(house: House) -> None:
    """The first time it is new for either, the second time a duplicate for either."""
    lines = [a_line(customer, "newCall") for customer in CUSTOMERS]
    replies = await house.feed(*lines, *lines)
    assert [reply.get("duplicate", False) for reply in replies] == [False, False, True, True]
    assert [reply["number"] for reply in replies[2:]] == [reply["number"] for reply in replies[:2]]


async def test_one_customers_answer_does_not_answer_the_others_call(house: House) -> None:
    """`answered` of a hangup is looked up in its own call."""
    lines = [a_line("acme", "answer"), *(a_line(one, "hangup") for one in CUSTOMERS)]
    await house.feed(*lines)
    for one in CUSTOMERS:
        await house.good[one].until(lambda r: "1-hangup" in r.ids(), within_s=10)
    answered = {one: house.good[one].bodies()[-1]["answered"] for one in CUSTOMERS}
    assert answered == {"acme": True, "globex": False}


def test_the_story_of_a_customers_call_has_its_own_subscriptions(day: Day) -> None:
    """Those of the other, whose call has the same id, are not in it."""
    story = json.loads(day.said["inspect", "1", "--customer", "acme", "--json"])
    names = {one["subscription"] for event in story["events"] for one in event["deliveries"]}
    assert names == {"acme", "acme-bad"}


@pytest.mark.parametrize("identity", ["1", "1-hangup"])
def test_the_story_of_one_customer_has_nothing_of_the_other(day: Day, identity: str) -> None:
    """Of a call as of an event, in the table as in JSON."""
    asked = ("inspect", identity, "--customer", "globex")
    told = [day.said[asked], day.said[*asked, "--json"]]
    assert ["acme" in one for one in told] == [False, False]


@pytest.mark.parametrize(("identity", "count"), [("1", len(KINDS)), ("1-hangup", 1)])
def test_without_a_customer_each_event_says_whose_it_is(
    day: Day, identity: str, count: int
) -> None:
    """The operator sees both, and which is which."""
    story = json.loads(day.said["inspect", identity, "--json"])
    assert sorted(event["customer"] for event in story["events"]) == sorted(CUSTOMERS * count)


def test_dead_letters_are_listed_by_customer(day: Day) -> None:
    """Those of the other are not among them."""
    told = day.said["dead", "--customer", "globex", "--json"]
    assert [json.loads(line)["subscription"] for line in told.splitlines()] == ["globex-bad"]


async def test_a_replay_of_one_customers_call_leaves_the_other_alone(house: House) -> None:
    """Also where both calls have the same id."""
    await both_delivered(house)
    await house.callpost("replay", "--customer", "acme", "--call", "1", "--delivered")
    await house.good["acme"].until(lambda r: len(r.arrived) == 2 * len(KINDS), within_s=10)
    await house.daemon.until(lambda log: len(deaths(log)) == 3, within_s=10)
    counts = [len(one["globex"].arrived) for one in (house.good, house.bad)]
    assert (counts, b"globex" in bytes_at(house.good["acme"])) == ([len(KINDS), 1], False)


async def test_an_event_of_nobody_known_is_refused(house: House) -> None:
    """It names the field, and nothing of it is kept."""
    strangers = ({}, *({"customer": name} for name in ("initech", "ACME", "*", "acme\u202e")))
    replies = await house.feed(*(an_event("1", "newCall", id="e", **one) for one in strangers))
    refused = [(reply["error"], reply["path"], reply["message"]) for reply in replies]
    missing, *unknown = [("invalid", "$.customer", message) for message in REFUSALS]
    assert refused == [missing, *unknown * 4]
    await house.callpost("inspect", "e", status=1)


async def test_a_subscription_of_nobody_is_a_fault(house: House) -> None:
    """The reload changes nothing and names the key; `*` is meant, and is none."""
    with house.daemon.config.open("a") as config:
        config.write('[[subscription]]\nname = "x"\nurl = "http://127.0.0.1:9/"\n')
        config.write('[[subscription]]\nname = "y"\nurl = "http://h/"\ncustomer = "acm"\n')
        config.write('[[subscription]]\nname = "z"\nurl = "http://h/"\ncustomer = "*"\n')
    told = json.loads(await house.callpost("reload", "--json", status=1))
    assert [(fault["path"], fault["code"]) for fault in told["faults"]] == [
        ("subscription.x.customer", "missing"),
        ("subscription.y.customer", "customer"),
    ]
