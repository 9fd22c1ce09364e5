"""
Values that are made when somebody first asks for them.

Whoever opens a memory asks it for a handful of procedures, or adds one. Making ten thousand timelines for that is most
of what an opening costs, and nearly all of them are never looked at. So a snapshot keeps one piece of bytes for each,
and these mappings hold the pieces until they are asked. A subclass of ``dict`` was not taken: much of Python reads the
table of such a one past its methods, and would find pieces instead of values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, TypeVar, cast, overload

import msgspec
import numpy as np

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")


class Pieces(msgspec.Struct, array_like=True):
    """
    Many short runs of bytes as one long one.

    Attributes:
        ends: Where each ends, little-endian int64.

        body: All of them, one after the other.
    """

    ends: memoryview
    body: memoryview

    @classmethod
    def of(cls, pieces: Iterable[bytes | memoryview]) -> Pieces:
        """Return *pieces* in their order."""
        gathered = list(pieces)
        ends = np.cumsum([len(piece) for piece in gathered], dtype="<i8")
        return cls(ends=memoryview(ends.tobytes()), body=memoryview(b"".join(gathered)))

    def split(self) -> Sequence[memoryview]:
        """Return the pieces; each is cut out when it is asked for."""
        return _Split(self)


class _Split(Sequence[memoryview]):
    def __init__(self, pieces: Pieces) -> None:
        self._ends: list[int] = [0, *np.frombuffer(pieces.ends, dtype="<i8").tolist()]
        self._body = pieces.body

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> memoryview: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[memoryview]: ...

    def __getitem__(self, place: int | slice) -> memoryview | Sequence[memoryview]:
        assert isinstance(place, int)
        return self._body[self._ends[place] : self._ends[place + 1]]


class Lazy(MutableMapping[K, V]):
    """
    A mapping, in order, whose values are made of something shorter when they are first asked for.

    Args:
        keys: The keys, each once.

        raw: What the values are made of, one for each key. Values are never whole numbers.

        make: Makes a value of its key and what is kept of it.
    """

    __slots__ = ("_make", "_raw", "_values")

    def __init__(self, keys: Iterable[K], raw: Sequence[R], make: Callable[[K, R], V]) -> None:
        self._raw: Sequence[Any] = raw
        self._make: Callable[[K, Any], V] = make
        # A number stands for a value that nobody has asked for yet, and says where its piece is.
        self._values: dict[K, V | int] = dict(zip(keys, range(len(raw)), strict=True))

    def __getitem__(self, key: K) -> V:
        found = self._values[key]
        if type(found) is int:
            found = self._values[key] = self._make(key, self._raw[found])
        return cast("V", found)

    def __setitem__(self, key: K, value: V) -> None:
        self._values[key] = value

    def __delitem__(self, key: K) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def kept(self, unmake: Callable[[V], R]) -> Iterator[R]:
        """Yield what values are made of, in order; those that were made meanwhile may have changed, and are unmade."""
        for value in self._values.values():
            yield self._raw[value] if type(value) is int else unmake(cast("V", value))


def unmade(mapping: Mapping[K, V], unmake: Callable[[V], R]) -> Iterator[R]:
    """Yield what the values of *mapping* can be made of again, in order."""
    return mapping.kept(unmake) if isinstance(mapping, Lazy) else map(unmake, mapping.values())


class Shelf(msgspec.Struct, array_like=True):
    """
    What a ``Lazy`` mapping of texts to bytes is made of.

    Attributes:
        keys: The keys.

        pieces: What is kept of each value.
    """

    keys: list[str]
    pieces: Pieces

    @classmethod
    def of(cls, mapping: Mapping[Any, V], unmake: Callable[[V], bytes | memoryview]) -> Shelf:
        """Return *mapping* in bytes; what nobody asked for since it was read goes over as it is."""
        return cls(keys=list(mapping), pieces=Pieces.of(unmade(mapping, unmake)))

    def open(self, make: Callable[[Any, memoryview], V]) -> Lazy[Any, V]:
        """Return the mapping."""
        return Lazy(self.keys, self.pieces.split(), make)
