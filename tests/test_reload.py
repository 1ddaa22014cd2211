"""The configuration changes under a daemon that works: a child process, real sockets, SIGHUP."""

import signal
from collections.abc import Sequence
from pathlib import Path

import trio
import trustme

from callpost.edge.listen import Behaviour
from household import Daemon, Producer, a_receiver, an_event


def subscription(name: str, port: int, *more: str) -> str:
    """A subscription to everything, whose path has its name."""
    url = f"http://127.0.0.1:{port}/{name}"
    return "\n".join(["[[subscription]]", f'name = "{name}"', f'url = "{url}"', *more, ""])


def write(daemon: Daemon, *subscriptions: str, top: str = "") -> None:
    """Another configuration, with the same directories."""
    directory = daemon.config.parent
    daemon.config.write_text(
        f'state_directory = "{directory}/state"\nruntime_directory = "{directory}/run"\n'
        f"{top}\n{''.join(subscriptions)}"
    )


async def hang_up(daemon: Daemon, told: str = "config.reloaded") -> dict[str, object]:
    """Send SIGHUP and wait for the next line of this name."""
    before = len(lines(daemon, told))
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    await daemon.until(lambda _: len(lines(daemon, told)) > before, within_s=15)
    return lines(daemon, told)[-1]


def lines(daemon: Daemon, name: str) -> list[dict[str, object]]:
    """The log lines of one name."""
    return [line for line in daemon.log if line["event"] == name]


def paths(arrived: Sequence[object]) -> list[str]:
    """Where each request went, in order."""
    return [str(getattr(one, "target", "")) for one in arrived]


async def test_an_added_subscription_is_served(tmp_path: Path) -> None:
    """From the reload on, over the same doors."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscription("crm", receiver.port))
        async with daemon.running():
            write(daemon, subscription("crm", receiver.port), subscription("wall", receiver.port))
            line = await hang_up(daemon)
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
            await receiver.until(lambda r: len(r.arrived) == 2, within_s=10)
    assert (line["added"], line["removed"], line["changed"], line["unchanged"]) == (1, 0, 0, 1)


async def test_a_removed_subscription_leaves_dead_letters(tmp_path: Path) -> None:
    """What is pending for it, each with the reason."""
    async with a_receiver(Behaviour(status=503)) as receiver:
        daemon = Daemon(tmp_path, subscription("crm", receiver.port))
        async with daemon.running():
            await Producer(daemon.door).feed([an_event(f"c{n}", "hangup") for n in range(20)])
            write(daemon)
            await hang_up(daemon)
            line = await daemon.logged("subscription.removed")
    assert (line["subscription"], line["dead"]) == ("crm", 20)


async def test_an_unchanged_subscription_keeps_its_connection(tmp_path: Path) -> None:
    """A reload is no reason to connect again."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscription("crm", receiver.port))
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
            await receiver.until(lambda r: len(r.arrived) == 1, within_s=10)
            write(daemon, subscription("crm", receiver.port), subscription("wall", receiver.port))
            await hang_up(daemon)
            await Producer(daemon.door).feed([an_event("c1", "hangup")])
            await daemon.until(lambda _: len(attempts(daemon, "crm")) == 2, within_s=10)
    assert [line["reused"] for line in attempts(daemon, "crm")] == [False, True]


async def test_a_changed_subscription_connects_again(tmp_path: Path) -> None:
    """Under its new settings."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscription("crm", receiver.port))
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
            await receiver.until(lambda r: len(r.arrived) == 1, within_s=10)
            write(daemon, subscription("crm", receiver.port, 'method = "GET1"'))
            await hang_up(daemon)
            await Producer(daemon.door).feed([an_event("c1", "hangup")])
            await receiver.until(lambda r: len(r.arrived) == 2, within_s=10)
    assert receiver.arrived[1].method == "GET"


def attempts(daemon: Daemon, name: str) -> list[dict[str, object]]:
    """The attempts at one subscription."""
    return [one for one in lines(daemon, "delivery.attempted") if one["subscription"] == name]


async def test_a_faulty_file_changes_nothing(tmp_path: Path) -> None:
    """Every fault is told, and deliveries go on as before."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscription("crm", receiver.port))
        async with daemon.running():
            write(daemon, subscription("crm", receiver.port, "rate = 1", 'method = "PUT"'))
            await hang_up(daemon, "config.rejected")
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
            await receiver.until(lambda r: len(r.arrived) == 1, within_s=10)
    assert {line["path"] for line in lines(daemon, "config.rejected")} == {
        "subscription.crm.rate",
        "subscription.crm.method",
    }


