"""Chance and ids: the one place where randomness enters the house."""

import os
import random
import time


class SystemDice:
    """Jitter from the Mersenne Twister, ids from the kernel's random bytes."""

    def __init__(self) -> None:
        self._random = random.Random()  # noqa: S311 - jitter spreads load, it keeps no secret
        self._last_ms = 0
        self._serial = 0

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
            self._last_ms, self._serial = now_ms, 0
        elif self._serial < 0xFFF:
            self._serial += 1
        else:
            self._last_ms, self._serial = self._last_ms + 1, 0
        chance = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
        value = self._last_ms << 80 | 7 << 76 | self._serial << 64 | 2 << 62 | chance
        return f"evt_{value:032x}"
