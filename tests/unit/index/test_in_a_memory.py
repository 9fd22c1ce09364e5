"""Kinds of index in an open memory: the same answers, and graphs that outlive it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import memp
from memp.index import HnswIndex
from memp.index import hnsw as hnsw_module
from memp.retrieval import catalogue as catalogue_module
from memp.view import View

COUNT = 200
QUESTIONS = ("fetch thing 17 for room 3", "fetch thing 150", "carry a lamp to room 8", "nothing of the kind")


def runs() -> Iterator[memp.Trajectory]:
    for number in range(COUNT):
        step = memp.Step(action=f"take thing {number}", observation="You have it.")
        task = f"{'fetch' if number % 2 else 'carry'} thing {number} for room {number % 9}"
        yield memp.Trajectory(task=task, steps=[step], success=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a store with two hundred tasks, no graphs beside it."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path, index="exact") as memory:
        memory.learn(runs())
    return path


def answers(memory: View) -> list[list[tuple[str, float]]]:
    return [
        [(match.procedure.task, match.score) for match in memory.retrieve(question, k=5, key=key)]
        for question in QUESTIONS
        for key in ("pattern", "query")
    ]


def graphs(memory: memp.Memory) -> dict[str, int]:
    """Return how many texts of each kind have a place in a graph."""
    indexes = memory._store.present().indexes
    return {
        name: sum(len(graph.members) for graph in index.graphs)
        for name, index in indexes.items()
        if isinstance(index, HnswIndex)
    }


def beside(path: Path) -> list[str]:
    return sorted(name for name in os.listdir(path.parent) if name.endswith(".index"))


def test_every_kind_gives_the_same_answers(path: Path) -> None:
    """Exact search, graphs where they pay and graphs everywhere find the same procedures with the same scores."""
    with memp.open(path, index="exact") as memory:
        wanted = answers(memory)
        assert graphs(memory) == {}
    with memp.open(path) as memory:
        assert answers(memory) == wanted
        assert graphs(memory) == {"task": 0, "pattern": 0}
    with memp.open(path, index="hnsw") as memory:
        assert graphs(memory)["task"] == 192
        assert answers(memory) == wanted


def test_graphs_are_there_at_the_next_opening(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing keeps finished graphs beside the store, and the next opening builds none of them."""
    with memp.open(path, index="hnsw") as memory:
        wanted = answers(memory)
    assert "agent.duckdb.task.index" in beside(path)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a graph was built")

    monkeypatch.setattr(hnsw_module, "build_graph", fail)
    with memp.open(path, index="hnsw", read_only=True) as memory:
        assert graphs(memory)["task"] == 192
        assert answers(memory) == wanted


def test_deleting_or_damaging_graphs_changes_no_answer(path: Path) -> None:
    """Without the files, or with damaged ones, a memory says the same, and a damaged one is told."""
    with memp.open(path, index="hnsw") as memory:
        wanted = answers(memory)
    for name in beside(path):
        (path.parent / name).unlink()
    with memp.open(path, index="hnsw") as memory:
        assert answers(memory) == wanted
    file = path.with_name("agent.duckdb.task.index")
    good = file.read_bytes()
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.warns(RuntimeWarning, match="agent.duckdb.task.index' is damaged"):
        memory = memp.open(path, index="hnsw")
    with memory:
        assert answers(memory) == wanted
    assert file.read_bytes() == good


def test_what_is_learned_later_is_found_beside_older_graphs(path: Path) -> None:
    """Graphs of an earlier day serve a memory that has grown since."""
    memp.open(path, index="hnsw").close()
    with memp.open(path, index="exact") as memory:
        memory.learn([memp.Trajectory(task="polish the brass horn", steps=[memp.Step(action="rub")], success=True)])
    with memp.open(path, index="hnsw") as memory:
        assert memory.retrieve("polish the brass horn")[0].procedure.task == "polish the brass horn"


def test_reading_and_asking_exactly_leave_no_files(path: Path) -> None:
    """A memory that is open for reading writes nothing, and one without graphs has nothing to keep."""
    memp.open(path, index="hnsw", read_only=True).close()
    memp.open(path).close()
    with memp.open(":memory:", index="hnsw") as memory:
        memory.learn(runs())
    assert beside(path) == []


def test_what_was_erased_leaves_the_graphs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once many procedures are gone graphs are built without them, and an older version still finds them."""
    monkeypatch.setattr(catalogue_module, "CHANGES_MIN", 10)
    with memp.open(path, index="hnsw") as memory:
        then, wanted = memory.position, answers(memory)
        for procedure in memory.procedures()[:150]:
            memory.erase(procedure.id, reason="a test")
        index = memory._store.present().indexes["task"]
        assert isinstance(index, HnswIndex)
        assert index.settle(timeout_seconds=60)
        assert graphs(memory)["task"] < 120
        assert answers(memory) != wanted
        assert answers(memory.at(then)) == wanted


def test_another_kind_makes_no_store(tmp_path: Path) -> None:
    """A kind of index that does not exist is refused before anything is written."""
    with pytest.raises(memp.InvalidInputError, match="'index' must be one of auto, exact, hnsw"):
        memp.open(tmp_path / "agent.duckdb", index="faiss")  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []


def test_graphs_that_cannot_be_kept_are_told(path: Path) -> None:
    """A disk that does not take the graphs gives a warning; the store is closed as ever."""
    path.with_name("agent.duckdb.task.index.writing").mkdir()
    memory = memp.open(path, index="hnsw")
    with pytest.warns(RuntimeWarning, match="could not be written.*built again"):
        memory.close()
    memp.open(path).close()


def test_a_memory_says_how_well_its_texts_are_found(path: Path) -> None:
    """Exact search has no graphs and finds all; graphs are measured; what was erased is not live."""
    with memp.open(path, index="exact") as memory:
        memory.erase(memory.procedures()[0].id, reason="not needed")
        exact = {one.kind: one for one in memory.search_quality()}
        assert {(one.in_graphs, one.recall, one.trouble) for one in exact.values()} == {(0, 1.0, None)}
        assert exact["task"].live == exact["task"].texts - 1 == COUNT - 1
    with memp.open(path, index="hnsw") as memory:
        task = {one.kind: one for one in memory.search_quality()}["task"]
        assert 0 < task.in_graphs <= task.texts == COUNT
        assert 0.9 < task.recall <= 1.0
