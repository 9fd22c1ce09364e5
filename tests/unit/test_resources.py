"""The data folders that ship with memp."""

from __future__ import annotations

import pytest

from memp import NotFoundError, _resources


def test_folders_are_read_by_name() -> None:
    """Files and folders are listed sorted, without Python's own, and files are read as text."""
    assert "household" in _resources.list_names("procedures")
    assert not [name for name in _resources.list_names("procedures") if name.startswith("__")]
    names = _resources.list_names("procedures", "household")
    assert list(names) == sorted(names)
    assert "@action" in _resources.read_text("procedures", "household/toolset.py")
    assert _resources.folder("procedures").is_dir()


@pytest.mark.parametrize(
    "path", ["nothing.py", "household", "household/../household/toolset.py", "..", "a/b/c", "household\\x"]
)
def test_nothing_outside_is_read(path: str) -> None:
    """What is no file of the folder is not found; paths do not lead out of it."""
    with pytest.raises(NotFoundError):
        _resources.read_text("procedures", path)


def test_unknown_folders_are_named() -> None:
    """A wrong folder name says which ones there are."""
    with pytest.raises(NotFoundError, match="procedures, templates, migrations"):
        _resources.folder("secrets")
    with pytest.raises(NotFoundError):
        _resources.list_names("procedures", "nowhere")
