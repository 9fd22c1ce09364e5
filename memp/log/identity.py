"""
Where time, ids and random bytes come from, in one place, so that tests can say what they are.

Python gains ``uuid.uuid7`` with 3.14 only; until then RFC 9562 section 5.7 is ten lines, less than a dependency.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import attrs

Clock = Callable[[], int]
"""Returns microseconds since 1970 UTC; may jump in either direction."""

Entropy = Callable[[int], bytes]
"""Returns that many random bytes."""


def wall_clock() -> int:
    """Return the time of day in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def uuid7(microseconds: int, random: bytes) -> str:
    """
    Return a UUID of version 7 as text.

    Args:
        microseconds: Time since 1970 UTC; its milliseconds take the first 48 bits, its remainder the next 12.

        random: 8 random bytes or more.

    Source: RFC 9562, section 5.7 and section 6.2 method 3 (the 12 bits hold the fraction of the millisecond).
    """
    milliseconds, rest = divmod(microseconds, 1_000)
    high = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (rest * 4096 // 1_000) << 64
    low = 0b10 << 62 | int.from_bytes(random[:8]) >> 2
    return _text(high | low)


def uuid4(random: bytes) -> str:
    """Return a UUID of version 4, made of 16 random bytes, as text; source: RFC 9562, section 5.4."""
    number = int.from_bytes(random[:16])
    return _text(number & ~(0xF << 76) & ~(0b11 << 62) | 0x4 << 76 | 0b10 << 62)


def _text(number: int) -> str:
    # ``uuid.UUID`` takes four times as long to say it, and an episode needs a dozen.
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@attrs.frozen(kw_only=True)
class Identity:
    """
    The source of times, ids and salts for one open store.

    Attributes:
        clock: The time of day.

        entropy: Random bytes.
    """

    clock: Clock = wall_clock
    entropy: Entropy = os.urandom

    def event_id(self) -> str:
        """Return a new UUIDv7."""
        return uuid7(self.clock(), self.entropy(8))

    def random_id(self) -> str:
        """Return a new UUIDv4, which says nothing of time or content."""
        return uuid4(self.entropy(16))
