"""What the tests of ALFWorld share; those that play are skipped where the package is not installed."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from memp.evaluation.alfworld.games import DOMAIN_FILE, GRAMMAR_FILE


@pytest.fixture(scope="session")
def alfworld() -> None:
    """Skip the test if the package is not installed."""
    if find_spec("alfworld") is None:
        pytest.skip("the package alfworld is not installed: pip install 'memp[alfworld]'")


@pytest.fixture(scope="session")
def official(shared_data: Path) -> Path:
    """Return a folder of packed games; without it the test is skipped."""
    folder = shared_data / "alfworld_games"
    if not folder.is_dir():
        pytest.skip(f"there are no packed games at {folder}")
    return folder


@pytest.fixture(scope="session")
def soak() -> bool:
    """Return whether the long form was asked for, as ``make soak`` does."""
    return bool(os.environ.get("MEMP_SOAK"))


@pytest.fixture
def pack(tmp_path: Path) -> Callable[[list[str]], Path]:
    """Return what writes packed games of those lines into a folder, with domain and grammar beside them."""

    def packed(lines: list[str]) -> Path:
        (tmp_path / DOMAIN_FILE).write_text("(define (domain d))")
        (tmp_path / GRAMMAR_FILE).write_text('"task": "@@TASK@@" "move {o} to {r}"')
        (tmp_path / "small.jsonl").write_text("".join(line + "\n" for line in lines))
        return tmp_path

    return packed