async def test_the_log_level_changes_at_once(tmp_path: Path) -> None:
    """Lines that were below the level are there after a reload."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscription("crm", receiver.port))
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c1", "newCall", id="before")])
            write(daemon, subscription("crm", receiver.port), top='[log]\nlevel = "debug"\n')
            await hang_up(daemon)
            await Producer(daemon.door).feed([an_event("c1", "hangup", id="after")])
            await daemon.logged("intake.accepted")
    assert [line["eventId"] for line in lines(daemon, "intake.accepted")] == ["after"]


async def test_another_egress_holds_at_once(tmp_path: Path) -> None:
    """Also for connections that stand already."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscription("crm", receiver.port))
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
            await receiver.until(lambda r: len(r.arrived) == 1, within_s=10)
            denied = '[egress]\ndeny = ["127.0.0.0/8"]\n'
            write(daemon, subscription("crm", receiver.port), top=denied)
            await hang_up(daemon)
            await Producer(daemon.door).feed([an_event("c1", "hangup")])
            await daemon.until(lambda _: len(attempts(daemon, "crm")) == 2, within_s=10)
    assert attempts(daemon, "crm")[1]["reason"] == "egress_denied"


async def test_what_needs_a_restart_is_said(tmp_path: Path) -> None:
    """And stays as it was, however often it is read."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscription("crm", receiver.port))
        async with daemon.running():
            top = '[intake]\nmax_connections = 7\nstream = "other.sock"\n'
            write(daemon, subscription("crm", receiver.port), top=top)
            told = [await hang_up(daemon) for _ in range(2)]
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
    needed = ["intake.stream", "intake.max_connections"]
    assert [line["needsRestart"] for line in told] == [needed, needed]


async def test_a_start_with_a_faulty_file_goes_on_with_the_last_good_one(tmp_path: Path) -> None:
    """It delivers, tells every fault and shouts."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscription("crm", receiver.port))
        async with daemon.running():
            await daemon.end(signal.SIGTERM)
        daemon.config.write_text(daemon.config.read_text() + "\n[intake\n")
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
            await receiver.until(lambda r: len(r.arrived) == 1, within_s=10)
            shout = await daemon.logged("config.last_good_used")
    assert (shout["level"], len(lines(daemon, "config.rejected"))) == ("error", 1)


async def test_the_last_good_one_is_that_of_the_last_good_reload(tmp_path: Path) -> None:
    """A rejected one in between counts for nothing."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscription("crm", receiver.port))
        async with daemon.running():
            write(daemon, subscription("crm", receiver.port), subscription("wall", receiver.port))
            await hang_up(daemon)
            write(daemon, "nonsense = 1\n")
            await hang_up(daemon, "config.rejected")
            await daemon.end(signal.SIGTERM)
        async with daemon.running():
            started = await daemon.logged("daemon.started")
    assert started["subscriptions"] == 2


async def test_a_mended_file_ends_the_last_good_one(tmp_path: Path) -> None:
    """A reload is enough."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, subscription("crm", receiver.port))
        async with daemon.running():
            await daemon.end(signal.SIGTERM)
        write(daemon, "nonsense = 1\n")
        async with daemon.running():
            await daemon.logged("config.last_good_used")
            write(daemon, subscription("wall", receiver.port))
            line = await hang_up(daemon)
            await daemon.end(signal.SIGTERM)
    assert (line["added"], line["removed"]) == (1, 1)


async def test_a_renewed_certificate_file_changes_its_subscription_alone(tmp_path: Path) -> None:
    """The name of the file is the same, what it holds is not."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with a_receiver() as receiver:
        renewed = subscription("crm", receiver.port).replace("http:", "https:")
        renewed += f'tls = {{ ca_file = "{tmp_path}/ca.pem" }}\n'
        daemon = Daemon(tmp_path, renewed + subscription("wall", receiver.port))
        async with daemon.running():
            unchanged = await hang_up(daemon)
            trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
            changed = await hang_up(daemon)
    assert [(one["changed"], one["unchanged"]) for one in (unchanged, changed)] == [(0, 2), (1, 1)]


def after_reloading(told: list[str]) -> list[str]:
    """What the service manager has been told since the reload began."""
    return told[told.index("RELOADING=1") :] if "RELOADING=1" in told else []


async def test_a_reload_tells_the_service_manager(tmp_path: Path) -> None:
    """RELOADING with a time, and READY after it, also where the file was rejected."""
    heard = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_DGRAM)
    with heard:
        await heard.bind(str(tmp_path / "notify"))
        daemon = Daemon(tmp_path, "", within=["env", f"NOTIFY_SOCKET={tmp_path}/notify"])
        async with daemon.running():
            write(daemon, "nonsense = 1\n")
            await hang_up(daemon, "config.rejected")
            told: list[str] = []
            with trio.fail_after(10):
                while "READY=1" not in after_reloading(told):
                    told += (await heard.recv(65_536)).decode().split("\n")
    assert any(line.startswith("MONOTONIC_USEC=") for line in told)
    assert any(line.startswith("STATUS=") and "faulty" in line for line in told)
