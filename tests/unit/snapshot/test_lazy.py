"""Mappings whose values are made when they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import memp
from memp.snapshot.lazy import Lazy, Pieces, Shelf, unmade


def test_a_value_is_made_once_and_when_it_is_asked_for() -> None:
    """Asking whether it is there, or for all keys, makes nothing."""
    made: list[str] = []

    def make(key: str, raw: str) -> list[str]:
        made.append(key)
        return [raw]

    lazy: Lazy[str, list[str]] = Lazy("abc", ["1", "2", "3"], make)
    assert (len(lazy), list(lazy), "b" in lazy, "d" in lazy, lazy.get("d")) == (3, ["a", "b", "c"], True, False, None)
    assert made == []
    assert lazy["b"] is lazy["b"]
    assert lazy.setdefault("b", []) == ["2"]
    assert lazy.setdefault("d", ["4"]) == ["4"]
    assert made == ["b"]
    assert lazy.pop("a") == ["1"]
    assert list(lazy.items()) == [("b", ["2"]), ("c", ["3"]), ("d", ["4"])]
    assert lazy == {"b": ["2"], "c": ["3"], "d": ["4"]}


def test_what_was_not_asked_for_goes_over_as_it_is() -> None:
    """Only what was made, and may have changed, is written anew."""
    lazy: Lazy[str, list[str]] = Lazy("ab", ["1", "2"], lambda _, raw: [raw])
    lazy["b"].append("more")
    assert list(unmade(lazy, lambda value: "+".join(value))) == ["1", "2+more"]
    assert list(unmade({"x": ["y"]}, lambda value: "+".join(value))) == ["y"]


def test_pieces_are_cut_where_they_were_joined() -> None:
    """Empty ones too."""
    assert [bytes(piece) for piece in Pieces.of([b"one", b"", b"three"]).split()] == [b"one", b"", b"three"]
    assert list(Pieces.of([]).split()) == []
    shelf = Shelf.of({"a": 1.5, "b": 2.5}, lambda value: str(value).encode())
    assert dict(shelf.open(lambda _, piece: float(bytes(piece)))) == {"a": 1.5, "b": 2.5}


def test_opening_makes_nothing_that_nobody_asks_for(tmp_path: Path) -> None:
    """Neither for reading nor for writing; a question makes what it finds."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn(
            [memp.Trajectory(task=f"fold map {n}", steps=[memp.Step(action="x")], reward=1.0) for n in range(20)]
        )
        with memory.episode("fold map 1") as episode:
            episode.finish(reward=1.0)
        memory.snapshot()

    def made(memory: memp.Memory) -> int:
        history: Any = memory._store.history
        branch = history.branches["main"]
        shelves = (history.said, history.recorded, branch.procedures, branch.entries, branch.diary.started)
        return sum(type(value) is not int for shelf in shelves for value in shelf._values.values())

    for read_only in (True, False):
        with memp.open(path, read_only=read_only) as memory:
            assert made(memory) == 0
            memory.retrieve("fold map 3", k=1).prompt()
            assert 0 < made(memory) < 40
