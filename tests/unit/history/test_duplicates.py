"""Duplicates: pairs with the same skeleton, or with most of their steps in common."""

from __future__ import annotations

import pytest

import memp

STEPS = ["go to desk 1", "take mug 1 from desk 1", "go to microwave 1", "heat mug 1", "put mug 1 down"]


def run(task: str, *actions: str) -> memp.Trajectory:
    steps = [memp.Step(action=action, observation="ok") for action in actions]
    return memp.Trajectory(task=task, steps=steps, reward=1.0)


def names(memory: memp.Memory, **options: float) -> list[tuple[str, str, bool, float]]:
    return [(d.first.name, d.second.name, d.same_skeleton, d.similarity) for d in memory.duplicates(**options)]


def test_most_steps_in_common_is_a_pair() -> None:
    """Four of five steps the same is a pair for the same kind of task; numbers do not count, other tasks do."""
    with memp.open(":memory:") as memory:
        memory.learn([run("heat a mug", *STEPS), run("heat a mug", *STEPS[:4]), run("cool a lamp", *STEPS[:3])])
        [(_, _, same, share)] = names(memory)
        assert (same, share) == (False, 0.888889)
        assert names(memory, similar_from=0.9) == []


def test_the_same_but_for_numbers_has_the_same_skeleton() -> None:
    """Two runs that differ in the numbers of things do the same, even for tasks told in other words."""
    with memp.open(":memory:") as memory:
        memory.learn([run("heat a mug", *STEPS), run("warm the cup", *(step.replace("1", "2") for step in STEPS))])
        [pair] = memory.duplicates()
        assert (pair.same_skeleton, pair.similarity) == (True, 1.0)
        assert {change.field for change in pair.change.fields} >= {"name"}
        assert pair.change.content


def test_scripts_that_differ_in_names_are_a_pair_and_merge() -> None:
    """Written procedures with other names are one after a merge, which keeps the runs of both."""
    with memp.open(":memory:") as memory:
        memory.add('@procedure("warm {a}")\ndef one(a: Text):\n    do(f"warm {a}")\n', toolset=None)
        memory.add('@procedure("heat {b}")\ndef two(b: Text):\n    do(f"warm {b}")\n', toolset=None)
        [pair] = memory.duplicates()
        assert pair.same_skeleton
        memory.merge([pair.first.id, pair.second.id], reason="the same")
        assert memory.duplicates() == []


def test_what_cannot_be_merged_is_no_pair() -> None:
    """Procedures of two scopes are never a pair, though a reader sees both."""
    with memp.open(":memory:") as memory:
        memory.learn([run("heat a mug", *STEPS)])
        memory.learn([run("heat a mug", *STEPS)], scope="team")
        assert len(memory.within("team").procedures()) == 2
        assert memory.within("team").duplicates() == []


@pytest.mark.parametrize("share", [0.0, 1.5, -1.0, True])
def test_the_share_is_a_share(share: float) -> None:
    """What is over 1, or not over 0, is refused."""
    with memp.open(":memory:") as memory, pytest.raises(memp.InvalidInputError, match="similar_from"):
        memory.duplicates(similar_from=share)
