"""What is not wrong but worth a word before it runs: warnings about good subscriptions."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from callpost.config.faults import Fault
from callpost.model.api_door import Api
from callpost.model.egress import Guard
from callpost.model.endpoint import Endpoint, HttpEndpoint, TcpEndpoint, UdpEndpoint
from callpost.model.limits import DATAGRAM_SAFE_BYTES, Metrics
from callpost.model.listening import NetworkPlace
from callpost.model.subscription import Filter, Subscription

# Fewer digits may be the beginning of an extension, of which there is no other form.
_DIGITS_THEN_WILD: Final = re.compile(r"[0-9]{4,}[*?\[]")
_SWML_METHODS: Final = frozenset({"POSTJSON", "GET1", "GET2"})


def cautions(
    file: str, subscription: Subscription, guard: Guard, calling_code: str
) -> Iterator[Fault]:
    """The warnings about one subscription, each endpoint by its place.

    `calling_code` is that of the country whose numbers need not say so, "" where there is none.
    """
    path = f"subscription.{subscription.name}"
    others = (subscription.callback, subscription.report)
    for endpoint in (*subscription.endpoints, *(one for one in others if one is not None)):
        for code, sentence in _about(endpoint, guard):
            yield Fault(file, path, code, f"{endpoint.place}: {sentence}")
    is_zammad = subscription.vocabulary == "zammad"
    if subscription.stale == "skip" and (is_zammad or subscription.after_gap == "skip_call"):
        sentence = (
            "what stale skips is no gap, so the receiver may get the hangup of a call "
            "that it was never told of"
        )
        yield Fault(file, path, "stale", sentence)
    if is_zammad and "newCall" not in subscription.filter.events:
        sentence = "Zammad refuses what it is told of a call whose newCall it never got"
        yield Fault(file, path, "events", sentence)
    for key in _national_masks(subscription.filter, calling_code):
        sentence = (
            "meets no national number, as masks with wildcards are compared with the"
            f' international form; where one is meant, write "+{calling_code}..."'
        )
        yield Fault(file, f"{path}.{key}", "mask", sentence)
    if subscription.vocabulary == "swml":
        for code, sentence in _about_swml(subscription):
            yield Fault(file, path, code, sentence)


def cautions_about_api(file: str, api: Api) -> Iterator[Fault]:
    """The warning about tokens that open nothing."""
    if api.tokens and api.listen is None:
        sentence = (
            "no token is of use without api.listen,"
            ' unless systemd hands over a socket that is named "api"'
        )
        yield Fault(file, "api.token", "senseless", sentence)


def cautions_about_metrics(file: str, metrics: Metrics) -> Iterator[Fault]:
    """The warning about figures that others may read."""
    place = metrics.listen
    if isinstance(place, NetworkPlace) and not place.is_loopback:
        sentence = "everybody who reaches this address can read the figures"
        if metrics.per_subscription != "never":
            sentence += ", which name the subscriptions"
        yield Fault(file, "metrics.listen", "exposed", sentence)


def _about_swml(subscription: Subscription) -> Iterator[tuple[str, str]]:
    """What SignalWire's own handlers never see."""
    if subscription.callback is None and subscription.filter.events != {"newCall"}:
        sentence = "without one the url gets a call's later states too, not its beginning alone"
        yield "status_callback", sentence
    called = (*subscription.endpoints, subscription.callback)
    for endpoint in (one for one in called if one is not None):
        if endpoint.method not in _SWML_METHODS:
            yield "method", f"{endpoint.place}: SignalWire calls by POSTJSON or by GET only"


def _national_masks(wanted: Filter, calling_code: str) -> Iterator[str]:
    """Where masks with wildcards look like the beginning of a number without its country.

    They are not quoted: what they have of a number may be all of it, and warnings are logged.
    """
    if not calling_code:
        return
    for key, masks in (("caller", wanted.caller), ("called", wanted.called)):
        for number, mask in enumerate(masks, start=1):
            begins = _DIGITS_THEN_WILD.match(mask)
            if begins is not None and not mask.startswith(calling_code):
                yield f"{key}[{number}]"


def _about(endpoint: Endpoint, guard: Guard) -> Iterator[tuple[str, str]]:
    if _is_address(endpoint.host) and guard.refusal(endpoint.host) is not None:
        yield "egress", "the URL points to an address that [egress] denies"
    proxy = endpoint.proxy if isinstance(endpoint, HttpEndpoint) else None
    if proxy is not None and _is_address(proxy.host) and guard.refusal(proxy.host) is not None:
        yield "egress", "the proxy has an address that [egress] denies"
    match endpoint:
        case UdpEndpoint():
            yield "udp", f"what exceeds {DATAGRAM_SAFE_BYTES:,} bytes may be fragmented and lost"
        case HttpEndpoint(tls=tls) | TcpEndpoint(tls=tls):
            if tls is not None and not tls.verify:
                yield "tls", "tls.verify is off, so anybody on the way can read and answer"
    timeouts = endpoint.timeouts
    if timeouts.connect_s > timeouts.whole_s:
        yield "timeout", "connecting may take longer than the whole attempt, which ends first"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
