"""A link in memory, for exchanges whose every byte is chosen."""


class ScriptedLink:
    """A link on which these pieces come, and then the end, or an error.

    A time-out is the deadline's; `unsent` is what sending raises.
    """

    def __init__(
        self, parts: list[bytes], end: OSError | None = None, *, unsent: OSError | None = None
    ) -> None:
        self.expired = False
        self.closed = False
        self._parts = parts
        self._end = end
        self._unsent = unsent

    def set_deadline(self, when: float) -> None:
        """Time stands still."""

    async def send_all(self, data: bytes) -> None:  # noqa: ARG002 - the port's
        """It has gone, or not."""
        if self._unsent is not None:
            raise self._unsent

    async def receive_some(self, max_bytes: int) -> bytes:  # noqa: ARG002 - the port's
        """The next piece."""
        assert not self.closed
        if self._parts:
            return self._parts.pop(0)
        self.expired = isinstance(self._end, TimeoutError)
        if self._end is not None:
            raise self._end
        return b""

    def rest(self, now: float) -> None:
        """It waits."""

    def wake(self, now: float) -> bool:  # noqa: ARG002 - the port's
        """It is not stale."""
        return not self.closed

    def peer_is_idle(self) -> bool:
        """What was not read would be there; an empty line may have come with the answer."""
        return not b"".join(self._parts).strip(b"\r\n")

    def reason_of(self, error: OSError) -> str:  # noqa: ARG002 - the port's
        """Any word."""
        return "reset"

    def close(self) -> None:
        """It ends."""
        self.closed = True
