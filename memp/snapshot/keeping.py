"""
Snapshots on disk: which of them is used, when one is written, and which are removed.

A snapshot is never the truth. It is used if every byte of it is as it was written, it is of this log, and the log holds
at its position the very digest that the snapshot was made at; whatever else is the matter, the store is folded from its
log, and answers the same. Pickle was not taken for what is in it: a file beside the store must not be able to run code.
"""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec

import memp
from memp.errors import StorageError
from memp.events import EVENT_TYPES
from memp.index.container import Container, Reason, Refused, read_container, write_container
from memp.log.base import EventLog
from memp.log.files import StoreFiles
from memp.model import Evidence, Position, Procedure, Revision, canonical_bytes
from memp.record import GENESIS, Head
from memp.retrieval.catalogue import Catalogue
from memp.retrieval.space import KINDS, MakeIndex
from memp.snapshot import catalogues, histories
from memp.snapshot.catalogues import Blocks, CatalogueForm, count_texts, pack_catalogue, unpack_catalogue
from memp.snapshot.histories import HistoryForm, pack_history, unpack_history
from memp.state import History

KIND: Final = "snapshot"
"""What the container says that it is."""

FORM: Final = 1
"""Version of how values are laid out in the body, raised with every change of it."""

PROJECTION: Final = 1
"""Version of what is folded, raised when the same events come to mean something else; snapshots from before it are
out of date."""

EVENTS_MIN: Final = 2_000
"""Events since the last snapshot below which none is written by itself: folding them takes a tenth of a second."""

SHARE_MIN: Final = 0.1
"""Share of the log that must have come since the last one: all snapshots of a life together are then no more than ten
times as long as the last."""


class _Body(msgspec.Struct):
    history: HistoryForm
    catalogue: CatalogueForm


@attrs.frozen(kw_only=True)
class Snapshot:
    """
    A snapshot that was written.

    Attributes:
        path: The file; it may be deleted at any time.

        position: The last event that is in it.

        size: How long the file is, in bytes.
    """

    path: Path
    position: Position
    size: int


@attrs.frozen(kw_only=True, eq=False)
class Resumed:
    """
    What a snapshot holds.

    Attributes:
        history: Every version up to the position.

        catalogue: What finds procedures.

        position: The last event that is in it.

        vectors: How many distinct texts of each generation have their vector in it.
    """

    history: History
    catalogue: Catalogue
    position: Position
    vectors: dict[str, int]


