"""Fixtures that every suite may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# The machine may be busy, so no example is too slow. The ordinary run asks the same each time, so that a red one is
# about the change at hand; to search for what nobody has met yet is what `make soak` is for, in the time that it needs.
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, derandomize=False, max_examples=5_000)
settings.load_profile("default")

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the top of the checkout that the tests stand in."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real runs beside the checkout; without it the test is skipped."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"there are no real runs at {folder}")
    return folder
