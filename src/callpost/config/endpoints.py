"""Doors as written to complete endpoints: defaults filled in, fragment overrides obeyed."""

from typing import Literal, assert_never

from msgspec import Struct

from callpost.config.doors import GET_METHODS, Door, level_of
from callpost.model.endpoint import (
    BodySignature,
    Endpoint,
    HttpEndpoint,
    TcpEndpoint,
    Timeouts,
    Tls,
    UdpEndpoint,
)
from callpost.model.url import ParsedUrl
from callpost.model.vocabulary import Method


class Shared(Struct, frozen=True, kw_only=True):
    """What all doors of a subscription have in common; `strict` is a stranger's."""

    timeouts: Timeouts
    signing_keys: tuple[bytes, ...]
    body_signature: BodySignature | None
    strict: bool


def endpoint(door: Door, place: str, shared: Shared) -> Endpoint:
    """The complete endpoint; without a method of its own it speaks POSTJSON."""
    method: Method = door.method or "POSTJSON"
    match door.url.scheme:
        case "http":
            return _http(door, "http", method, place, shared)
        case "https":
            return _http(door, "https", method, place, shared)
        case "tcp":
            return _tcp(door, method, place, shared)
        case "udp":
            return _udp(door, method, place, shared)
        case other:
            assert_never(other)


def _http(
    door: Door, scheme: Literal["http", "https"], method: Method, place: str, shared: Shared
) -> HttpEndpoint:
    has_body = method not in GET_METHODS
    return HttpEndpoint(
        place=place,
        scheme=scheme,
        host=door.url.host,
        port=door.url.port,
        target=door.url.target,
        method=method,
        level=level_of(door.level, method),
        content_type=(door.content_type or "") if has_body else "",
        headers=door.headers or (),
        auth=door.auth or door.url.auth,
        tls=door.tls or Tls(),
        timeouts=_overridden(shared.timeouts, door.url),
        retried=door.url.overrides.retried,
        signing_keys=shared.signing_keys,
        body_signature=shared.body_signature if has_body else None,
        http2=scheme == "https" and bool(door.http2),
        proxy=door.proxy or None,
        http_client=door.http_client or "own",
        strict=shared.strict,
    )


def _tcp(door: Door, method: Method, place: str, shared: Shared) -> TcpEndpoint:
    return TcpEndpoint(
        place=place,
        host=door.url.host,
        port=door.url.port,
        method=method,
        level=level_of(door.level, method),
        frame=door.frame,
        envelope=door.envelope,
        ack=door.ack,
        tls=door.tls,
        timeouts=_overridden(shared.timeouts, door.url),
        retried=door.url.overrides.retried,
        signing_keys=shared.signing_keys if door.envelope else (),
        strict=shared.strict,
    )


def _udp(door: Door, method: Method, place: str, shared: Shared) -> UdpEndpoint:
    return UdpEndpoint(
        place=place,
        host=door.url.host,
        port=door.url.port,
        method=method,
        level=level_of(door.level, method),
        envelope=door.envelope,
        timeouts=_overridden(shared.timeouts, door.url),
        retried=door.url.overrides.retried,
        signing_keys=shared.signing_keys if door.envelope else (),
        strict=shared.strict,
    )


def _overridden(timeouts: Timeouts, url: ParsedUrl) -> Timeouts:
    asked = url.overrides
    return Timeouts(
        connect_s=asked.connect_s or timeouts.connect_s,
        first_byte_s=asked.first_byte_s or timeouts.first_byte_s,
        whole_s=asked.whole_s or timeouts.whole_s,
    )
