"""The figures of a real daemon, as Prometheus reads them, and its certificates."""

import datetime as dt
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
import trio
import trustme
from prometheus_client.parser import text_string_to_metric_families

from household import Daemon, Producer, Receiver, a_receiver, an_event
from https_receiver import Https

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


async def scraped(door: Path) -> str:
    """The page."""
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(door))) as client:
        answer = await client.get("http://callpost/metrics")
    assert answer.status_code == 200
    return answer.text


def values(page: str) -> dict[str, float]:
    """The sum of each name's samples."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody who takes everything."""
    async with a_receiver() as receiver:
        yield receiver


@pytest.fixture
async def page(tmp_path: Path, receiver: Receiver) -> str:
    """A daemon's page after two events, one line that is none, and two deliveries."""
    door = tmp_path / "metrics.sock"
    daemon = Daemon(
        tmp_path,
        f'[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:{receiver.port}/"',
        f'[metrics]\nlisten = "{door}"',
    )
    async with daemon.running():
        lines = [an_event("1", "newCall"), an_event("1", "hangup"), b"nonsense\n"]
        await Producer(daemon.door).feed(lines)
        await daemon.until(
            lambda log: sum(line["event"] == "delivery.attempted" for line in log) == 2, within_s=10
        )
        return await scraped(door)


async def test_a_daemon_counts_what_it_does(page: str) -> None:
    """From the producer's line to the subscriber's answer."""
    found = values(page)
    assert [
        found[name]
        for name in (
            "callpost_events_accepted_total",
            "callpost_events_refused_total",
            "callpost_attempts_total",
            "callpost_delivery_lag_seconds_count",
            "callpost_attempt_duration_seconds_count",
            "callpost_ready",
            "callpost_config_last_reload_successful",
        )
    ] == [2, 1, 2, 2, 2, 1, 1]


async def test_a_daemon_tells_how_long_its_commits_take(page: str) -> None:
    """Each of them."""
    found = values(page)
    name = "callpost_spool_commit_duration_seconds"
    assert (found[f"{name}_count"] > 0, found[f"{name}_sum"] > 0) == (True, True)


async def test_promtool_has_nothing_to_say_against_a_daemons_page(page: str) -> None:
    """As it is scraped."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    told = await trio.run_process(
        [promtool, "check", "metrics"],
        stdin=page.encode(),
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )
    assert (told.returncode, told.stdout + told.stderr) == (0, b"")


def test_a_daemon_whose_metrics_port_is_taken_does_not_start(tmp_path: Path) -> None:
    """One sentence says why."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        daemon = Daemon(tmp_path, "", f'[metrics]\nlisten = "{place}"')
        ended = subprocess.run(
            [sys.executable, "-m", "callpost", "run", "--config", str(daemon.config)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    sentence = f"metrics.listen: {place}: something listens there already."
    assert (ended.returncode, sentence in ended.stdout + ended.stderr) == (1, True)


async def test_a_certificate_of_ours_that_ends_soon_is_told_at_the_start(tmp_path: Path) -> None:
    """By its file, in the log and on the page."""
    authority = trustme.CA()
    ends = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(days=5, hours=1)
    client = authority.issue_cert("callpost.example", not_before=LONG_AGO, not_after=ends)
    path = tmp_path / "client.pem"
    client.private_key_and_cert_chain_pem.write_to_path(str(path))
    door = tmp_path / "metrics.sock"
    daemon = Daemon(
        tmp_path,
        '[[subscription]]\nname = "crm"\nurl = "https://crm.invalid/"\n'
        f'tls = {{ client_cert = "{path}" }}',
        f'[metrics]\nlisten = "{door}"',
    )
    async with daemon.running():
        line = await daemon.logged("certificate.expiring")
        found = values(await scraped(door))
    name = "callpost_certificate_expiry_timestamp_seconds"
    assert (line["certificate"], line["daysLeft"], found[name]) == (str(path), 5, ends.timestamp())


@asynccontextmanager
async def an_https_receiver(context: ssl.SSLContext) -> AsyncIterator[Https]:
    """Serve on loopback with the certificate that the context has at the time."""
    server = Https()
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_ssl_over_tcp, server.serve, 0, context, host="127.0.0.1")
        (listener,) = await nursery.start(partial(serve, https_compatible=True))
        server.port = int(listener.transport_listener.socket.getsockname()[1])
        yield server
        nursery.cancel_scope.cancel()


async def test_a_certificate_that_ends_between_two_attempts_is_told_with_its_end(
    tmp_path: Path,
) -> None:
    """The handshake that is refused shows none, but the one before it did."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    async with an_https_receiver(context) as server:
        daemon = Daemon(
            tmp_path,
            f'[[subscription]]\nname = "crm"\nurl = "https://localhost:{server.port}/"\n'
            f'tls = {{ ca_file = "{tmp_path}/ca.pem" }}',
            "[egress]\nkeepalive_s = 0",
        )
        async with daemon.running():
            # Made only now, so that a slow start takes nothing of its time.
            ends = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=3)
            leaf = authority.issue_cert("localhost", not_before=LONG_AGO, not_after=ends)
            leaf.configure_cert(context)
            await Producer(daemon.door).feed([an_event("1", "newCall")])
            await server.got(1)
            await trio.sleep((ends - dt.datetime.now(dt.UTC)).total_seconds() + 1.1)
            await Producer(daemon.door).feed([an_event("2", "newCall")])
            await daemon.until(
                lambda log: any(line.get("outcome") == "retry" for line in log), within_s=10
            )
            reason = next(line["reason"] for line in daemon.log if line.get("outcome") == "retry")
    assert reason == f"tls:certificate expired {ends:%Y-%m-%dT%H:%M:%SZ}"
