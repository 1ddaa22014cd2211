"""HTTP/2 and proxies, from a real configuration file to what the receiver sees."""

import ssl
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import trio
import trustme

from household import Daemon, Producer, an_event
from http_proxy import ForwardProxy
from http_receivers import Receiver


@pytest.fixture
async def receiver(nursery: trio.Nursery, tmp_path: Path) -> tuple[Receiver, int]:
    """A receiver that speaks HTTP/2 and HTTP/1.1 over TLS, and its port."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    served = Receiver()

    async def serve(stream: trio.SSLStream[trio.SocketStream]) -> None:
        with suppress(trio.BrokenResourceError):
            await served.serve(stream)

    listeners = await nursery.start(
        partial(trio.serve_ssl_over_tcp, serve, 0, context, host="127.0.0.1")
    )
    return served, int(listeners[0].transport_listener.socket.getsockname()[1])


async def _delivered(daemon: Daemon, kinds: list[str]) -> None:
    async with daemon.running():
        await Producer(daemon.door).feed([an_event("c1", kind) for kind in kinds])
        await daemon.until(
            lambda log: [one.get("outcome") for one in log].count("delivered") == len(kinds),
            within_s=15,
        )


@pytest.mark.parametrize(("http2", "version"), [("true", "2"), ("false", "1.1")])
async def test_events_go_over_http2_where_it_is_wanted(
    receiver: tuple[Receiver, int], tmp_path: Path, http2: str, version: str
) -> None:
    """In the order of their call, over one connection."""
    served, port = receiver
    daemon = Daemon(
        tmp_path,
        f'[[subscription]]\nname = "crm"\nurl = "https://localhost:{port}/"\n'
        f'tls = {{ ca_file = "{tmp_path}/ca.pem" }}\nhttp2 = {http2}\n',
    )
    await _delivered(daemon, ["newCall", "answer", "hangup"])
    seen = [(request.version, request.header("callpost-seq")) for request in served.requests]
    assert (seen, served.connections) == ([(version, "1"), (version, "2"), (version, "3")], 1)


async def test_events_go_through_httpx_where_it_is_wanted(
    receiver: tuple[Receiver, int], tmp_path: Path
) -> None:
    """Over HTTP/2, as the subscription says, in the order of their call."""
    served, port = receiver
    daemon = Daemon(
        tmp_path,
        f'[[subscription]]\nname = "crm"\nurl = "https://localhost:{port}/"\n'
        f'tls = {{ ca_file = "{tmp_path}/ca.pem" }}\nhttp2 = true\nhttp_client = "httpx"\n',
    )
    await _delivered(daemon, ["newCall", "answer", "hangup"])
    seen = [(request.version, request.header("callpost-seq")) for request in served.requests]
    assert (seen, served.connections) == ([("2", "1"), ("2", "2"), ("2", "3")], 1)


async def test_events_go_through_the_proxy(
    receiver: tuple[Receiver, int], nursery: trio.Nursery, tmp_path: Path
) -> None:
    """With a password that stands in a credential."""
    served, port = receiver
    proxy = ForwardProxy(credentials="callpost:hunter2")
    listeners = await nursery.start(partial(trio.serve_tcp, proxy.serve, 0, host="127.0.0.1"))
    proxy_port = listeners[0].socket.getsockname()[1]
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "proxy").write_text(
        f"http://callpost:hunter2@127.0.0.1:{proxy_port}\n"
    )
    daemon = Daemon(
        tmp_path,
        f'[[subscription]]\nname = "crm"\nurl = "https://localhost:{port}/"\n'
        f'tls = {{ ca_file = "{tmp_path}/ca.pem" }}\nproxy = "credential:proxy"\n',
        f'credentials_directory = "{tmp_path}/credentials"',
    )
    await _delivered(daemon, ["newCall", "hangup"])
    asked = [one.line for one in proxy.asked]
    assert (asked, len(served.requests)) == ([f"CONNECT localhost:{port} HTTP/1.1"], 2)
    assert "hunter2" not in str(daemon.log)
