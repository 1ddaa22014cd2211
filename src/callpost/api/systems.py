"""The systems whose lists can be read and written, by the names that commands give them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from msgspec import Struct

from callpost.api import basip, portsip, signalwire, telecomx, voipnow
from callpost.api.translated import Exported, Kind, Refused, Table, Translated


class Read(Protocol):
    """A document to its tables; see `translated`."""

    def __call__(self, document: bytes, *, of: str = "") -> tuple[Translated | Refused, ...]:
        """`of` is the extension or menu that the list was asked for."""
        ...


class System(Struct, frozen=True):
    """What a dialect can do, and of which tables its lists are made."""

    title: str
    read: Read
    written: Callable[[Sequence[Table]], Exported]
    kind: Kind = "subscription"


SYSTEMS: Final[Mapping[str, System]] = {
    "telecomx": System("TelecomX", telecomx.read, telecomx.written),
    "voipnow": System("VoipNow", voipnow.read, voipnow.written),
    "portsip": System("PortSIP", portsip.read, portsip.written),
    "signalwire": System("SignalWire", signalwire.read, signalwire.written),
    "basip": System("BAS-IP", basip.read, basip.written, kind="forward"),
}
