"""Facts by rule, and ranking by their average likeness."""

from __future__ import annotations

import pytest

import memp
from memp.retrieval.facts import FACT_WORDS_MAX, FACTS_MAX, facts_in


@pytest.mark.parametrize(
    ("task", "facts"),
    [
        ("put a hot mug in the cabinet", ("put", "hot mug", "cabinet")),
        ("Examine the book; under the desk-lamp, please.", ("examine", "book", "under", "desk-lamp")),
        ("mug and mug", ("mug",)),
        ("to the", ("to the",)),
        ("?!", ("?!",)),
    ],
)
def test_facts_stand_between_words_of_grammar(task: str, facts: tuple[str, ...]) -> None:
    """Words of grammar and signs separate facts; each stands once; a text without any is one itself."""
    assert facts_in(task) == facts


def test_facts_are_bounded() -> None:
    """A page of text does not become hundreds of vectors, nor one endless fact."""
    assert len(facts_in(" and ".join(f"word{number}" for number in range(100)))) == FACTS_MAX
    assert max(len(fact.split()) for fact in facts_in("word " * 50)) <= FACT_WORDS_MAX


def run(task: str) -> memp.Trajectory:
    return memp.Trajectory(task=task, steps=[memp.Step(action="look around")], reward=1.0)


def test_the_score_is_the_average_over_the_facts_of_the_task() -> None:
    """One of three facts found exactly and two not at all is a third; all of them, in whatever order, is one."""
    with memp.open(":memory:") as memory:
        memory.learn([run("in the cabinet a hot mug"), run("zzz"), run("the cabinet")])
        found = memory.retrieve("hot mug, cabinet", key="facts")
        assert (found[0].procedure.task, found[0].score) == ("in the cabinet a hot mug", 1.0)
        assert found[1].procedure.task == "the cabinet"
        assert found[1].score == pytest.approx(0.5, abs=0.15)
        assert found[2].score < 0.2
        assert [match.parts for match in found] == [{"facts": match.score} for match in found]
        assert [m.score for m in memory.retrieve("hot mug, cabinet", k=1, key="facts")] == [1.0]
