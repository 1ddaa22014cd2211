"""Chance and ids: the one place where randomness enters the house."""

import os
import random
import time
from collections.abc import Iterator
from typing import Final

# The kernel is asked for so many random bytes at a time: a call of its own for each id takes
# half of the id's time. They are as unpredictable as those that are asked for one by one.
_CHANCE_BYTES: Final = 4096
# `rand_b` of one id in bytes, with the variant of RFC 9562 (4.1) in the two highest bits.
_TAIL_BYTES: Final = 8
_WITH_VARIANT: Final = bytes(0x80 | byte & 0x3F for byte in range(256))


class SystemDice:
    """Jitter from the Mersenne Twister, ids from the kernel's random bytes."""

    def __init__(self) -> None:
        self._random = random.Random()  # noqa: S311 - jitter spreads load, it keeps no secret
        self._last_ms = 0
        self._serial = 0
        self._beginning = ""
        self._tails: Iterator[str] = iter(())

    def roll(self) -> float:
        """Return a number from [0, 1)."""
        return self._random.random()

    def event_id(self) -> str:
        """Return `evt_` and a UUIDv7 (RFC 9562, 5.7) in hex, growing within this process.

        Time-ordered ids keep the spool's index of ids narrow. Ids of one millisecond are told
        apart by a serial number in `rand_a` (RFC 9562, 6.2, method 1), which spills into the
        time when more than 4,096 are asked for.
        """
        now_ms = time.time_ns() // 1_000_000
        if now_ms > self._last_ms:
            self._begin(now_ms)
        elif self._serial < 0xFFF:
            self._serial += 1
        else:
            self._begin(self._last_ms + 1)
        tail = next(self._tails, None) or self._first_of_more_tails()
        return f"{self._beginning}{self._serial:03x}{tail}"

    def _begin(self, now_ms: int) -> None:
        self._last_ms, self._serial = now_ms, 0
        self._beginning = f"evt_{now_ms:012x}7"

    def _first_of_more_tails(self) -> str:
        """Draw what the next ids end with, sixteen digits each."""
        chance = bytearray(os.urandom(_CHANCE_BYTES))
        chance[::_TAIL_BYTES] = chance[::_TAIL_BYTES].translate(_WITH_VARIANT)
        self._tails = iter(chance.hex(" ", _TAIL_BYTES).split())
        return next(self._tails)
