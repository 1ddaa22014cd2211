"""A configuration as an operator may see it: everything but what is or could be a secret.

URLs are shown as their origin, headers by their names; credentials, keys and digests are not.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from callpost.config.configuration import Config
from callpost.model.api_door import Token
from callpost.model.endpoint import HttpEndpoint, Proxy, TcpEndpoint, UdpEndpoint
from callpost.model.listening import NetworkPlace, UnixPlace

_MASK: Final = "***"
# What lies under these names is a secret, or belongs to one, wherever it is.
_SECRET: Final = frozenset({"username", "password", "token", "secret", "signing_keys"})
# What says nothing beside the origin, or is of no use to people.
_LEFT_OUT: Final = frozenset({"scheme", "host", "port", "target", "digest", "warnings"})


def masked(config: Config) -> dict[str, object]:
    """The whole configuration as values that JSON has."""
    return _table(config)


def _table(struct: Struct) -> dict[str, object]:
    shown: dict[str, object] = {}
    if isinstance(struct, HttpEndpoint | TcpEndpoint | UdpEndpoint | Proxy):
        shown["url"] = struct.origin
    if struct.__struct_config__.tag is not None:
        shown["type"] = struct.__struct_config__.tag
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if name in _LEFT_OUT:
            continue
        if name == "headers":
            shown[name] = {header: _MASK for header, _ in value}
        elif name in _SECRET:
            shown[name] = _hidden(value)
        else:
            shown[name] = _shown(value)
    return shown


def _hidden(value: object) -> object:
    if isinstance(value, tuple):
        return [_MASK for _ in value]
    return _MASK if value else value


def _shown(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        # Numbers that JSON does not have, such as an age without end, become null there.
        return value
    if isinstance(value, Token):
        return _table(value.caller)
    if isinstance(value, NetworkPlace | UnixPlace):
        return str(value)
    if isinstance(value, Struct):
        return _table(value)
    if isinstance(value, Mapping):
        return {str(key): _shown(one) for key, one in value.items()}
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_shown(one) for one in value]
    return msgspec.to_builtins(value)
