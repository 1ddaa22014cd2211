"""400 customers with three subscriptions each: checked in a moment, changed one file at a time."""

import json
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from household import Daemon, Producer, Receiver, a_receiver, an_event
from many_customers import CUSTOMERS, customer_id, file_of, write_customers

SUBSCRIPTIONS = 3 * CUSTOMERS
CHANGED, OTHERS = 7, (0, 8, 399)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The main file, with all customers beside it."""
    config = tmp_path / "callpost.toml"
    config.write_text(f'state_directory = "{tmp_path}/state"\n')
    write_customers(config, host="127.0.0.1:9")
    return config


def check(config: Path) -> subprocess.CompletedProcess[str]:
    """`callpost check`."""
    command = [sys.executable, "-m", "callpost", "check", "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_all_customers_are_checked_in_under_two_seconds(config: Path) -> None:
    """Of the processor's time, from the start of the command to its end; it takes half a second."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    checked = check(config)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    assert checked.stdout.splitlines()[-1] == (f"{config}: {SUBSCRIPTIONS} subscriptions, no fault")
    assert took_s < 2, f"{took_s:.2f} s"


def test_an_extension_of_two_customers_is_told_with_both(config: Path) -> None:
    """Whoever copies a customer's file and forgets to change a line is told which."""
    copied = file_of(config, 1)
    copied.write_text(copied.read_text().replace("0001*203", "0000*203"))
    assert check(config).stderr == (
        f'{copied}: customer[1].extensions[3]: duplicate: is already that of customer "c0000"\n'
    )


@dataclass
class House:
    """A daemon with all customers, all of whose subscriptions lead to one receiver."""

    daemon: Daemon
    receiver: Receiver

    async def call(self, kind: str, *customers: int) -> None:
        """Feed one event for each customer, and wait until it has arrived where it is wanted."""
        logged = len(self.attempts())
        about = {"from": "+4526110203", "direction": "in"}
        lines = [
            an_event("1", kind, customer=customer_id(one), to=f"+4570{one:06}", **about)
            for one in customers
        ]
        await Producer(self.daemon.door).feed(lines)
        wanted = logged + 2 * len(customers)
        await self.daemon.until(lambda _: len(self.attempts()) == wanted, within_s=20)

    async def reload(self) -> dict[str, object]:
        """What a reload answers."""
        command = [sys.executable, "-m", "callpost", "reload", "--json"]
        command += ["--config", str(self.daemon.config)]
        with trio.fail_after(20):
            run = await trio.run_process(command, capture_stdout=True)
        answer: dict[str, object] = json.loads(run.stdout)
        return answer

    def change_one(self) -> None:
        """One customer's file gets another URL for the popup."""
        file = file_of(self.daemon.config, CHANGED)
        file.write_text(file.read_text().replace("/popup", "/screen"))

    def attempts(self) -> list[dict[str, object]]:
        """The attempts in the log."""
        return [line for line in self.daemon.log if line["event"] == "delivery.attempted"]

    def last_reused(self, customers: Sequence[int]) -> dict[str, object]:
        """Whether the last attempts at these customers' popups had a connection already."""
        popups = {f"{customer_id(one)}-popup" for one in customers}
        last = {line["subscription"]: line["reused"] for line in self.attempts()}
        return {str(name): reused for name, reused in last.items() if name in popups}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Each of the customers that are looked at has had a call."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, "")
        write_customers(daemon.config, host=f"127.0.0.1:{receiver.port}")
        async with daemon.running():
            house = House(daemon, receiver)
            await house.call("newCall", CHANGED, *OTHERS)
            yield house


async def test_a_reload_of_one_customers_file_tells_what_changed(house: House) -> None:
    """One subscription, and the setting; the other 1,199 are as they were."""
    house.change_one()
    answer = await house.reload()
    assert answer["changes"] == {
        "added": [],
        "removed": [],
        "changed": [{"name": "c0007-popup", "settings": ["url"]}],
        "unchanged": SUBSCRIPTIONS - 1,
        "settings": [],
        "needsRestart": [],
    }


async def test_a_reload_of_one_customers_file_leaves_the_others_connections(house: House) -> None:
    """They go on over what they have; only the changed one connects again."""
    house.change_one()
    await house.reload()
    await house.call("hangup", CHANGED, *OTHERS)
    reused = house.last_reused([CHANGED, *OTHERS])
    others = {f"{customer_id(one)}-popup": True for one in OTHERS}
    assert reused == others | {f"{customer_id(CHANGED)}-popup": False}


async def test_a_new_customer_is_a_new_file(house: House) -> None:
    """The registry and the subscriptions take effect together."""
    text = file_of(house.daemon.config, 0).read_text()
    new = text.replace("c0000", customer_id(CUSTOMERS)).replace("0000*", "0400*")
    new = new.replace("+4570000000", f"+4570{CUSTOMERS:06}")
    file_of(house.daemon.config, CUSTOMERS).write_text(new)
    await house.reload()
    await house.call("newCall", CUSTOMERS)
    assert house.receiver.bodies()[-1]["callId"] == "1"
