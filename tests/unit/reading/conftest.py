"""How the tests of the reading room write a file and read it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from memp.reading import read_trajectories

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memp.model import Trajectory


@pytest.fixture
def read_rows(tmp_path: Path) -> Callable[..., list[Trajectory]]:
    """Return a function that writes objects as lines and reads them, in the format that is named."""

    def read(*rows: object, format: str = "auto") -> list[Trajectory]:
        path = tmp_path / "runs.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return list(read_trajectories(path, format=format))

    return read


@pytest.fixture
def read_one(read_rows: Callable[..., list[Trajectory]]) -> Callable[..., Trajectory]:
    """Return a function that reads one object as a line."""

    def read(row: dict[str, Any], format: str = "auto") -> Trajectory:
        (run,) = read_rows(row, format=format)
        return run

    return read
