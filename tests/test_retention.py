"""`retain` with a real daemon, at its own pace: what has been kept long enough is in no file."""

import random
from pathlib import Path

import pytest
import trio

from callpost.edge.listen import Behaviour
from household import Daemon, Producer, a_receiver, an_event

NUMBER = "+4526110203"
OTHERS = "+4533334444"
RETAIN_S = 3.0
# It looks every half minute; what it cannot do then it does at the next look.
PROMISED_S = 60.0


def calls(dice: random.Random, count: int) -> tuple[list[bytes], list[str]]:
    """Calls with ids in no order, a third of them private; and the ids of the private ones."""
    lines: list[bytes] = []
    private: list[str] = []
    for _ in range(count):
        call, *ids = (f"{dice.getrandbits(128):032x}" for _ in range(3))
        is_private = dice.random() < 1 / 3
        private += ids[:1] if is_private else []
        about = {"from": NUMBER if is_private else OTHERS, "to": "1" if is_private else "2"}
        name = "n" * dice.randint(1, 900)
        lines += [
            an_event(call, kind, id=event_id, fromName=name, **about)
            for event_id, kind in zip(ids, ("newCall", "hangup"), strict=True)
        ]
    return lines, private


def left(directory: Path, needles: list[bytes]) -> list[str]:
    """The files in which any of these stands."""
    contents = {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}
    return [name for name, content in contents.items() if any(n in content for n in needles)]


@pytest.mark.slow
async def test_retain_is_kept_to_the_minute_and_to_the_last_byte(tmp_path: Path) -> None:
    """While the events of others, which lie between, wait for a subscriber that is down."""
    lines, private = calls(random.Random(1), 1_500)
    needles = [NUMBER[1:].encode(), *(one.encode() for one in private)]
    async with a_receiver() as crm, a_receiver(Behaviour(status=503)) as down:
        daemon = Daemon(
            tmp_path,
            f'[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:{crm.port}/"\n'
            f'[[subscription]]\nname = "down"\nurl = "http://127.0.0.1:{down.port}/"\n'
            'called = ["2"]\n',
            f'[spool]\nretain = "{RETAIN_S:.0f}s"\n',
        )
        async with daemon.running():
            await Producer(daemon.door).feed(lines)
            await crm.until(lambda r: len(r.arrived) >= len(lines), within_s=60)
            before = left(tmp_path / "state", needles)
            with trio.move_on_after(RETAIN_S + PROMISED_S):
                while left(tmp_path / "state", needles):  # noqa: ASYNC110 - files tell nobody
                    await trio.sleep(1)
            after = left(tmp_path / "state", needles)
    assert (before != [], after) == (True, [])
