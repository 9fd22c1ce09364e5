"""
Faults for real: processes that are killed, disks that are full or fail, bytes that change.

``make test`` runs a short form. ``make soak`` sets MEMP_SOAK and runs all of it, with the counts printed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

CHILDREN = Path(__file__).parent / "children.py"
"""What runs in the processes that are killed, or whose system calls fail."""


@pytest.fixture(scope="session")
def soak() -> bool:
    """Whether to take the time that it needs."""
    return bool(os.environ.get("MEMP_SOAK"))


@pytest.fixture
def counts(request: pytest.FixtureRequest, soak: bool, capsys: pytest.CaptureFixture[str]) -> Iterator[Counter[str]]:
    """Counts what happened; a soak prints it."""
    counted: Counter[str] = Counter()
    yield counted
    if soak:
        with capsys.disabled():
            said = ", ".join(f"{what}: {number:,}" for what, number in sorted(counted.items()))
            print(f"\n  {request.node.name}: {said}")  # noqa: T201 - the counts of a soak go into the documentation
