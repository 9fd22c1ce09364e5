"""
The journal of an evaluation: what was done, on disk before the next thing begins, so that nothing is done twice.

One line of JSON for each play, with a checksum in it. A process that is killed leaves at most one line half-written,
which is cut off; a line that does not hold its checksum counts as not done. A database was not taken: lines are
appended by one process and read once, and people can look at them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs
import msgspec

from memp.errors import ConflictError, InvalidInputError, StorageError
from memp.events.measuring import Measured, Spent
from memp.model import canonical_bytes

FORMAT = 1
"""The version of the lines; another one is not read."""

LINE_BEGINS = b'{"sum":"'
"""How every line begins: what is left of one that a kill cut short is known by it from somebody else's file."""

SYNC_SECONDS = 1.0
"""What a power cut may cost, at most. A killed process loses nothing: the system has every line that was written."""

CHECKSUM_CHARACTERS = 16
"""Of SHA-256 in hex: 64 bits, enough to notice damage."""


@attrs.frozen(order=True)
class PlayKey:
    """
    What makes a play the same.

    Attributes:
        draw: Empty where the same prompt makes the agent act the same; otherwise the arm.

        task_id: The task.

        seed: The seed.

        prompt: Hex digest of what was served.
    """

    draw: str
    task_id: str
    seed: int
    prompt: str


@attrs.frozen(kw_only=True)
class Outcome:
    """
    How a play ended.

    Attributes:
        won: Whether the task was solved.

        reward: The score.

        steps: Actions taken; the limit if it was lost.

        tokens: What it cost; None where nobody counts.

        spent: As in an attempt.

        superfluous: As in an attempt; replays alone.

        kind_first: As in an attempt; replays alone.
    """

    won: bool
    reward: float
    steps: int
    tokens: int | None = None
    spent: tuple[Spent, ...] = ()
    superfluous: float | None = None
    kind_first: bool | None = None


@attrs.frozen
class _Line:
    key: PlayKey
    outcome: Outcome


class Journal:
    """
    The plays of one evaluation, on disk; a context manager.

    Args:
        path: The file; made if it is not there, gone on with if it is of the same evaluation.

        measured: On what and by whom: a journal of anything else is refused.

    Attributes:
        done: The plays that are in it.

        damaged: How many of its lines did not hold their checksum, and count as not done.

    Raises:
        InvalidInputError: The file is no journal, or of another evaluation.

        ConflictError: Another process writes to it.

        StorageError: The disk does not take it.
    """

    def __init__(self, path: str | os.PathLike[str], measured: Measured) -> None:
        self.path = Path(path)
        self.done: dict[PlayKey, Outcome] = {}
        self.damaged = 0
        self._synced = time.monotonic()
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
            raise InvalidInputError(
                f"The journal {os.fspath(path)!r} cannot be written ({error.strerror}). "
                "Name a file in a folder that is there."
            ) from error
        except OSError as error:
            raise StorageError(f"The journal {os.fspath(path)!r} cannot be written ({error.strerror}).") from error
        with contextlib.ExitStack() as opened:
            opened.callback(os.close, self._file)
            self._lock()
            self._read(measured)
            opened.pop_all()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConflictError(
                f"Another process writes the journal {str(self.path)!r}: the same evaluation is running. "
                "Wait for it, or name another journal."
            ) from error

    def _read(self, measured: Measured) -> None:
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.splitlines()
        wanted = json.loads(canonical_bytes(measured))
        header = None if not lines else _checked(lines[0])
        ours = content[: len(LINE_BEGINS)] == LINE_BEGINS[: len(content)]
        if not ours or (lines and (header is None or header.get("journal") != FORMAT)):
            raise InvalidInputError(
                f"{str(self.path)!r} is no journal of an evaluation that this version of memp can read. "
                "Name another file, or remove it."
            )
        if header is not None and header["measured"] != wanted:
            differing = [name for name, value in wanted.items() if header["measured"].get(name) != value]
            raise InvalidInputError(
                f"The journal {str(self.path)!r} is of another evaluation: it differs in {', '.join(differing)}. "
                "Name another file, or remove it."
            )
        for line in lines[1:]:
            said = _checked(line)
            if said is None:
                self.damaged += 1
                continue
            read = msgspec.convert(said, type=_Line)
            self.done[read.key] = read.outcome
        if len(whole) < len(content):
            os.ftruncate(self._file, len(whole))
        if not lines:
            self._append({"journal": FORMAT, "measured": wanted})

    def write(self, key: PlayKey, outcome: Outcome) -> None:
        """
        Add a play.

        Raises:
            StorageError: The disk does not take it.
        """
        self._append(json.loads(canonical_bytes(_Line(key, outcome))))
        self.done[key] = outcome

    def _append(self, said: dict[str, Any]) -> None:
        line = _line(said)
        try:
            if os.write(self._file, line) < len(line):
                raise StorageError(f"The journal {str(self.path)!r} took half a line: the disk is full.")
            if time.monotonic() - self._synced > SYNC_SECONDS:
                self.sync()
        except OSError as error:
            raise StorageError(f"The journal {str(self.path)!r} cannot be written ({error.strerror}).") from error

    def sync(self) -> None:
        """Wait until what was written is on the disk."""
        os.fsync(self._file)
        self._synced = time.monotonic()

    def close(self) -> None:
        """Give the file back; closing twice does nothing."""
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _line(said: dict[str, Any]) -> bytes:
    body = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return f'{{"sum":"{_checksum(body)}","said":{body}}}\n'.encode()


def _checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:CHECKSUM_CHARACTERS]


def _checked(line: bytes) -> dict[str, Any] | None:
    """Return what *line* says; None if it does not hold its checksum."""
    try:
        read = json.loads(line)
    except ValueError:
        return None
    if not isinstance(read, dict) or not isinstance(read.get("said"), dict):
        return None
    body = json.dumps(read["said"], sort_keys=True, separators=(",", ":"))
    said: dict[str, Any] = read["said"]
    return said if read.get("sum") == _checksum(body) else None
