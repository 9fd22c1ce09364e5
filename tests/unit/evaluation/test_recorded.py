"""Evaluations on record, found again by what was measured."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import memp
from memp.errors import ConflictError, NotFoundError
from memp.evaluation.recorded import compared, recorded

from .measuring import lived, memory_with_versions  # noqa: TID252

SUITE = memp.suite("household", n=6)


@pytest.fixture(scope="module")
def memory() -> Iterator[memp.Memory]:
    """A memory of three versions with two evaluations on record, of the first two and of the last."""
    with memory_with_versions(lived(18)) as made:
        memp.evaluate(made, SUITE, arms=["v1", "v2"]).record(made)
        memp.evaluate(made, SUITE, arms=["v3"]).record(made)
        yield made


def test_a_version_is_found_by_any_of_its_names(memory: memp.Memory) -> None:
    """The name of the arm, another name of the version, and versions of two evaluations are all found."""
    found = recorded(memory)
    assert len(found) == 2
    assert compared(memory, found, "v1", "v2")[1:] == ("v1", "v2")
    position = str(memory.at("v1").position)
    assert compared(memory, found, position, "v2")[1:] == ("v1", "v2")
    result, first, second = compared(memory, found, "v1", "v3")
    assert (first, second) == ("v1", "v3")
    assert result.compare("v1", "v3").tasks == 6


def test_versions_that_were_measured_on_different_days_are_compared() -> None:
    """The memory has grown in between, so what is drawn by lot is another arm, and the versions are still found."""
    runs = lived(12)
    with memory_with_versions(runs[:6], versions=1) as memory:
        memp.evaluate(memory, SUITE, arms=["main"]).record(memory)
        memory.learn(runs[6:], build="both", toolset="household")
        memory.tag("v2")
        memp.evaluate(memory, SUITE, arms=["main"]).record(memory)
        result, first, second = compared(memory, recorded(memory), "v1", "v2")
        assert first is not None
        assert second is not None
        position = recorded(memory)[-1][1].arms[-1].position
        assert [arm.name for arm in result.arms] == ["none", "random", "main", f"random@{position}", f"main@{position}"]
        assert {first, second} == {"main", f"main@{position}"}
        assert result.compare(first, second).tasks == 6


def test_two_evaluations_are_laid_beside_each_other(memory: memp.Memory) -> None:
    """By event id or position; then all their arms are there."""
    found = recorded(memory)
    (one, _), (other, _) = found
    result, first, second = compared(memory, found, one.event_id, str(other.position))
    assert (first, second) == (None, None)
    assert [arm.name for arm in result.arms] == ["none", "random", "v1", "v2", "v3"]


def test_what_was_never_measured_says_how(memory: memp.Memory) -> None:
    """A version without an evaluation is told of with the command that makes one."""
    found = recorded(memory)
    with pytest.raises(NotFoundError, match="memp eval"):
        compared(memory, found, "v1", "0")
    with pytest.raises(NotFoundError, match="'nowhere'"):
        compared(memory, found, "v1", "v2", evaluation="nowhere")
    with pytest.raises(NotFoundError, match="'v3'"):
        compared(memory, found, "v1", "v3", evaluation=found[0][0].event_id)


def test_other_agents_and_suites_are_refused(memory: memp.Memory) -> None:
    """Versions that were measured on different tasks, or by different agents, are not compared."""
    fork = memory.fork("other")
    memp.evaluate(fork, SUITE, "explorer", arms=["other"]).record(fork)
    fork.validate(fork.procedures()[0].name, success=True)
    memp.evaluate(fork, memp.suite("household", n=4), arms={"late": fork}).record(fork)
    found = recorded(fork)
    with pytest.raises(ConflictError, match="tasks"):
        compared(fork, found, "v1", "late")
    with pytest.raises(ConflictError, match="agent"):
        found[0][1].joined(found[2][1])


def test_the_newest_that_can_be_compared_are(memory: memp.Memory) -> None:
    """A later evaluation on other tasks does not hide an earlier one on the same; where none can be, it is said why."""
    fork = memory.fork("again")
    memp.evaluate(fork, memp.suite("household", n=4), arms=["v1"]).record(fork)
    found = recorded(fork)
    result, first, second = compared(fork, found, "v1", "v3")
    assert (first, second) == ("v1", "v3")
    assert result.measured == found[0][1].measured
    with pytest.raises(ConflictError, match=r"tasks \('[0-9a-f]{12}…' and "):
        compared(fork, found[1:], "v1", "v3")


def test_an_evaluation_of_what_was_purged_goes_with_it() -> None:
    """Whoever removes a procedure for good removes the evaluations that name it."""
    with memory_with_versions(lived(12)) as memory:
        result = memp.evaluate(memory, SUITE, arms=["v3"])
        result.record(memory)
        served = next(one for one in result.involved if one.subject.startswith("procedure/"))
        memory.purge(procedure_ids=[served.subject.partition("/")[2]], reason="request 12", derived=True)
        assert recorded(memory) == []


def test_an_evaluation_of_a_scope_is_seen_there_alone() -> None:
    """What names a team's procedures is on record for the team."""
    with memp.open(":memory:") as memory:
        team = memory.within("team")
        team.learn(lived(6), build="both", toolset="household")
        memp.evaluate(team, SUITE).record(team)
        assert len(recorded(team)) == 1
        assert recorded(memory.within("other")) == []
