"""What something was, from which position on: a look at the past is a search in a sorted list."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Generic, TypeVar

V = TypeVar("V")


class Timeline(Generic[V]):
    """What something was, from which position on."""

    __slots__ = ("_positions", "_values")

    def __init__(self) -> None:
        self._positions: list[int] = []
        self._values: list[V] = []

    @classmethod
    def of(cls, positions: list[int], values: list[V]) -> Timeline[V]:
        """Return the timeline with these columns, and keep them: *positions*, rising, and the value from each on."""
        timeline = cls()
        timeline._positions, timeline._values = positions, values
        return timeline

    def append(self, position: int, value: V) -> None:
        """Say that it is *value* from *position* on; positions never go back, and one said again replaces."""
        positions = self._positions
        if positions and positions[-1] >= position:
            assert positions[-1] == position
            self._values[-1] = value
            return
        positions.append(position)
        self._values.append(value)

    def at(self, position: int, default: V) -> V:
        """Return what it was at *position*; *default* before it was anything."""
        # What is asked most is the present, and it needs no search.
        if self._positions and self._positions[-1] <= position:
            return self._values[-1]
        found = bisect_right(self._positions, position)
        return self._values[found - 1] if found else default

    def last(self) -> V:
        """Return what it is now."""
        return self._values[-1]

    def begins(self) -> int:
        """Return the first position at which it was anything."""
        return self._positions[0]

    def columns(self) -> tuple[Sequence[int], Sequence[V]]:
        """Return the positions, rising, and the value from each of them on."""
        return self._positions, self._values
