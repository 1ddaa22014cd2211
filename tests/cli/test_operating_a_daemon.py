"""The commands against a whole daemon: what an operator does on a bad day."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from callpost.edge.listen import Behaviour
from household import Daemon, Producer, Receiver, a_receiver, an_event


def a_subscription(name: str, port: int) -> str:
    """A subscription to everything."""
    return f'[[subscription]]\nname = "{name}"\nurl = "http://127.0.0.1:{port}/"\n'


async def callpost(daemon: Daemon, *arguments: str, status: int = 0, within_s: float = 20.0) -> str:
    """Run a command to its end; returns what it prints, with its complaints where it fails."""
    command = [sys.executable, "-m", "callpost", *arguments, "--config", str(daemon.config)]
    with trio.fail_after(within_s):
        run = await trio.run_process(command, check=False, capture_stdout=True, capture_stderr=True)
    assert run.returncode == status, run.stderr.decode()
    return run.stdout.decode() + (run.stderr.decode() if status else "")


@asynccontextmanager
async def a_house(
    directory: Path, behave: Behaviour | None = None
) -> AsyncIterator[tuple[Daemon, Receiver]]:
    """A daemon with the subscription `crm`, and who receives for it."""
    async with a_receiver(behave) as receiver:
        daemon = Daemon(directory, a_subscription("crm", receiver.port))
        async with daemon.running():
            yield daemon, receiver


async def test_a_daemon_that_delivers_is_healthy(tmp_path: Path) -> None:
    """Events, attempts and deliveries are counted on one screen."""
    async with a_house(tmp_path) as (daemon, receiver):
        await Producer(daemon.door).feed([an_event("1", "newCall"), an_event("1", "hangup")])
        await receiver.until(lambda seen: len(seen.arrived) == 2, within_s=10)
        told = json.loads(await callpost(daemon, "status", "--json"))
    assert (told["health"]["ready"], told["intake"]["accepted"]) == (True, 2)


async def test_who_fails_is_named_with_the_reason(tmp_path: Path) -> None:
    """By host, with what the subscriber answers."""
    async with a_house(tmp_path, Behaviour(status=503)) as (daemon, _):
        await Producer(daemon.door).feed([an_event("1", "newCall")])
        await daemon.logged("delivery.attempted")
        told = await callpost(daemon, "status")
    assert "crm, failing" in told or "crm, down" in told


async def test_what_is_paused_waits_and_goes_when_resumed(tmp_path: Path) -> None:
    """Nothing of it is lost."""
    async with a_house(tmp_path) as (daemon, receiver):
        await callpost(daemon, "pause", "crm")
        await Producer(daemon.door).feed([an_event("1", "newCall", id="a")])
        waiting = await callpost(daemon, "pause", "crm")
        await callpost(daemon, "resume", "crm")
        await receiver.until(lambda seen: seen.ids() == ["a"], within_s=10)
    assert waiting == "crm is paused, 1 pending\n"


async def test_a_test_reaches_the_subscriber(tmp_path: Path) -> None:
    """As newCall and hangup, so that nothing stays ringing there."""
    async with a_house(tmp_path) as (daemon, receiver):
        told = await callpost(daemon, "test", "crm")
        kinds = [body["event"] for body in receiver.bodies()]
    assert (kinds, told.splitlines()[-1]) == (["newCall", "hangup"], "crm: delivered")


async def test_a_test_that_fails_is_a_failure(tmp_path: Path) -> None:
    """With the status that came back."""
    async with a_house(tmp_path, Behaviour(status=503)) as (daemon, _):
        told = await callpost(daemon, "test", "crm", status=1)
    assert "= 503, retry" in told


async def test_a_reload_puts_a_new_subscription_in_force(tmp_path: Path) -> None:
    """When the command returns, events go there."""
    async with a_house(tmp_path) as (daemon, receiver):
        with daemon.config.open("a") as config:
            config.write(a_subscription("second", receiver.port))
        told = await callpost(daemon, "reload")
        await Producer(daemon.door).feed([an_event("1", "newCall")])
        await receiver.until(lambda seen: len(seen.arrived) == 2, within_s=10)
    assert told.splitlines()[0] == "added         second"


async def test_a_faulty_file_changes_nothing(tmp_path: Path) -> None:
    """Every fault is told, and the daemon goes on as before."""
    async with a_house(tmp_path) as (daemon, receiver):
        with daemon.config.open("a") as config:
            config.write('[[subscription]]\nname = "second"\nurl = "nonsense"\n')
        told = await callpost(daemon, "reload", status=1)
        await Producer(daemon.door).feed([an_event("1", "newCall", id="a")])
        await receiver.until(lambda seen: seen.ids() == ["a"], within_s=10)
    fault = f"{daemon.config}: subscription.second.url: url: Invalid URL: it has no "
    fault += "scheme, such as https://\n"
    assert (fault in told, "Nothing has changed: 1 fault." in told) == (True, True)


async def test_the_log_level_changes_at_once(tmp_path: Path) -> None:
    """What is accepted is then logged."""
    async with a_house(tmp_path) as (daemon, _):
        await callpost(daemon, "log-level", "debug")
        await Producer(daemon.door).feed([an_event("1", "newCall")])
        assert await daemon.logged("intake.accepted")


async def test_tail_ends_with_the_daemon(tmp_path: Path) -> None:
    """It shows what happened until then, and says that the daemon has left."""
    async with a_house(tmp_path) as (daemon, _):
        command = [sys.executable, "-m", "callpost", "tail", "--json"]
        with trio.fail_after(30):
            tail = await trio.lowlevel.open_process(
                [*command, "--config", str(daemon.config)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            assert tail.stdout is not None
            assert tail.stderr is not None
            first = b""
            with trio.CancelScope() as calling:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_call_again_and_again, daemon)
                    first = bytes(await tail.stdout.receive_some())
                    calling.cancel()
            await daemon.end(signal.SIGTERM)
            complaint = b"".join([piece async for piece in tail.stderr])
            status = await tail.wait()
    assert (json.loads(first.splitlines()[0])["subscription"], status, complaint) == (
        "crm",
        1,
        b"Error: The daemon has left.\n",
    )


async def _call_again_and_again(daemon: Daemon) -> None:
    """Until somebody listens: the stream tells only of what comes after its beginning."""
    number = 0
    while True:
        number += 1
        await Producer(daemon.door).feed([an_event(str(number), "newCall")])
        await trio.sleep(0.1)


async def test_a_killed_daemon_leaves_a_socket_and_one_sentence(tmp_path: Path) -> None:
    """The likely cause is told."""
    async with a_house(tmp_path) as (daemon, _):
        await daemon.end(signal.SIGKILL)
        told = await callpost(daemon, "status", status=1)
    assert (told.count("\n"), "callpost is not running" in told) == (1, True)
