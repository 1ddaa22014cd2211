"""The same door over TLS: whoever cannot, or does not, shake hands costs nobody else anything."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
import trio
import trustme

from callpost.edge.serve_asgi import CONNECTIONS_MAX, Patience
from callpost.edge.tls_pair import ServerTls
from callpost.model.api_door import TlsPair
from edge.served_app import PATIENT, Served, serving

GET: Final = b"GET %b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
FLOOD: Final = b"GET /flood HTTP/1.1\r\nhost: x\r\n\r\n"


class Authority:
    """One that clients trust, and the certificates that it has given."""

    def __init__(self, directory: Path) -> None:
        self._ca = trustme.CA()
        self._directory = directory

    def pair(self, name: str, key_type: trustme.KeyType = trustme.KeyType.ECDSA) -> TlsPair:
        """The files of a new certificate for this name."""
        made = self._ca.issue_cert(name, key_type=key_type)
        cert, key = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        cert.write_bytes(b"".join(one.bytes() for one in made.cert_chain_pems))
        key.write_bytes(made.private_key_pem.bytes())
        return TlsPair(cert=str(cert), key=str(key))

    def client(self) -> ssl.SSLContext:
        """What a client that trusts it uses."""
        context = ssl.create_default_context()
        self._ca.configure_trust(context)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A new one."""
    return Authority(tmp_path)


@asynccontextmanager
async def secured(
    authority: Authority, directory: Path, patience: Patience = PATIENT
) -> AsyncIterator[Served]:
    """An app behind TLS, for `api.example`."""
    tls = ServerTls(authority.pair("api.example"))
    async with serving(directory, patience=patience, tls=tls.context) as served:
        yield served


async def connected(
    served: Served, context: ssl.SSLContext, name: str = "api.example"
) -> trio.SSLStream[trio.SocketStream]:
    """A client's connection after the handshake."""
    transport = await trio.open_unix_socket(str(served.path))
    stream = trio.SSLStream(transport, context, server_hostname=name, https_compatible=True)
    try:
        with trio.fail_after(5):
            await stream.do_handshake()
    except BaseException:
        transport.socket.close()
        raise
    return stream


async def asked(served: Served, context: ssl.SSLContext, target: bytes = b"/") -> bytes:
    """The whole answer; the connection ends by TLS's own rules."""
    transport = await trio.open_unix_socket(str(served.path))
    # Without https_compatible an end that is not announced is a fault.
    stream = trio.SSLStream(transport, context, server_hostname="api.example")
    answer = b""
    async with stream:
        with trio.fail_after(5):
            await stream.send_all(GET % target)
            async for chunk in stream:
                answer += chunk
    return answer


async def test_a_request_is_answered_over_tls(authority: Authority, tmp_path: Path) -> None:
    """And the end of the connection is announced (RFC 8446, section 6.1)."""
    async with secured(authority, tmp_path) as served:
        answer = await asked(served, authority.client())
    assert (answer[:12], b"ok" in answer) == (b"HTTP/1.1 200", True)


async def test_the_app_learns_that_it_was_tls(authority: Authority, tmp_path: Path) -> None:
    """Links that it makes begin with https."""
    async with secured(authority, tmp_path) as served:
        await asked(served, authority.client())
    assert served.app.schemes == ["https"]


async def test_http_1_is_what_is_agreed_on(authority: Authority, tmp_path: Path) -> None:
    """Whatever else a client speaks (RFC 7301)."""
    context = authority.client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    async with secured(authority, tmp_path) as served:
        stream = await connected(served, context)
        async with stream:
            assert stream.selected_alpn_protocol() == "http/1.1"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_tls_before_1_2_is_refused(authority: Authority, tmp_path: Path) -> None:
    """Nobody needs it (RFC 8996)."""
    context = authority.client()
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with secured(authority, tmp_path) as served:
        with pytest.raises(trio.BrokenResourceError):
            await connected(served, context)


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"\x16\x03\x01\xff\xff", b"\0" * 600, b""]
)
async def test_what_is_no_tls_ends_its_own_connection(
    authority: Authority, tmp_path: Path, sent: bytes
) -> None:
    """The next one is served, and the log says so to nobody who has not asked for it."""
    async with secured(authority, tmp_path) as served:
        stream = await trio.open_unix_socket(str(served.path))
        async with stream:
            await stream.send_all(sent)
            await stream.send_eof()
            with trio.fail_after(5):
                async for _ in stream:
                    pass
        assert b"200" in await asked(served, authority.client())
    assert {(line["event"], line["level"]) for line in served.lines} <= {
        ("http.handshake_failed", "debug")
    }


async def test_a_failed_handshake_is_told_to_who_looks_for_it(
    authority: Authority, tmp_path: Path
) -> None:
    """With OpenSSL's word for it."""
    async with secured(authority, tmp_path) as served:
        stream = await trio.open_unix_socket(str(served.path))
        async with stream:
            await stream.send_all(GET % b"/")
            with trio.fail_after(5):
                async for _ in stream:
                    pass
    assert [(line["event"], line["reason"]) for line in served.lines] == [
        ("http.handshake_failed", "http_request")
    ]


async def test_a_client_that_does_not_trust_us_ends_its_own_connection(
    authority: Authority, tmp_path: Path
) -> None:
    """It is the client that hangs up."""
    async with secured(authority, tmp_path) as served:
        with pytest.raises(trio.BrokenResourceError):
            await connected(served, ssl.create_default_context())
        assert b"200" in await asked(served, authority.client())


