"""Stores as a crash leaves them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from memp.log.base import Pending, VectorKey
from memp.log.duckdb import DuckDBLog
from memp.log.files import StoreFiles
from memp.log.identity import Identity
from memp.model import EventId
from memp.record import Head

IDS = Identity()
Crashed = Callable[..., tuple[StoreFiles, list[Head]]]


def event(number: int, **more: object) -> Pending:
    """An event that says *number*."""
    body = b'{"n":%d}' % number
    return Pending(event_id=EventId(IDS.event_id()), stream="s", type="t", schema=1, body=body, **more)  # type: ignore[arg-type]


def numbers(log: DuckDBLog) -> list[int]:
    """What the events of *log* say."""
    return [int((record.body or b"")[5:-1]) for record in log.read()]


def copy_of(source: StoreFiles, folder: Path) -> StoreFiles:
    """Copy all files of a store as they lie there."""
    folder.mkdir()
    for path in source.database.parent.glob(f"{source.database.name}*"):
        if path.is_file() and path.suffix != ".lock":
            shutil.copy(path, folder / path.name)
    return StoreFiles(folder / source.database.name)


@pytest.fixture
def crashed(tmp_path: Path) -> Crashed:
    """Makes a store with *closed* events in the file and *tail* events in the write-ahead log, as SIGKILL leaves it."""

    def crash(closed: int = 3, tail: int = 4, *, name: str = "crashed") -> tuple[StoreFiles, list[Head]]:
        live = StoreFiles(tmp_path / f"live-{name}" / "agent.duckdb")
        live.database.parent.mkdir()
        log = DuckDBLog(live.database)
        heads = [log.head]
        for number in range(closed + tail):
            if number == closed:
                log.close()
                log = DuckDBLog(live.database)
            log.append([event(number)], actor="me", vectors={VectorKey("e", b"%032d" % number): b"v" * 8})
            heads.append(log.head)
        if not tail:
            log.close()
        files = copy_of(live, tmp_path / name)
        log.close()
        return files, heads

    return crash
