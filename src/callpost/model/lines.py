"""Bytes as they arrive become lines; how they were cut on the way makes no difference.

A line that is too long is dropped while it arrives, so memory never grows with a line.
"""

_BLANK = b" \t\r"


class LineCutter:
    """Cuts a stream at LF; `max_bytes` counts a line without its LF or CR LF.

    A line comes out without its end, blank lines not at all, and None stands for one that was
    longer than `max_bytes`, in its place.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self._overlong = False

    def feed(self, data: bytes) -> list[bytes | None]:
        """Take what arrived next and return the lines that it completes."""
        head, *others = data.split(b"\n")
        if not others:
            self._keep(head)
            return []
        *whole, rest = others
        lines = self._first(head)
        for line in whole:
            lines += self._cut(line)
        self._keep(rest)
        return lines

    def end(self) -> list[bytes | None]:
        """Return the last line that lacks nothing but its LF."""
        return self._first(b"")

    def _first(self, tail: bytes) -> list[bytes | None]:
        self._keep(tail)
        lines: list[bytes | None] = [None] if self._overlong else self._cut(bytes(self._rest))
        self._rest.clear()
        self._overlong = False
        return lines

    def _cut(self, line: bytes) -> list[bytes | None]:
        line = line.removesuffix(b"\r")
        if len(line) > self._max_bytes:
            return [None]
        return [line] if line.strip(_BLANK) else []

    def _keep(self, data: bytes) -> None:
        # One byte more than a line may have: it may turn out to be the CR of the line's end.
        if self._overlong or len(self._rest) + len(data) > self._max_bytes + 1:
            self._overlong = True
            self._rest.clear()
        else:
            self._rest += data
