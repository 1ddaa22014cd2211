"""HTTPS subscribers and credentials, from a real configuration file to what the receiver sees.

The receiver checks with the public algorithms, not with the code that signed.
"""

import base64
import hashlib
import hmac
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
import trio
import trustme

from household import Daemon, Producer, an_event
from https_receiver import Https, Request, an_https_server

KEYS: Final = (b"k" * 32, b"the key that is going away, soon")


@pytest.fixture
def authority() -> trustme.CA:
    """An authority that no system knows."""
    return trustme.CA()


@pytest.fixture
def leaf(authority: trustme.CA) -> trustme.LeafCert:
    """The receiver's certificate."""
    return authority.issue_cert("localhost")


@pytest.fixture
def files(tmp_path: Path, authority: trustme.CA) -> Path:
    """A directory with ca.pem, client.pem, client.key and the credentials."""
    return laid_out(tmp_path, authority)


def laid_out(directory: Path, authority: trustme.CA) -> Path:
    """The directory, with all of that in it."""
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    client = authority.issue_cert("callpost.example")
    client.private_key_pem.write_to_path(str(directory / "client.key"))
    with (directory / "client.pem").open("wb") as chain:
        chain.writelines(blob.bytes() for blob in client.cert_chain_pems)
    credentials = directory / "credentials"
    credentials.mkdir()
    for name, secret in {
        "password": "s3cr3t pässword\n",
        "token": "abc.def-ghi\n",
        "api-key": "key-77",
        "hmac": "hmac-secret\n",
        "signing": "whsec_" + base64.b64encode(KEYS[0]).decode() + "\n",
        "signing-old": "whsec_" + base64.b64encode(KEYS[1]).decode() + "\n",
    }.items():
        (credentials / name).write_text(secret)
    return directory


def a_daemon(files: Path, port: int, *more: str) -> Daemon:
    """A daemon with one HTTPS subscriber, trusted by its own authority unless `more` says so."""
    lines = ["[[subscription]]", 'name = "crm"']
    if not any(line.startswith("url") for line in more):
        lines.append(f'url = "https://localhost:{port}/calls?key=abc"')
    if not any(line.startswith("tls") for line in more):
        lines.append(f'tls = {{ ca_file = "{files}/ca.pem" }}')
    top = f'credentials_directory = "{files}/credentials"'
    return Daemon(files, "\n".join([*lines, *more, ""]), top)


async def requests(
    files: Path, server: Https, *more: str, number: int = 1, events: int = 1
) -> list[Request]:
    """What the server got of that many events of one call."""
    daemon = a_daemon(files, server.port, *more)
    kinds = ["newCall", *["hold"] * (events - 1)]
    async with daemon.running():
        await Producer(daemon.door).feed([an_event("c1", kind, to="+4570305050") for kind in kinds])
        return await server.got(number)


async def attempt(files: Path, port: int, *more: str) -> dict[str, object]:
    """The log line of the first attempt."""
    daemon = a_daemon(files, port, *more)
    async with daemon.running():
        await Producer(daemon.door).feed([an_event("c1", "newCall")])
        return await daemon.logged("delivery.attempted")


METHODS: Final = ("POSTJSON", "POSTARGS", "POSTXML2", "GET2")
BOTH_SECRETS: Final = 'secrets = ["credential:signing", "credential:signing-old"]'
# Subscriptions of one daemon to one receiver, where each has a path of its own: their keys.
SUBSCRIBED: Final = {
    "plain": "",
    "unverified": "tls = { verify = false }",
    "basic": 'auth = { type = "basic", username = "u", password = "credential:password" }',
    "bearer": 'auth = { type = "bearer", token = "credential:token" }',
    "headers": 'headers = { "X-Api-Key" = "credential:api-key", "X-Site" = "north" }',
    **{method.lower(): f'{BOTH_SECRETS}\nmethod = "{method}"' for method in METHODS},
    "body": 'body_signature = { header = "X-Signature", secret = "credential:hmac" }',
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Request]:
    """What each subscription's path at the receiver got of one event, by the path's last part."""
    return trio.run(one_event_for_all, tmp_path_factory.mktemp("seen"))


async def one_event_for_all(directory: Path) -> dict[str, Request]:
    """Let one daemon deliver one event to all of them."""
    authority = trustme.CA()
    laid_out(directory, authority)
    async with an_https_server(Https(), authority.issue_cert("localhost")) as server:
        subscriptions = [
            f'[[subscription]]\nname = "{name}"\n{keys}\n'
            f'url = "https://localhost:{server.port}/calls/{name}?key=abc"\n'
            + ("" if "tls" in keys else f'tls = {{ ca_file = "{directory}/ca.pem" }}\n')
            for name, keys in SUBSCRIBED.items()
        ]
        top = f'credentials_directory = "{directory}/credentials"'
        daemon = Daemon(directory, "".join(subscriptions), top)
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c1", "newCall", to="+4570305050")])
            got = await server.got(len(SUBSCRIBED))
    return {one.target.partition("?")[0].rpartition("/")[2]: one for one in got}


def test_an_own_authority_is_trusted(seen: dict[str, Request]) -> None:
    """`ca_file` is all that an operator with a certificate of their own needs."""
    request = seen["plain"]
    assert (request.method, request.target) == ("POST", "/calls/plain?key=abc")


async def test_a_client_certificate_is_shown(
    files: Path, leaf: trustme.LeafCert, authority: trustme.CA
) -> None:
    """The receiver lets in only who has one, and sees whose it is."""
    tls = (
        f'tls = {{ ca_file = "{files}/ca.pem", client_cert = "{files}/client.pem",'
        f' client_key = "{files}/client.key" }}'
    )
    async with an_https_server(Https(), leaf, clients=authority) as server:
        (request,) = await requests(files, server, tls)
    assert request.client == "callpost.example"


