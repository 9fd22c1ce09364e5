"""Evidence as a part of the score: what helped comes before what is a little more alike."""

from __future__ import annotations

import pytest

import memp
from memp.retrieval.ranking import Ranked
from memp.retrieval.weighing import weigh


def ranked(*scores: float) -> list[Ranked]:
    return [Ranked(row=row, score=score, parts={"query": score}) for row, score in enumerate(scores)]


def run(task: str, action: str) -> memp.Trajectory:
    return memp.Trajectory(task=task, steps=[memp.Step(action=action, observation="Done.")], reward=1.0)


def test_the_score_is_likeness_and_evidence_by_their_weight() -> None:
    """Each counts its share, and every part that makes the score is there."""
    first, second, third = weigh(ranked(0.9, 0.8, 0.1), [0.0, 0.6, 0.0], weight=0.25)
    assert [one.row for one in (first, second, third)] == [1, 0, 2]
    assert first.parts == {"query": 0.8, "key_score": 0.8, "likeness": 0.875, "evidence": 0.6}
    assert (first.score, second.score, third.score) == (0.80625, 0.75, 0.0)


def test_without_evidence_the_order_of_the_key_stays() -> None:
    """Where nothing was ever served, weighing changes no order, and ties stay as content decided."""
    assert [one.row for one in weigh(ranked(0.9, 0.9, 0.5), [0.0] * 3, weight=1.0)] == [0, 1, 2]
    assert weigh([], [], weight=0.5) == []


@pytest.mark.parametrize("key", ["hybrid", "pattern", "query", "facts", "bm25"])
def test_what_helped_comes_first_where_evidence_counts(key: str) -> None:
    """Of two procedures for one task the one that helped wins, by an amount that parts explain."""
    with memp.open(":memory:") as memory:
        memory.learn([run("put a hot mug on a shelf", "heat mug 1"), run("put a hot mug on the shelf", "cook mug 1")])
        plain = memory.retrieve("put a hot mug on a shelf", key=key)
        last = plain[-1].procedure
        for _ in range(6):
            memory.validate(last.id, success=True)
        assert [one.procedure.id for one in memory.retrieve("put a hot mug on a shelf", key=key)] == [
            one.procedure.id for one in plain
        ]
        found = memory.retrieve("put a hot mug on a shelf", key=key, evidence_weight=0.9)
        assert found[0].procedure.id == last.id
        assert found[0].parts["evidence"] == pytest.approx(memory.evidence(last.id).low, abs=1e-6)
        for one in found:
            parts = one.parts
            assert one.score == pytest.approx(0.1 * parts["likeness"] + 0.9 * parts["evidence"], abs=2e-6)
        both = memory.retrieve("put a hot mug on a shelf", key=key, evidence_weight=0.9, diversity=0.2)
        assert both[0].procedure.id == last.id
        assert {"evidence", "redundancy"} <= set(both[0].parts)


def test_an_old_version_weighs_what_it_knew() -> None:
    """Evidence that came later counts for nothing in a view of the past."""
    with memp.open(":memory:") as memory:
        memory.learn([run("put a mug on a shelf", "move mug 1"), run("wash a pan", "wash pan 1")])
        before = memory.position
        name = memory.retrieve("put a mug on a shelf")[1].procedure.id
        for _ in range(5):
            memory.validate(name, success=True)
        then = memory.at(before).retrieve("put a mug on a shelf", evidence_weight=1.0)
        assert [one.parts["evidence"] for one in then] == [0.0, 0.0]
        assert memory.retrieve("put a mug on a shelf", evidence_weight=1.0)[0].procedure.id == name


def test_an_episode_serves_by_evidence_and_filter() -> None:
    """An episode finds its procedures as a search with the same options does."""
    with memp.open(":memory:") as memory:
        memory.learn([run("put a hot mug on a shelf", "heat mug 1"), run("put a hot mug on the shelf", "cook mug 1")])
        last = memory.retrieve("put a hot mug on a shelf")[1].procedure
        for _ in range(6):
            memory.validate(last.id, success=True)
        with memory.episode("put a hot mug on a shelf", k=1, evidence_weight=0.9) as episode:
            assert episode.matches[0].procedure.id == last.id
        with memory.episode("put a hot mug on a shelf", where=memp.Filter(episodes_min=1)) as episode:
            assert [one.procedure.id for one in episode.matches] == [last.id]


@pytest.mark.parametrize("weight", [-0.1, 1.1, True, "much"])
def test_a_weight_is_a_share(weight: object) -> None:
    """Anything but a number from 0 to 1 is refused in one sentence."""
    with memp.open(":memory:") as memory, pytest.raises(memp.InvalidInputError, match="'evidence_weight'"):
        memory.retrieve("put a mug", evidence_weight=weight)  # type: ignore[arg-type]
