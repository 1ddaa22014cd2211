"""Requests as bytes: the head is prepared once per endpoint, an attempt adds its own marks.

Values come checked (no CR, LF, NUL); what an operator sets wins over what we would send.
"""

from base64 import b64encode
from typing import assert_never

from callpost.model.delivery import Message
from callpost.model.disclosure import MASK
from callpost.model.endpoint import BasicAuth, BearerAuth, DigestAuth, HttpEndpoint
from callpost.model.signing import body_signature, signatures


class RequestHead:
    """Makes the requests of one endpoint; `version` goes into `user-agent`."""

    def __init__(self, endpoint: HttpEndpoint, *, version: str) -> None:
        self._endpoint = endpoint
        self._is_get = endpoint.method in {"GET1", "GET2"}
        self.method = "GET" if self._is_get else "POST"
        own_names = {name.lower() for name, _ in endpoint.headers}
        type_is_set = bool(endpoint.content_type) or "content-type" in own_names
        self._takes_type = not self._is_get and not type_is_set
        self._target = endpoint.target.encode()
        self._fixed = _lines(_fixed_headers(endpoint, own_names, version))
        # A POST begins with the same bytes each time.
        self._post = b"POST %b HTTP/1.1\r\n%b" % (self._target, self._fixed)

    def target(self, message: Message) -> bytes:
        """Path and query; a GET's content is added to the query that the URL already has."""
        if not self._is_get or not message.content:
            return self._target
        if b"?" not in self._target:
            return self._target + b"?" + message.content
        joint = b"" if self._target.endswith((b"?", b"&")) else b"&"
        return self._target + joint + message.content

    def request(self, message: Message, *, authorization: str = "") -> bytes:
        """Head and body of one attempt; `authorization` is Digest's answer to a challenge.

        What is signed is the body, of a GET the query string as it is sent.
        """
        if self._is_get:
            target = self.target(message)
            marks = self._marks(message, target.partition(b"?")[2], authorization)
            return b"GET %b HTTP/1.1\r\n%b%b\r\n" % (target, self._fixed, marks.encode())
        body = message.content
        marks = self._marks(message, body, authorization)
        return self._post + f"{marks}content-length: {len(body)}\r\n\r\n".encode() + body

    def shown(self, message: Message) -> tuple[tuple[str, str], ...]:
        """The headers of one attempt; of those that are secret, or set by an operator, no value."""
        head = self.request(message).partition(b"\r\n\r\n")[0].decode("latin-1")
        lines = (line.partition(": ") for line in head.split("\r\n")[1:])
        masked = _masked(self._endpoint)
        return tuple((name, MASK if name.lower() in masked else value) for name, _, value in lines)

    def _marks(self, message: Message, signed: bytes, authorization: str) -> str:
        """The headers that belong to the attempt, Standard Webhooks' among them."""
        endpoint = self._endpoint
        timestamp = int(message.sent_at)
        marks = (
            f"webhook-id: {message.id}\r\nwebhook-timestamp: {timestamp}\r\n"
            f"callpost-attempt: {message.attempt}\r\ncallpost-seq: {message.seq}\r\n"
        )
        if message.previous_id:
            marks += f"callpost-previous: {message.previous_id}\r\n"
        if message.replay:
            marks += "callpost-replay: 1\r\n"
        if self._takes_type:
            marks += f"content-type: {message.content_type}\r\n"
        if endpoint.signing_keys:
            signature = signatures(
                endpoint.signing_keys, message_id=message.id, timestamp=timestamp, content=signed
            )
            marks += f"webhook-signature: {signature}\r\n"
        if endpoint.body_signature is not None:
            signature = body_signature(endpoint.body_signature.secret, signed)
            marks += f"{endpoint.body_signature.header}: {signature}\r\n"
        if authorization:
            marks += f"authorization: {authorization}\r\n"
        return marks


def _fixed_headers(
    endpoint: HttpEndpoint, own_names: set[str], version: str
) -> list[tuple[str, str]]:
    ours = [("user-agent", f"callpost/{version}"), ("accept-encoding", "identity")]
    if endpoint.content_type and endpoint.method not in {"GET1", "GET2"}:
        ours.append(("content-type", endpoint.content_type))
    match endpoint.auth:
        case BasicAuth(username, password):
            credentials = b64encode(f"{username}:{password}".encode()).decode()
            ours.append(("authorization", f"Basic {credentials}"))
        case BearerAuth(token):
            ours.append(("authorization", f"Bearer {token}"))
        case DigestAuth() | None:  # Digest answers a challenge, attempt by attempt
            pass
        case _ as never:
            assert_never(never)
    kept = [(name, value) for name, value in ours if name not in own_names]
    return [("host", _host(endpoint)), *kept, *endpoint.headers]


def _host(endpoint: HttpEndpoint) -> str:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    default = 443 if endpoint.scheme == "https" else 80
    return host if endpoint.port == default else f"{host}:{endpoint.port}"


def _masked(endpoint: HttpEndpoint) -> set[str]:
    """The headers whose values are a secret, or may be one."""
    names = {"authorization", "webhook-signature", *(name.lower() for name, _ in endpoint.headers)}
    if endpoint.body_signature is not None:
        names.add(endpoint.body_signature.header.lower())
    return names


def _lines(headers: list[tuple[str, str]]) -> bytes:
    # RFC 9110, 5.5: beyond ASCII a field value is opaque octets; the configuration allows those
    # of latin-1, one for each character.
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")
