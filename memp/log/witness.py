"""
The head witness: a small file beside the database that says where the log must end.

DuckDB can lose a committed tail without a word: when its write-ahead log is deleted, emptied or cut, it opens with the
rows that are left, and the first write destroys the evidence. A chain inside the file cannot see that, because a
shorter chain is as good a chain. So the head is also written here, after the commit and before anybody is told of it.

Two slots are written in turn, each with a checksum and each in a block of its own, so that a write that is torn by a
loss of power spoils the one that is being written and never the one before. A file that is written anew and renamed
for every commit would do as well and costs three times as much.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import attrs

from memp.errors import StorageError
from memp.log.files import disk_errors, sync_data, write_durably
from memp.model import Position
from memp.record import Head

SLOT_BYTES = 4096
"""Distance of the slots: no disk tears a write of one block so that it spoils the next."""

MAGIC = "memp-witness"
"""What every slot starts with, so that nobody takes the file for something else."""

FORMAT = 1
"""Version of the form of a slot."""


@attrs.frozen
class Slot:
    """
    What one slot says.

    Attributes:
        log_id: The log.

        head: Where it ended.
    """

    log_id: str
    head: Head


@attrs.frozen
class WitnessSlots:
    """
    What a witness file says.

    Attributes:
        slots: Its slots in the order of the file; None is one that is damaged.
    """

    slots: tuple[Slot | None, Slot | None]

    @property
    def valid(self) -> list[Slot]:
        """The slots that can be read, the highest position first."""
        return sorted((slot for slot in self.slots if slot is not None), key=lambda s: s.head.position, reverse=True)

    @property
    def newest(self) -> Slot | None:
        """The slot that counts; None if no slot can be read."""
        return next(iter(self.valid), None)

    @property
    def damaged(self) -> bool:
        """Whether one of the slots cannot be read and the other serves."""
        return len(self.valid) == 1


UNREADABLE = WitnessSlots((None, None))
"""What a file says that is missing or damaged throughout."""


def encode(slot: Slot) -> bytes:
    """Return the line that a slot is: ASCII, of one length for one log."""
    said = f"{MAGIC} {FORMAT} {slot.log_id} {slot.head.position:020d} {slot.head.digest.hex()}"
    return f"{said} {hashlib.sha256(said.encode()).hexdigest()}\n".encode()


def decode(block: bytes) -> Slot | None:
    """Return what a block of the file says; None if a byte of it is not as it was written."""
    line = block.partition(b"\n")[0]
    with contextlib.suppress(ValueError):
        magic, form, log_id, position, digest, _ = line.decode("ascii").split(" ")
        slot = Slot(log_id, Head(Position(int(position)), bytes.fromhex(digest)))
        if (magic, form) == (MAGIC, str(FORMAT)) and encode(slot) == line + b"\n":
            return slot
    return None


def read_witness(path: Path) -> WitnessSlots:
    """Return what the file at *path* says."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return UNREADABLE
    return WitnessSlots((decode(content[:SLOT_BYTES]), decode(content[SLOT_BYTES : 2 * SLOT_BYTES])))


def make_witness(path: Path, slot: Slot) -> None:
    """
    Put a new witness at *path*, in place of one that may be there; both of its slots say the same.

    Raises:
        OSError: The disk did not take it.
    """
    write_durably(path, encode(slot).ljust(SLOT_BYTES, b"\0") * 2)


class Witness:
    """
    The witness of a log that is open for writing.

    Args:
        path: The file.

        slot: What it must say now. If it says so already, nothing is written.

    Raises:
        StorageError: The disk did not take it.
    """

    def __init__(self, path: Path, slot: Slot) -> None:
        self._path = path
        with disk_errors(path, "be written"):
            if read_witness(path) != WitnessSlots((slot, slot)):
                make_witness(path, slot)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._slot = slot
        self._next = 0
        self._even = True

    @property
    def head(self) -> Head:
        """What it says."""
        return self._slot.head

    def advance(self, head: Head) -> None:
        """
        Say durably that the log ends at *head*.

        Raises:
            StorageError: The disk did not take it.
        """
        slot = Slot(self._slot.log_id, head)
        try:
            self._write(slot)
        except OSError as error:
            raise StorageError(
                f"The witness {str(self._path)!r} could not be written: {error.strerror or error}.", in_doubt=True
            ) from error
        self._slot, self._even = slot, False

    def _write(self, slot: Slot) -> None:
        os.pwrite(self._descriptor, encode(slot), self._next * SLOT_BYTES)
        sync_data(self._descriptor)
        self._next = 1 - self._next

    def close(self) -> None:
        """Let both slots say the same, so that a closed store survives the loss of either, and close the file."""
        # Only a second copy of what the other slot says already: a disk that refuses it takes nothing away.
        with contextlib.suppress(OSError):
            if not self._even:
                self._write(self._slot)
        os.close(self._descriptor)
