"""One healthy subscriber among hostile ones, in one daemon: it must not notice them."""

import datetime as dt
import gzip
import signal
import socket
import ssl
import struct
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import trio
import trustme

from callpost.edge.listen import Behaviour
from household import Daemon, Producer, Receiver, a_receiver, an_event

Script = Callable[[trio.SocketStream], Awaitable[None]]
CALLS: Final = 60
KINDS: Final = ("newCall", "ringing", "answer", "hangup", "cdr")
_HEAD: Final = b"HTTP/1.1 200 OK\r\n"
_OK: Final = _HEAD + b"Content-Length: 0\r\n\r\n"
_CHUNKED: Final = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_BOMB: Final = gzip.compress(b"0" * 20_000_000)
# Far more than eight connections for each hostile subscriber, far less than a leak would need.
DESCRIPTORS_MAX: Final = 400
GROWTH_MAX_KIB: Final = 64 * 1024


def saying(*pieces: bytes, forever: bool = False) -> Script:
    """Wait for a request, send the pieces and close, or send the last one for ever."""

    async def script(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        for piece in pieces:
            await stream.send_all(piece)
        while forever:
            await trio.sleep(0.05)
            await stream.send_all(pieces[-1])

    return script


def answering(status_line: bytes, *headers: bytes) -> Script:
    """Answer every request on a connection that stays."""
    answer = b"HTTP/1.1 " + b"\r\n".join((status_line, *headers, b"Content-Length: 0\r\n\r\n"))

    async def script(stream: trio.SocketStream) -> None:
        while await stream.receive_some():
            await stream.send_all(answer)

    return script


async def silent(stream: trio.SocketStream) -> None:
    """Read everything, never answer."""
    while await stream.receive_some():
        pass


async def deaf(stream: trio.SocketStream) -> None:
    """Never read, never answer."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    await trio.sleep_forever()


async def resetting(stream: trio.SocketStream) -> None:
    """RST before anything was said."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def resetting_later(stream: trio.SocketStream) -> None:
    """RST once the request, or the greeting of TLS, is here."""
    await stream.receive_some()
    await resetting(stream)


async def answering_once(stream: trio.SocketStream) -> None:
    """A keep-alive connection that dies at its second request."""
    await stream.receive_some()
    await stream.send_all(_OK)
    await stream.receive_some()


HTTP: Final[dict[str, Script]] = {
    "silent": silent,
    "deaf": deaf,
    "byte-by-byte": saying(*(b"HTTP/1.1 200 OK"[n : n + 1] for n in range(5)), forever=True),
    "endless-headers": saying(_HEAD, b"X: y\r\n" * 3000, forever=True),
    "endless-header": saying(_HEAD + b"X: ", b"y" * 20_000, forever=True),
    "endless-body": saying(_HEAD + b"\r\n", b"x" * 20_000, forever=True),
    "gzip-bomb": saying(_HEAD + b"Content-Encoding: gzip\r\n\r\n", _BOMB),
    "length-too-long": saying(_HEAD + b"Content-Length: 9\r\n\r\nx"),
    "length-too-short": saying(_HEAD + b"Content-Length: 1\r\n\r\nxxxxxxxxx"),
    "bad-chunks": saying(_CHUNKED + b"zz\r\nxx"),
    "huge-chunks": saying(_CHUNKED + b"fffffffffffffffff\r\nxx"),
    "continue-storm": saying(b"HTTP/1.1 100 Continue\r\n\r\n", forever=True),
    "204-with-body": saying(b"HTTP/1.1 204 No Content\r\n\r\nwith a body"),
    "http-0-9": saying(b"<html>hello"),
    "closes": saying(),
    "closes-later": saying(_HEAD),
    "resets": resetting,
    "resets-later": resetting_later,
    "dies-between": answering_once,
    "redirect-metadata": answering(b"307 X", b"Location: http://169.254.169.254/latest"),
    "redirect-itself": answering(b"302 X", b"Location: /calls"),
    "retry-after-year": answering(b"429 X", b"Retry-After: 31536000"),
    "failing": answering(b"500 X"),
    "gone": answering(b"410 X"),
}
HTTPS: Final[dict[str, Script]] = {
    "tls-closes": saying(),
    "tls-resets": resetting_later,
    "tls-is-http": answering(b"400 X"),
    "tls-silent": silent,
}
TCP: Final[dict[str, Script]] = {"tcp-deaf": deaf, "tcp-silent": silent, "tcp-resets": resetting}


def certificates(authority: trustme.CA) -> dict[str, trustme.LeafCert]:
    """Certificates that nobody should believe."""
    then = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    return {
        "tls-expired": authority.issue_cert("localhost", not_before=then, not_after=then),
        "tls-wrong-name": authority.issue_cert("other.example"),
        "tls-unknown-authority": trustme.CA().issue_cert("localhost"),
    }


async def serve(nursery: trio.Nursery, script: Script, leaf: trustme.LeafCert | None = None) -> int:
    """Play `script` to every connection; the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if leaf is not None:
        leaf.configure_cert(context)

    async def connected(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError, OSError):
            if leaf is None:
                await script(stream)
            else:
                await trio.SSLStream(stream, context, server_side=True).do_handshake()

    serving = partial(trio.serve_tcp, connected, 0, host="127.0.0.1", handler_nursery=nursery)
    listeners = await nursery.start(serving)
    return int(listeners[0].socket.getsockname()[1])


def a_subscription(name: str, url: str, *more: str) -> str:
    """A subscriber with short time-outs."""
    return "\n".join(
        [
            "[[subscription]]",
            f'name = "{name}"',
            f'url = "{url}"',
            "first_byte_timeout_s = 0.5",
            "timeout_s = 1.0",
            *more,
            "",
        ]
    )


async def hostile_subscriptions(nursery: trio.Nursery, tmp_path: Path) -> list[str]:
    """One subscription to each hostile receiver there is."""
    authority = trustme.CA()
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    tls = f'tls = {{ ca_file = "{trusted}" }}'
    subscriptions = []
    for name, script in HTTP.items():
        port = await serve(nursery, script)
        subscriptions.append(a_subscription(name, f"http://127.0.0.1:{port}/calls"))
    for name, script in HTTPS.items():
        port = await serve(nursery, script)
        subscriptions.append(a_subscription(name, f"https://localhost:{port}/calls", tls))
    for name, leaf in certificates(authority).items():
        port = await serve(nursery, silent, leaf)
        subscriptions.append(a_subscription(name, f"https://localhost:{port}/calls", tls))
    for name, script in TCP.items():
        port = await serve(nursery, script)
        subscriptions.append(a_subscription(name, f"tcp://127.0.0.1:{port}", "ack = true"))
    for scheme in ("http", "tcp", "udp"):  # where nobody listens; UDP is told so by ICMP
        with socket.socket(
            type=socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
        ) as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"{scheme}://127.0.0.1:{unused.getsockname()[1]}"
        subscriptions.append(a_subscription(f"{scheme}-nobody", url))
    return subscriptions


def first_arrivals(receiver: Receiver) -> dict[str, list[int]]:
    """For each call the `seq` of what arrived, in order."""
    seen: dict[str, list[int]] = defaultdict(list)
    for body in receiver.bodies():
        seen[str(body["callId"])].append(int(str(body["seq"])))
    return seen


def resident_kib(pid: int) -> int:
    """The daemon's memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def descriptors(pid: int) -> int:
    """How many files and sockets the daemon has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def test_a_healthy_subscriber_does_not_notice_hostile_ones(tmp_path: Path) -> None:
    """Everything arrives promptly and in order; the daemon stays small and ends in peace."""
    async with a_receiver() as healthy, trio.open_nursery() as nursery:
        hostile = await hostile_subscriptions(nursery, tmp_path)
        url = f"http://127.0.0.1:{healthy.port}/calls"
        daemon = Daemon(tmp_path, "\n".join([a_subscription("healthy", url), *hostile]))
        async with daemon.running():
            assert daemon.process is not None
            pid = daemon.process.pid
            before_kib = resident_kib(pid)
            lines = [an_event(f"call-{n}", kind) for kind in KINDS for n in range(CALLS)]
            await Producer(daemon.door).feed(lines)
            # Everything went well long before the first time-outs of the others could have
            # been waited for one after the other.
            await healthy.until(lambda r: len(r.arrived) >= len(lines), within_s=20)
            await daemon.until(lambda log: attempts_of_each(log, len(hostile)), within_s=30)
            growth_kib, open_files = resident_kib(pid) - before_kib, descriptors(pid)
            status = await daemon.end(signal.SIGTERM, within_s=30)
        nursery.cancel_scope.cancel()
    in_order = {f"call-{n}": [1, 2, 3, 4, 5] for n in range(CALLS)}
    assert len(hostile) > 20
    assert first_arrivals(healthy) == in_order
    assert [line for line in daemon.log if line["event"] == "sender.failed"] == []
    assert (growth_kib < GROWTH_MAX_KIB, open_files < DESCRIPTORS_MAX, status) == (True, True, 0)


def attempts_of_each(log: list[dict[str, object]], number: int) -> bool:
    """Whether every hostile subscriber has been tried, to its end, at least once."""
    tried = {line["subscription"] for line in log if line["event"] == "delivery.attempted"}
    return len(tried - {"healthy"}) == number


async def test_a_customer_who_keeps_a_shared_host_busy_holds_nobody_up(tmp_path: Path) -> None:
    """Its connections end one by one, and the next one is the other customer's."""
    async with a_receiver(Behaviour(delay_s=0.7)) as shared:
        url = f"http://127.0.0.1:{shared.port}"
        text = "".join(
            f'[[subscription]]\nname = "{name}"\ncustomer = "{name}"\n'
            f'url = "{url}/{name}"\nconcurrency = 16\n'
            for name in ("hog", "shop")
        )
        daemon = Daemon(tmp_path, text, top="[egress]\nmax_connections_per_host = 2\n")
        async with daemon.running():
            calls = [an_event(f"call-{n}", "newCall", customer="hog") for n in range(40)]
            await Producer(daemon.door).feed(calls)
            await shared.until(lambda r: len(r.arrived) >= 2, within_s=10)
            await Producer(daemon.door).feed([an_event("call", "newCall", customer="shop")])
            await shared.until(lambda r: "/shop" in targets(r), within_s=15)
    # Those who wait would be 14; two are under way at any time.
    assert targets(shared).index("/shop") < 12


def targets(receiver: Receiver) -> list[str]:
    """Where the requests went, in order."""
    return [what.target for what in receiver.arrived]
