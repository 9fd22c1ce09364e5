"""Filters: who may be found at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import memp
from memp.retrieval.filters import read_filter


def run(task: str, env: str | None = None) -> memp.Trajectory:
    return memp.Trajectory(task=task, steps=[memp.Step(action=f"{task} now")], reward=1.0, env=env)


@pytest.fixture
def memory() -> Iterator[memp.Memory]:
    """A memory with procedures of several kinds."""
    with memp.open(":memory:", actor="cook") as memory:
        memory.learn([run("boil egg", "kitchen"), run("fry egg", "kitchen")], tags=["kitchen", "egg"])
        memory.learn([run("plant seed", "garden")], tags=["garden"])
        memory.learn([run("pack bag")], scope="team")
        memory.add('@procedure("wash egg")\ndef wash_egg():\n    do("wash the egg")\n', name="wash egg", tags=["egg"])
        memory.learn([run("ask for tea")], build="induce")
        for _ in range(3):
            memory.validate("boil-egg", success=True)
            memory.validate("fry-egg", success=False)
        yield memory.within("team")


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        (["tag=egg"], {"boil-egg", "fry-egg", "wash-egg"}),
        (["tag=egg", "tag=kitchen"], {"boil-egg", "fry-egg"}),
        (["environment=garden"], {"plant-seed"}),
        (["scope=team"], {"pack-bag"}),
        (["builder=hand"], {"wash-egg"}),
        (["actor=nobody"], set()),
        (["episodes=3"], {"boil-egg", "fry-egg"}),
        (["episodes=1", "helped=0.5"], {"boil-egg"}),
        (["support=1", "tag=egg"], {"boil-egg", "fry-egg"}),
        (["toolset=nothing"], set()),
    ],
)
@pytest.mark.parametrize("key", ["hybrid", "pattern", "query", "facts", "random"])
def test_only_what_is_asked_for_is_found(memory: memp.Memory, key: str, conditions: list[str], names: set[str]) -> None:
    """All that meets every condition is found, whatever the key, and nothing else."""
    found = memory.retrieve("boil egg", k=20, key=key, where=read_filter(conditions))
    assert {match.procedure.name for match in found} == names


def test_a_filter_changes_who_is_found_and_not_their_scores(memory: memp.Memory) -> None:
    """Word statistics are those of the whole version, so the scores of what is left are the same."""
    scores = {m.procedure.id: m.parts["bm25"] for m in memory.retrieve("fry egg", k=20, key="hybrid")}
    for match in memory.retrieve("fry egg", k=20, key="hybrid", where=memp.Filter(tags="egg")):
        assert match.parts["bm25"] == scores[match.procedure.id]


def test_the_environment_of_a_script_is_that_of_its_runs() -> None:
    """A script keeps no run, but the runs that it was built from are on record."""
    with memp.open(":memory:") as memory:
        memory.learn([run("boil egg", "kitchen")], build="induce")
        assert memory.procedures()[0].run is None
        assert len(memory.retrieve("boil egg", where=memp.Filter(environment="kitchen"))) == 1
        assert len(memory.retrieve("boil egg", where=memp.Filter(environment="garden"))) == 0


@pytest.mark.parametrize("condition", ["tag", "tagg=x", "tag=", "=x", "support=many", "helped=often", "support=-1"])
def test_a_bad_condition_says_what_is_possible(condition: str) -> None:
    """What is no condition is refused, with the name or value that was meant to be."""
    with pytest.raises(memp.InvalidInputError):
        read_filter([condition])


def test_a_condition_is_said_once() -> None:
    """Two values for the same thing cannot both hold, so the second is refused; tags add up."""
    with pytest.raises(memp.InvalidInputError, match="once"):
        read_filter(["builder=hand", "builder=induce"])
    assert read_filter(["tag=b", "tag=a"]) == memp.Filter(tags=("a", "b"))
    assert read_filter([]) is None


@pytest.mark.parametrize("bad", [{"support_min": -1}, {"helped_min": 2}, {"episodes_min": True}, {"scope": "/x"}])
def test_a_filter_checks_itself(bad: dict[str, Any]) -> None:
    """Counts are counts, shares are shares, scopes are paths."""
    with pytest.raises(memp.InvalidInputError):
        memp.Filter(**bad)
