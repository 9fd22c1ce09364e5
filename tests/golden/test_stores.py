"""Law 10: stores that earlier versions wrote fold to what they folded to then."""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

import memp
from memp.log import verify_store

STORES = Path(__file__).parent / "stores"
NAMES = sorted(path.stem for path in STORES.glob("*.json"))


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """The program that wrote the stores, for what it says of one."""
    spec = importlib.util.spec_from_file_location("make_store", Path(__file__).parent / "make_store.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=NAMES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A store of an earlier version, unpacked."""
    for packed in STORES.glob(f"{request.param}.duckdb*.gz"):
        (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    return tmp_path / f"{request.param}.duckdb"


def test_there_are_stores_to_read() -> None:
    """A test without stores would pass for nothing."""
    assert NAMES


def test_a_store_says_what_it_always_said(store: Path, maker: ModuleType) -> None:
    """Head, state, past, events and procedures are those that were recorded when it was written."""
    wanted = json.loads((STORES / f"{store.stem}.json").read_text())
    assert verify_store(store).ok
    with memp.open(store, read_only=True) as memory:
        assert json.loads(json.dumps(maker.said(memory))) == wanted


def test_a_store_goes_on(store: Path) -> None:
    """It is written by today's version, and still holds what it held."""
    with memp.open(store) as memory:
        head = memory.head()
        memory.learn([memp.Trajectory(task="a new task", steps=[memp.Step(action="begin")], reward=1.0)])
        assert memory.verify(expect=head).ok