class Snapshots:
    """
    The snapshots of one store, in files beside it.

    Args:
        store: The file of the store.

        log: Its log, open.
    """

    def __init__(self, store: Path, log: EventLog) -> None:
        self._store = store
        self._log = log
        self._used: Path | None = None
        self._position = 0

    def newest(self, make_index: MakeIndex) -> Resumed | None:
        """
        Return what the newest good snapshot holds; None if there is none.

        One that is damaged, of another log or another past, or from a newer version gives a RuntimeWarning; one that
        is merely out of date does not.

        Args:
            make_index: Makes an empty index.
        """
        self._used, self._position = None, 0
        for path in self._paths():
            found = self._read(path)
            if found is None:
                continue
            header = found.header
            vectors, values = found.body[: header["vector_bytes"]], found.body[header["vector_bytes"] :]
            try:
                body = msgspec.msgpack.decode(values, type=_Body)
            except msgspec.MsgspecError as error:
                _warn(f"{str(path)!r} cannot be read: {error}.")
                continue
            self._used, self._position = path, header["position"]
            return Resumed(
                history=unpack_history(body.history),
                catalogue=unpack_catalogue(body.catalogue, vectors, make_index),
                position=Position(header["position"]),
                vectors=header["embedders"],
            )
        return None

    def _read(self, path: Path) -> Container | None:
        """Return the container at *path* if it is whole and of this log as it is; None if it is not used."""
        found = read_container(path, kind=KIND, expect={"log_id": self._log.log_id})
        if isinstance(found, Refused):
            if found.reason is not Reason.MISSING:
                _warn(found.detail)
            return None
        header = found.header
        if header["form"] > FORM or header["projection"] > PROJECTION:
            _warn(f"{str(path)!r} was written by a newer version of memp.")
            return None
        if any(header[field] != value for field, value in _written_by().items()):
            return None
        position = header["position"]
        if position > self._log.head.position:
            _warn(f"{str(path)!r} was made at position {position}, and the log ends at {self._log.head.position}.")
            return None
        if self._digest_at(position).hex() != header["digest"]:
            _warn(f"{str(path)!r} was made of another past: the log holds another event at position {position}.")
            return None
        return found

    def _digest_at(self, position: int) -> bytes:
        return next((record.digest for record in self._log.read(after=position - 1, until=position)), GENESIS)

    def is_due(self) -> bool:
        """Whether so much has come since the last snapshot that the next opening is worth one."""
        end = self._log.head.position
        return end - self._position >= max(EVENTS_MIN, SHARE_MIN * end)

    def save(self, history: History, catalogue: Catalogue) -> Snapshot:
        """
        Write a snapshot, whole or not at all, and remove all others but the one that served until now.

        That one is kept for the day on which the new one is damaged.

        Args:
            history: Every version, up to the end of the log.

            catalogue: What finds procedures, up to there.

        Raises:
            StorageError: The disk did not take it; what was there before still is.
        """
        head = self._log.head
        assert history.position == head.position, "what is not durable must not be kept"
        path = self._store.with_name(f"{self._store.name}.{head.position}.snapshot")
        blocks = Blocks()
        body = _Body(history=pack_history(history), catalogue=pack_catalogue(catalogue, blocks))
        try:
            encoded = msgspec.msgpack.encode(body)
        except OverflowError as error:
            raise StorageError(f"{str(path)!r} could not be written: the memory is too large ({error}).") from error
        header = {**_header(self._log.log_id, head, history, catalogue), "vector_bytes": blocks.size}
        write_container(path, header, (*blocks.pieces, encoded), kind=KIND)
        self._remove_others({path, self._used} if self._used is not None else {path})
        self._used, self._position = path, head.position
        return Snapshot(path=path, position=head.position, size=path.stat().st_size)

    def outlived(self, *, remove: bool) -> None:
        """Use none of the snapshots, and *remove* them: content that they may hold was purged since."""
        self._used, self._position = None, 0
        if remove:
            self._remove_others(set())

    def _paths(self) -> list[Path]:
        """Return the files that are there, the newest first."""
        start, end = f"{self._store.name}.", ".snapshot"
        there = [path for path in StoreFiles(self._store).caches() if path.name.endswith(end)]
        # Another store may be called as this one is, with something behind it.
        mine = [path for path in there if path.name[len(start) : -len(end)].isdecimal()]
        return sorted(mine, key=_position_of, reverse=True)

    def _remove_others(self, kept: set[Path]) -> None:
        for path in self._paths():
            if path not in kept:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)


def _position_of(path: Path) -> int:
    return int(path.name.split(".")[-2])


def _header(log_id: str, head: Head, history: History, catalogue: Catalogue) -> dict[str, Any]:
    return {
        **_written_by(),
        "log_id": log_id,
        "position": head.position,
        "digest": head.digest.hex(),
        "branches": {name: branch.position for name, branch in history.branches.items()},
        "embedders": {name: count_texts(space) for name, space in catalogue.spaces.items()},
        "parameters": {"kinds": list(KINDS)},
    }


def _written_by() -> dict[str, Any]:
    """Return what must be the same in whoever reads a snapshot: its form, what is folded, and every class in it."""
    classes: Mapping[str, Any] = {
        "events": {tag: (cls.VERSION, [field.name for field in attrs.fields(cls)]) for tag, cls in EVENT_TYPES.items()},
        "values": [[field.name for field in attrs.fields(cls)] for cls in (Procedure, Revision, Evidence)],
        "covered": {cls.__name__: sorted(names) for cls, names in (histories.COVERED | catalogues.COVERED).items()},
    }
    return {
        "form": FORM,
        "projection": PROJECTION,
        "version": memp.__version__,
        "classes": hashlib.sha256(canonical_bytes(classes)).hexdigest(),
    }


def _warn(detail: str) -> None:
    warnings.warn(f"{detail} The store is read from its log instead.", RuntimeWarning, stacklevel=5)
