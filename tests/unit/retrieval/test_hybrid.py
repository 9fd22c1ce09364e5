"""The hybrid key: patterns propose, and all three keys rank what was proposed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import memp
from memp.retrieval.fusion import POOL
from memp.retrieval.search import DEFAULT_KEY

KINDS = ("heat", "cool", "wash", "weigh", "paint", "bend")
THINGS = ("mug", "egg", "pan", "key", "pen", "cup", "box")


@pytest.fixture(scope="module")
def memory() -> Iterator[memp.Memory]:
    """A memory of six kinds of task with seven procedures each."""
    with memp.open(":memory:") as memory:
        memory.learn(
            memp.Trajectory(
                task=f"{kind} a {thing} and put it away",
                steps=[memp.Step(action=f"{kind} {thing} 1"), memp.Step(action=f"put {thing} 1")],
                reward=1.0,
            )
            for kind in KINDS
            for thing in THINGS
        )
        yield memory


def test_hybrid_is_the_default(memory: memp.Memory) -> None:
    """Who names no key asks by hybrid."""
    assert DEFAULT_KEY == "hybrid"
    named, unnamed = (memory.retrieve("cool a pan", key=key) for key in ("hybrid", None))
    assert [(m.procedure.id, m.score) for m in named] == [(m.procedure.id, m.score) for m in unnamed]


def test_the_kind_decides_first_and_the_name_next(memory: memp.Memory) -> None:
    """Seven procedures tie by pattern, and the words that the task shares with one of them put it first."""
    found = memory.retrieve("weigh a key and put it away", k=8)
    assert found[0].procedure.task == "weigh a key and put it away"
    assert [match.procedure.task.split()[0] for match in found[:7]] == ["weigh"] * 7
    assert found[0].parts["query_rank"] == found[0].parts["bm25_rank"] == 1
    assert {match.parts["pattern_rank"] for match in found[:7]} == {1}


def test_the_rest_follows_by_pattern(memory: memp.Memory) -> None:
    """Where more are asked for than patterns propose, all come, those behind with a score of 0, and none twice."""
    found = memory.retrieve("paint a box and put it away", k=100)
    assert len({match.procedure.id for match in found}) == len(found) == len(KINDS) * len(THINGS) > POOL
    fused = [match for match in found if match.score > 0.0]
    assert POOL <= len(fused) < len(found)
    assert list(found[: len(fused)]) == fused
    patterns = [match.parts["pattern"] for match in found[len(fused) :]]
    assert patterns == sorted(patterns, reverse=True)
    assert all({"pattern", "query", "bm25"} <= set(match.parts) for match in found)


def test_asking_for_more_changes_no_place(memory: memp.Memory) -> None:
    """The first *k* of an answer are the answer to *k*."""
    longest = [match.procedure.id for match in memory.retrieve("bend a pen near a cup", k=42)]
    for k in (1, 3, POOL, POOL + 1, 30):
        assert [match.procedure.id for match in memory.retrieve("bend a pen near a cup", k=k)] == longest[:k]


def test_own_scores_are_those_of_the_keys(memory: memp.Memory) -> None:
    """The parts of a fused score are what each key alone would have said."""
    for key in ("pattern", "query", "bm25"):
        alone = {m.procedure.id: m.score for m in memory.retrieve("heat an egg twice", k=42, key=key)}
        for match in memory.retrieve("heat an egg twice", k=20):
            assert match.parts[key] == alone.get(match.procedure.id, 0.0)
