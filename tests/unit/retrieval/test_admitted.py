"""What filters let through, kept from one question to the next."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import memp


def run(task: str, env: str = "kitchen") -> memp.Trajectory:
    return memp.Trajectory(task=task, steps=[memp.Step(action=f"{task} now")], reward=1.0, env=env)


FILTERS = (
    memp.Filter(environment="kitchen"),
    memp.Filter(episodes_min=1),
    memp.Filter(helped_min=0.6),
    memp.Filter(support_min=1, actor="me"),
)


def _helped(memory: memp.Memory) -> None:
    memory.validate("boil-egg", success=True)


def _failed(memory: memp.Memory) -> None:
    memory.validate("boil-egg", success=False)


def _added(memory: memp.Memory) -> None:
    memory.learn([run("bake bread"), run("plant seed", "garden")])


def _erased(memory: memp.Memory) -> None:
    memory.erase("fry-egg", reason="no")


def _undone(memory: memp.Memory) -> None:
    memory.undo([memory.erase("boil-egg", reason="no").event_id], reason="yes after all")


CHANGES: tuple[Callable[[memp.Memory], None], ...] = (_helped, _failed, _added, _erased, _undone)


def _names(view: memp.View, where: memp.Filter) -> set[str]:
    return {match.procedure.name for match in view.retrieve("boil egg", k=50, where=where)}


@pytest.mark.parametrize("where", FILTERS)
def test_after_every_change_a_filter_lets_through_what_it_admits_then(where: memp.Filter) -> None:
    """What was kept of the question before never shows: all that the filter admits is found, and nothing else."""
    with memp.open(":memory:", actor="me") as memory:
        memory.learn([run("boil egg"), run("fry egg"), run("water plant", "garden")])
        versions: list[tuple[memp.View, set[str]]] = []
        for change in (*CHANGES, _added, _failed, _failed, _helped):
            change(memory)
            names = {one.name for one in memory.procedures() if where.admits(one, memory._state)}
            assert _names(memory, where) == names
            versions.append((memory.at(memory.position), names))
        for view, names in versions:
            assert _names(view, where) == names


def test_a_branch_and_what_it_came_from_are_filtered_apart() -> None:
    """Evidence on a branch lets a procedure through there and nowhere else."""
    with memp.open(":memory:", actor="me") as memory:
        memory.learn([run("boil egg"), run("fry egg")])
        where = memp.Filter(episodes_min=1)
        assert _names(memory, where) == set()
        other = memory.fork("trial")
        other.validate("boil-egg", success=True)
        assert _names(other, where) == {"boil-egg"}
        assert _names(memory, where) == set()


def test_while_nothing_changes_the_answer_is_the_same_mask() -> None:
    """The very same masks come back, so that what was worked out for them is used again, until somebody else passes."""
    with memp.open(":memory:", actor="me") as memory:
        memory.learn([run("boil egg"), run("fry egg")])
        lives, catalogue, state = memory._lives, memory._store.catalogue, memory._state

        def asked() -> object:
            masks = lives.masks(state.position, size=len(catalogue))
            return lives.admitted.of(memp.Filter(episodes_min=2), masks, state, lives, catalogue.procedures)

        first = asked()
        assert asked() is first
        memory.validate("boil-egg", success=True)
        assert asked() is first
        memory.validate("boil-egg", success=True)
        assert asked() is not first
