"""
Graphs on disk, so that opening a large memory does not build them again.

The file is a cache and nothing else: it can be deleted at any time, it is used only if it was written for these very
vectors, and no answer depends on whether it was there. It holds links without vectors, since the log has those: a
twelfth of what hnswlib's own file takes, and one place less from which somebody's text may have to be removed.
hnswlib's ``save_index`` was not taken: it neither syncs nor notices a full disk, and its ``load_index`` believes
every byte.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from memp.errors import StorageError
from memp.index.base import VectorIndex
from memp.index.container import Container, Reason, Refused, read_container, write_container
from memp.index.graph import (
    LINKS_ROW,
    PARAMETERS,
    UPPER_ROW,
    Graph,
    GraphParts,
    hnswlib_or_none,
    put_together,
    take_apart,
)
from memp.index.hnsw import HnswIndex

KIND: Final = "index"
"""What the container says that it is."""

FORM: Final = 1
"""Version of what is in it, raised with every change of header, body or ``layout``."""


class IndexCache:
    """
    The cache files of one store, one for each of its indexes, beside it.

    Args:
        store: The file of the store.

        log_id: Its log.

        embedder: Name and version of the embedder that its vectors come from.

    Attributes:
        embedder: The same.
    """

    def __init__(self, store: Path, *, log_id: str, embedder: str) -> None:
        self._store = store
        self._log_id = log_id
        self.embedder = embedder
        self._on_disk: dict[str, tuple[Graph, ...]] = {}

    def path(self, name: str) -> Path:
        """Return where the graphs of the index with this name are kept."""
        return self._store.with_name(f"{self._store.name}.{name}.index")

    def load(self, indexes: Mapping[str, VectorIndex]) -> None:
        """Take up what there is for *indexes*, by name, which are filled with their vectors."""
        for name, index in indexes.items():
            if isinstance(index, HnswIndex):
                if load(index, self.path(name), log_id=self._log_id, embedder=self.embedder):
                    self._on_disk[name] = index.graphs
                else:
                    self._on_disk.pop(name, None)

    def save(self, indexes: Mapping[str, VectorIndex]) -> None:
        """Keep the graphs of *indexes* that are not on disk yet; a disk that does not take them gives a warning."""
        for name, index in indexes.items():
            if not isinstance(index, HnswIndex) or index.graphs == self._on_disk.get(name, ()):
                continue
            try:
                save(index, self.path(name), log_id=self._log_id, embedder=self.embedder)
            except StorageError as error:
                warnings.warn(f"{error} The search index will be built again.", RuntimeWarning, stacklevel=2)
            else:
                self._on_disk[name] = index.graphs


def save(index: HnswIndex, path: Path, *, log_id: str, embedder: str) -> bool:
    """
    Write the finished graphs of *index* to *path*, whole or not at all.

    Args:
        index: Whose graphs; it may be searched and added to meanwhile.

        path: The cache file; an older one is replaced.

        log_id: The log that the vectors come from.

        embedder: Name and version of the embedder that they come from.

    Returns:
        False if there is no graph yet, and nothing was written.

    Raises:
        StorageError: The disk did not take it; an older file is still there.
    """
    graphs = index.graphs
    if not graphs:
        return False
    described: list[dict[str, Any]] = []
    pieces: list[bytes] = []
    for graph in graphs:
        entry: dict[str, Any] = {"start": graph.start, "stop": graph.stop, "members": len(graph.members)}
        described.append(entry)
        if not len(graph.members):
            continue
        parts = take_apart(graph)
        entry |= {"entry": parts.entry, "upper": len(parts.upper)}
        if not graph.whole:
            pieces.append(parts.members.astype("<i8").tobytes())
        pieces += [parts.levels.tobytes(), parts.links.tobytes(), parts.upper.tobytes()]
    slots = graphs[-1].stop
    said = {"slots": slots, "digest": logical_digest(index, slots), "graphs": described}
    write_container(path, _wanted(index, log_id, embedder) | said, tuple(pieces), kind=KIND)
    return True


def load(index: HnswIndex, path: Path, *, log_id: str, embedder: str) -> bool:
    """
    Take up the graphs at *path* where they belong to the vectors of *index*; texts behind them are searched exactly.

    A file that is damaged, from a newer version or of another log is left alone, with a RuntimeWarning; one that is
    merely out of date (fewer texts here than there, another embedder) without a word.

    Args:
        index: Filled with its vectors.

        path: The cache file; it need not be there.

        log_id: The log that the vectors come from.

        embedder: Name and version of the embedder that they come from.

    Returns:
        Whether graphs were taken up. Nothing is changed otherwise.
    """
    found = read_container(path, kind=KIND, expect={"log_id": log_id})
    if isinstance(found, Refused):
        if found.reason is not Reason.MISSING:
            _warn(found.detail)
        return False
    header = found.header
    if header["form"] > FORM:
        _warn(f"{str(path)!r} was written by a newer version of memp (form {header['form']}, this one knows {FORM}).")
        return False
    out_of_date = header["slots"] > len(index) or any(
        header[field] != value for field, value in _wanted(index, log_id, embedder).items()
    )
    if out_of_date or hnswlib_or_none() is None:
        return False
    if header["digest"] != logical_digest(index, header["slots"]):
        _warn(f"{str(path)!r} was written for other vectors than those of the log.")
        return False
    graphs = _graphs(found, index)
    if graphs is None:
        _warn(f"{str(path)!r} does not fit this version of hnswlib.")
        return False
    index.adopt(graphs)
    return True


def logical_digest(index: HnswIndex, count: int) -> str:
    """Return the hex SHA-256 of the first *count* texts, by slot: the digest of the text, then its vector, float32."""
    digest = hashlib.sha256("\n".join(index.keys()[:count]).encode())
    digest.update(index.run(0, count).astype("<f4", copy=False).data)
    return digest.hexdigest()


def _wanted(index: HnswIndex, log_id: str, embedder: str) -> dict[str, Any]:
    """Return what the header of a file must say to be used."""
    return {
        "form": FORM,
        "log_id": log_id,
        "embedder": embedder,
        "dimension": index.dimension,
        "parameters": PARAMETERS,
    }


def _graphs(container: Container, index: HnswIndex) -> list[Graph] | None:
    """Return the graphs of a checked file; None if one cannot be put together."""
    graphs = []
    offset = 0

    def take(dtype: str, *shape: int) -> np.ndarray[Any, np.dtype[Any]]:
        nonlocal offset
        count = int(np.prod(shape))
        array = np.frombuffer(container.body, dtype=dtype, count=count, offset=offset).reshape(shape)
        offset += array.nbytes
        return array

    for entry in container.header["graphs"]:
        start, stop, count = entry["start"], entry["stop"], entry["members"]
        if count in (0, stop - start):
            members = np.arange(start, start + count, dtype=np.int64)
        else:
            members = take("<i8", count).astype(np.int64)
        if not count:
            graphs.append(Graph(start=start, stop=stop, members=members, handle=None))
            continue
        levels = take("<i4", count)
        links = take("<u4", count, LINKS_ROW)
        upper = take("<u4", entry["upper"], UPPER_ROW)
        parts = GraphParts(
            start=start, stop=stop, members=members, levels=levels, links=links, upper=upper, entry=entry["entry"]
        )
        whole = count == stop - start
        graph = put_together(parts, index.run(start, stop) if whole else index.vectors(members))
        if graph is None:
            return None
        graphs.append(graph)
    return graphs


def _warn(detail: str) -> None:
    warnings.warn(f"{detail} The search index is built anew.", RuntimeWarning, stacklevel=3)
