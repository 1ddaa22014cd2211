"""`[privacy]` with a real daemon: digits that never reach the disk, numbers as they are shown."""

import json
import sys
from pathlib import Path

import trio

from household import Daemon, Producer, a_receiver, an_event

DIGITS = "47118090210"
NUMBER = "+4526110203"


async def told(daemon: Daemon, *arguments: str) -> str:
    """What a command says on standard output."""
    command = [sys.executable, "-m", "callpost", *arguments, "--config", str(daemon.config)]
    with trio.fail_after(30):
        done = await trio.run_process(command, capture_stdout=True, capture_stderr=True)
    return done.stdout.decode()


async def test_dropped_digits_are_in_no_file_and_still_choose_the_subscriber(
    tmp_path: Path,
) -> None:
    """The filter sees them, the subscriber gets an empty `dtmf`, the disk has never had them."""
    async with a_receiver() as menu, a_receiver() as other:
        daemon = Daemon(
            tmp_path,
            f'[[subscription]]\nname = "menu"\nurl = "http://127.0.0.1:{menu.port}/"\n'
            f'dtmf = ["4711."]\n[[subscription]]\nname = "other"\n'
            f'url = "http://127.0.0.1:{other.port}/"\ndtmf = ["9."]\n',
            '[privacy]\ndtmf = "drop"\n[log]\nlevel = "debug"\n',
        )
        async with daemon.running():
            producer = Producer(daemon.door)
            await producer.feed([an_event("1", "dtmf", dtmf=DIGITS, id="a")])
            await menu.until(lambda r: len(r.arrived) == 1, within_s=10)
            raw = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert [body["dtmf"] for body in menu.bodies()] == [""]
    assert (producer.replies[0]["matched"], other.arrived) == (1, [])
    assert (DIGITS.encode() in raw, DIGITS in json.dumps(daemon.log)) == (False, False)


async def test_numbers_are_shown_as_a_reload_says(tmp_path: Path) -> None:
    """By the daemon and, once it has stopped, by the command that reads its spool."""
    async with a_receiver() as receiver:
        daemon = Daemon(
            tmp_path, f'[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:{receiver.port}/"\n'
        )
        plain = daemon.config.read_text()
        shown = []
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("1", "newCall", **{"from": NUMBER})])
            for numbers in ("masked", "full", "none"):
                daemon.config.write_text(f'{plain}[privacy]\nlog_numbers = "{numbers}"\n')
                await told(daemon, "reload")
                [event] = json.loads(await told(daemon, "inspect", "1", "--json"))["events"]
                shown.append(event["caller"])
        for numbers in ("masked", "full", "none"):
            daemon.config.write_text(f'{plain}[privacy]\nlog_numbers = "{numbers}"\n')
            [event] = json.loads(await told(daemon, "inspect", "1", "--json"))["events"]
            shown.append(event["caller"])
    assert shown == ["…203", NUMBER, ""] * 2