async def test_without_a_client_certificate_the_reason_says_so(
    files: Path, leaf: trustme.LeafCert, authority: trustme.CA
) -> None:
    """What the receiver's TLS refused is named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusing = threading.Thread(target=refuse_one_client, args=(listener, context))
        refusing.start()
        line = await attempt(files, listener.getsockname()[1])
        await trio.to_thread.run_sync(refusing.join)
    assert (line["outcome"], line["reason"]) == ("retry", "tls:tlsv13 alert certificate required")


def refuse_one_client(listener: socket.socket, context: ssl.SSLContext) -> None:
    """A blocking server, because OpenSSL itself must send the alert before the connection ends."""
    plain, _ = listener.accept()
    with plain.dup() as connection:
        with suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:
            secured.recv(1)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):  # unread bytes would turn the end into a reset
                pass


async def test_an_unknown_authority_is_a_retry_that_says_so(
    files: Path, leaf: trustme.LeafCert
) -> None:
    """The fault can be mended while the delivery waits."""
    trustme.CA().cert_pem.write_to_path(str(files / "ca.pem"))
    async with an_https_server(Https(), leaf) as server:
        line = await attempt(files, server.port)
    assert (line["outcome"], line["reason"]) == (
        "retry",
        "tls:certificate of an unknown authority",
    )


async def test_a_certificate_for_another_name_is_a_retry_that_says_so(
    files: Path, authority: trustme.CA
) -> None:
    """The right authority is not enough."""
    async with an_https_server(Https(), authority.issue_cert("other.example")) as server:
        line = await attempt(files, server.port)
    assert (line["outcome"], line["reason"]) == ("retry", "tls:certificate for another name")


def test_verification_can_be_turned_off(seen: dict[str, Request]) -> None:
    """`verify = false` takes any certificate."""
    assert seen["unverified"].method == "POST"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("basic", "Basic " + base64.b64encode("u:s3cr3t pässword".encode()).decode()),
        ("bearer", "Bearer abc.def-ghi"),
    ],
)
def test_credentials_reach_the_receiver(seen: dict[str, Request], name: str, value: str) -> None:
    """From their files into the Authorization header; the newline at their end is not theirs."""
    assert seen[name].headers["authorization"] == value


async def test_digest_proves_the_password_over_tls(files: Path, leaf: trustme.LeafCert) -> None:
    """RFC 7616 with SHA-256, computed by the receiver on its own; the challenge is remembered."""
    challenge = 'Digest realm="calls", nonce="n0nce", qop="auth", algorithm=SHA-256'
    server = Https((401, {"www-authenticate": challenge}), (200, {}))
    auth = 'auth = { type = "digest", username = "u", password = "credential:password" }'
    async with an_https_server(server, leaf):
        seen = await requests(files, server, auth, number=3, events=2)
    assert [digest_is_right(request) for request in seen] == [False, True, True]


def digest_is_right(request: Request) -> bool:
    """Whether the Authorization proves the password, after RFC 7616, section 3.4.1."""

    def hashed(*parts: str) -> str:
        return hashlib.sha256(":".join(parts).encode()).hexdigest()

    kind, _, fields = request.headers.get("authorization", "").partition(" ")
    if kind != "Digest":
        return False
    pairs = (field.strip().partition("=") for field in fields.split(","))
    said = {name: value.strip('"') for name, _, value in pairs}
    secret = hashed("u", "calls", "s3cr3t pässword")
    target = hashed(request.method, request.target)
    proof = hashed(secret, "n0nce", said["nc"], said["cnonce"], "auth", target)
    return said["uri"] == request.target and said["response"] == proof


def test_own_headers_come_from_credentials(seen: dict[str, Request]) -> None:
    """A secret stands in its file, not in the configuration."""
    request = seen["headers"]
    assert (request.headers["x-api-key"], request.headers["x-site"]) == ("key-77", "north")


@pytest.mark.parametrize("method", METHODS)
def test_a_receiver_can_verify_the_signatures(seen: dict[str, Request], method: str) -> None:
    """Standard Webhooks: HMAC-SHA256 over id.timestamp.content, one per live secret."""
    request = seen[method.lower()]
    query = request.target.partition("?")[2].encode()
    content = query if method == "GET2" else request.body
    marks = request.headers
    signed = f"{marks['webhook-id']}.{marks['webhook-timestamp']}.".encode() + content
    proofs = [base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in KEYS]
    assert marks["webhook-signature"].split(" ") == [f"v1,{proof}" for proof in proofs]


def test_a_receiver_can_verify_the_body_signature(seen: dict[str, Request]) -> None:
    """Hex HMAC-SHA256 of the raw body, in the header of the receiver's choice."""
    request = seen["body"]
    proof = hmac.new(b"hmac-secret", request.body, "sha256").hexdigest()
    assert request.headers["x-signature"] == proof


async def test_no_secret_is_logged(files: Path, leaf: trustme.LeafCert) -> None:
    """Neither a credential nor the URL's path and query."""
    more = (
        'headers = { "X-Api-Key" = "credential:api-key" }',
        'auth = { type = "basic", username = "u", password = "credential:password" }',
        'secrets = ["credential:signing"]',
    )
    async with an_https_server(Https((500, {})), leaf) as server:
        daemon = a_daemon(files, server.port, *more)
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
            await daemon.logged("delivery.attempted")
    told = str(daemon.log)
    secrets = ["s3cr3t", "key-77", "whsec_", "key=abc", "/calls"]
    assert [secret for secret in secrets if secret in told] == []
