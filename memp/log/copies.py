"""
The list of backups and exports that were made of a store.

A purge cannot reach a copy, but it can say which there are. The list lies beside the store and not in the log, because
paths hold names of people and machines, and what is in the log stays for ever. It is a help and no proof: whoever
copies the file by hand is not on it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import attrs
import msgspec


@attrs.frozen(kw_only=True)
class Copy:
    """
    A copy of a store.

    Attributes:
        kind: ``backup`` or ``export``.

        path: Where it was written.

        position: The last position that it holds.

        made_at: When, microseconds since 1970 UTC.
    """

    kind: str
    path: str
    position: int
    made_at: int


_decoder = msgspec.json.Decoder(Copy)


def note(path: Path, copy: Copy) -> None:
    """Add *copy* to the list at *path*. A folder that takes no more files takes nothing away from the copy."""
    with contextlib.suppress(OSError), path.open("ab") as file:
        file.write(msgspec.json.encode(copy) + b"\n")


def noted(path: Path) -> tuple[Copy, ...]:
    """Return the list at *path*, oldest first; a line that cannot be read is left out."""
    found = []
    with contextlib.suppress(OSError):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(msgspec.MsgspecError):
                found.append(_decoder.decode(line))
    return tuple(found)
