"""What a subscription that was made over the API may not have: what is the operator's alone.

Whoever holds a token is a stranger to this machine: its secrets and files are not for them, nor a
way around the egress guard, nor what lies behind it.
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Final

from callpost.config.faults import Spot
from callpost.config.presets import BUILT_IN
from callpost.config.written import KeyPath
from callpost.model.credential import credential_name
from callpost.model.egress import Guard
from callpost.model.endpoint import Endpoint
from callpost.model.mask import exact_extension, exact_number
from callpost.model.subscription import Subscription

_NOT_OVER_API: Final = "not_over_api"
_FILES: Final = ("ca_file", "client_cert", "client_key")
# Tables and a list of tables with the keys of a door of their own.
_DOORS: Final = ("fallback", "status_callback", "delivery_report")
# A table is read from JSON, which nests as deep as its writer likes; ours never do.
_DEEP: Final = 8
# Every event of the customer is held against all of them while everybody else's wait: with the
# subscriptions that one customer may have, some 10 ms for the worst of masks and each number.
WILD_MAX_CHARS: Final = 512
_MASKED: Final = {"caller": exact_number, "called": exact_number, "extension": exact_extension}


def check_stranger(table: Mapping[str, object], spot: Spot) -> None:
    """Report each key of an API-made subscription that only an operator may set.

    What is of a wrong type is passed over: the rules of the configuration report it.
    """
    for path in _credentials(table, ()):
        sentence = "a credential of this machine cannot be used over the API; set the value itself"
        spot.at(path).report(_NOT_OVER_API, sentence)
    for path, door in _doors(table):
        _check_door(door, spot.at(path))
    preset = table.get("preset")
    if isinstance(preset, str) and preset and preset not in BUILT_IN:
        names = ", ".join(sorted(BUILT_IN))
        sentence = f"only the built-in presets can be used over the API: {names}"
        spot.key("preset").report(_NOT_OVER_API, sentence)
    _check_masks(table, spot)


def check_targets(subscription: Subscription, guard: Guard, spot: Spot) -> None:
    """Report each URL of a strict endpoint that points where a stranger may not send.

    A name is vetted when it is dialled; here only what is an address already can be judged.
    """
    for path, endpoint in _targets(subscription):
        url = spot.at(path).key("url")
        if not endpoint.strict:
            continue
        if _is_address(endpoint.host) and guard.refusal(endpoint.host, strict=True) is not None:
            url.report("url", "URL points to an invalid IP address")
        if guard.port_refusal(endpoint.port, strict=True) is not None:
            url.report("url", "Port is invalid")


def _credentials(value: object, path: KeyPath) -> Iterator[KeyPath]:
    """Where a text names a credential, however the text is meant."""
    match value:
        case str():
            if credential_name(value) is not None:
                yield path
        case dict() if len(path) < _DEEP:
            for key, inner in value.items():
                yield from _credentials(inner, (*path, str(key)))
        case list() | tuple() if len(path) < _DEEP:
            for number, inner in enumerate(value, start=1):
                yield from _credentials(inner, (*path, number))
        case _:
            pass


def _doors(table: Mapping[str, object]) -> Iterator[tuple[KeyPath, Mapping[str, object]]]:
    """The table itself and those in it that have the keys of a door."""
    yield (), table
    for key in _DOORS:
        match table.get(key):
            case dict() as door:
                yield (key,), door
            case list() | tuple() as doors:
                for number, door in enumerate(doors, start=1):
                    if isinstance(door, dict):
                        yield (key, number), door
            case _:
                pass


def _check_door(door: Mapping[str, object], spot: Spot) -> None:
    tls = door.get("tls")
    if isinstance(tls, dict):
        for key in _FILES:
            if tls.get(key, "") != "":
                sentence = "a file of this machine cannot be used over the API"
                spot.key("tls").key(key).report(_NOT_OVER_API, sentence)
        if tls.get("verify", True) is False:
            sentence = "a certificate is always verified for what was made over the API"
            spot.key("tls").key("verify").report(_NOT_OVER_API, sentence)
    if door.get("proxy", "") != "":
        spot.key("proxy").report(_NOT_OVER_API, "a proxy cannot be set over the API")


def _check_masks(table: Mapping[str, object], spot: Spot) -> None:
    chars = 0
    for key, exact in _MASKED.items():
        entries = table.get(key)
        listed = entries if isinstance(entries, list | tuple) else ()
        chars += sum(len(one) for one in listed if isinstance(one, str) and exact(one) is None)
        if chars > WILD_MAX_CHARS:
            sentence = (
                f"masks with wildcards have at most {WILD_MAX_CHARS:,} characters together "
                "over the API"
            )
            spot.key(key).report(_NOT_OVER_API, sentence)
            return


def _targets(subscription: Subscription) -> Iterator[tuple[KeyPath, Endpoint]]:
    primary, *fallbacks = subscription.endpoints
    yield (), primary
    for number, endpoint in enumerate(fallbacks, start=1):
        yield ("fallback", number), endpoint
    if subscription.callback is not None:
        yield ("status_callback",), subscription.callback
    if subscription.report is not None:
        yield ("delivery_report",), subscription.report


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