async def test_who_does_not_shake_hands_is_cut_off(authority: Authority, tmp_path: Path) -> None:
    """Nothing was sent; nothing is waited for."""
    async with secured(authority, tmp_path, Patience(handshake_s=0.1)) as served:
        stream = await trio.open_unix_socket(str(served.path))
        async with stream:
            with trio.fail_after(5):
                assert await stream.receive_some() == b""
    assert [line["reason"] for line in served.lines] == ["timeout"]


async def test_nobody_waits_for_a_handshake_of_others(authority: Authority, tmp_path: Path) -> None:
    """A hundred that do not shake hands, and one that does."""
    async with secured(authority, tmp_path) as served, AsyncExitStack() as held:
        for _ in range(CONNECTIONS_MAX - 1):
            stream = await trio.open_unix_socket(str(served.path))
            await held.enter_async_context(stream)
        assert b"200" in await asked(served, authority.client())


async def test_handshakes_count_as_connections(authority: Authority, tmp_path: Path) -> None:
    """Beyond the limit one is turned away, before any of TLS's work is done for it."""
    async with secured(authority, tmp_path) as served, AsyncExitStack() as held:
        for _ in range(CONNECTIONS_MAX):
            stream = await trio.open_unix_socket(str(served.path))
            await held.enter_async_context(stream)
        with pytest.raises(trio.BrokenResourceError):
            await connected(served, authority.client())


async def test_over_tls_too_a_peer_that_does_not_read_is_cut_off(
    authority: Authority, tmp_path: Path
) -> None:
    """The app learns of it as of one that has left."""
    async with secured(authority, tmp_path, Patience(unread_s=0.1)) as served:
        stream = await connected(served, authority.client())
        await stream.send_all(FLOOD)
        with trio.fail_after(5):
            await served.app.left.wait()
        await trio.aclose_forcefully(stream)


async def test_over_tls_too_a_peer_that_leaves_is_noticed(
    authority: Authority, tmp_path: Path
) -> None:
    """Without a word of goodbye, as most of them do."""
    async with secured(authority, tmp_path) as served:
        stream = await connected(served, authority.client())
        await stream.send_all(FLOOD)
        await stream.receive_some()
        await trio.aclose_forcefully(stream)
        with trio.fail_after(5):
            await served.app.left.wait()


@pytest.mark.parametrize("begun", ["nothing", "handshake", "idle", "flood"])
async def test_an_end_waits_for_nobody_for_long(
    authority: Authority, tmp_path: Path, begun: str
) -> None:
    """Neither for one in the midst of a handshake, nor for one that does not read."""
    async with secured(authority, tmp_path) as served, AsyncExitStack() as held:
        if begun == "handshake":
            plain = await trio.open_unix_socket(str(served.path))
            await held.enter_async_context(plain)
            await trio.testing.wait_all_tasks_blocked(0.05)
        elif begun != "nothing":
            stream = await connected(served, authority.client())
            held.push_async_callback(trio.aclose_forcefully, stream)
            if begun == "flood":
                await stream.send_all(FLOOD)
                await served.app.asked.wait()
        served.stopping.set()
        with trio.fail_after(4):
            await served.ended.wait()


async def test_over_tls_too_it_can_be_cancelled(authority: Authority, tmp_path: Path) -> None:
    """At once, although a peer does not read."""
    async with AsyncExitStack() as held:
        with trio.fail_after(5):
            async with secured(authority, tmp_path) as served:
                stream = await connected(served, authority.client())
                held.push_async_callback(trio.aclose_forcefully, stream)
                await stream.send_all(FLOOD)
                await served.app.asked.wait()
                await trio.testing.wait_all_tasks_blocked(0.05)


@pytest.mark.parametrize("key_type", trustme.KeyType)
async def test_new_connections_get_the_renewed_certificate(
    authority: Authority, tmp_path: Path, key_type: trustme.KeyType
) -> None:
    """Whatever the kind of its key, and that of the one before."""
    tls = ServerTls(authority.pair("api.example"))
    async with serving(tmp_path, tls=tls.context) as served:
        tls.renew(authority.pair("new.example", key_type))
        stream = await connected(served, authority.client(), "new.example")
        await trio.aclose_forcefully(stream)
        with pytest.raises(trio.BrokenResourceError):
            await connected(served, authority.client(), "api.example")


async def test_connections_that_are_there_stay_as_they_are(
    authority: Authority, tmp_path: Path
) -> None:
    """A reload cuts nobody off."""
    tls = ServerTls(authority.pair("api.example"))
    async with serving(tmp_path, tls=tls.context) as served:
        stream = await connected(served, authority.client())
        tls.renew(authority.pair("new.example"))
        async with stream:
            await stream.send_all(GET % b"/")
            assert (await stream.receive_some())[:12] == b"HTTP/1.1 200"


async def test_it_is_served_over_tcp(authority: Authority) -> None:
    """As it is by default in the world."""
    tls = ServerTls(authority.pair("127.0.0.1"))
    served = Served(Path())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(served.serve, listener, PATIENT, tls.context)
            stream = await trio.open_ssl_over_tcp_stream(
                *listener.getsockname(), ssl_context=authority.client(), https_compatible=True
            )
            async with stream:
                await stream.send_all(GET % b"/")
                assert (await stream.receive_some())[:12] == b"HTTP/1.1 200"
            served.stopping.set()
