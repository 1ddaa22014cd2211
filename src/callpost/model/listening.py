"""Where something listens for programs: an address and port, or a path."""

from ipaddress import ip_address

from msgspec import Struct


class NetworkPlace(Struct, frozen=True, tag="network"):
    """An address of this machine, numeric and without brackets, and a port."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Only this machine reaches it."""
        return ip_address(self.host).is_loopback

    def is_in_the_way_of(self, other: "NetworkPlace") -> bool:
        """Whether both cannot be listened at; all addresses are those of one version of IP."""
        mine, its = ip_address(self.host), ip_address(other.host)
        anywhere = mine.version == its.version and (mine.is_unspecified or its.is_unspecified)
        return self.port == other.port and (mine == its or anywhere)

    def __str__(self) -> str:
        """As it is written: `127.0.0.1:9464`, `[::1]:9464`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class UnixPlace(Struct, frozen=True, tag="unix"):
    """A Unix socket by its absolute path."""

    path: str

    def __str__(self) -> str:
        """The path."""
        return self.path


Place = NetworkPlace | UnixPlace
