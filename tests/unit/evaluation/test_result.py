"""Results: what arms come to, what pairs differ by, verdicts that the data has, and refusals."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

import memp
from memp.errors import ConflictError, InvalidInputError
from memp.evaluation.result import Result
from memp.events import EvaluationRecorded
from memp.events.measuring import Involved

from .measuring import MEASURED, result_of  # noqa: TID252

BETTER = {"none": [0] * 20, "random": [0] * 20, "v1": [1] * 10 + [0] * 10, "v2": [1] * 20}


def test_scores_are_shares_of_tasks_and_means_of_steps() -> None:
    """Success is the share of tasks, a lost task counts the limit, and each has an interval around it."""
    score = result_of(BETTER).score("v1")
    assert (score.success, score.steps, score.n, score.tokens) == (0.5, 30.0, 20, None)
    interval = score.figures["success"].interval
    assert interval.low < 0.5 < interval.high


def test_a_task_with_several_seeds_counts_once() -> None:
    """The same shares from three seeds as from one give the same figures, intervals, and p values."""
    one, three = result_of(BETTER), result_of({arm: [3 * won for won in wins] for arm, wins in BETTER.items()}, seeds=3)
    assert three.score("v1").attempts == 60
    assert three.score("v1").figures == one.score("v1").figures
    assert three.compare("v1", "v2").success == one.compare("v1", "v2").success


def test_the_second_arm_is_judged_against_the_first() -> None:
    """As in a diff: better if more tasks were solved; the other way round it is worse, by the same p value."""
    result = result_of(BETTER)
    forward, back = result.compare("v1", "v2"), result.compare("v2", "v1")
    assert (forward.verdict, back.verdict) == ("better", "worse")
    assert forward.success.p == back.success.p
    assert forward.success.difference == -back.success.difference == 0.5
    assert [task.task_id for task in forward.better] == [f"t{number}" for number in range(10, 20)]
    assert forward.worse == ()
    assert [task.task_id for task in back.worse] == [task.task_id for task in forward.better]
    assert str(forward).startswith("v2 solves more tasks than v1: +50 points")


def test_p_values_are_adjusted_for_all_pairs() -> None:
    """What two arms alone would show is not shown where many pairs were looked at."""
    wins = {"v1": [0] * 6 + [1] * 14, "v2": [1] * 20}
    alone = result_of(wins).compare("v1", "v2")
    assert (alone.verdict, alone.compared) == ("better", 1)
    many = result_of(wins | {f"w{number}": [1] * 20 for number in range(3)}).compare("v1", "v2")
    assert many.compared == 10
    assert many.success.p == alone.success.p
    assert many.success.p_adjusted > 0.05
    assert many.verdict == "no difference shown"


def test_no_verdict_where_the_data_has_none() -> None:
    """Two tasks more of six are no proof, and the sentence says what six tasks could show."""
    compared = result_of({"v1": [0, 0, 1, 1, 1, 1], "v2": [1, 1, 1, 1, 1, 1]}).compare("v1", "v2")
    assert compared.verdict == "no difference shown"
    assert "No difference shown between v2 and v1" in str(compared)
    assert "6 tasks can show a difference of" in str(compared)
    equal = result_of({"v1": [1] * 4, "v2": [1] * 4}).compare("v1", "v2")
    assert (equal.success.difference, equal.success.p, equal.verdict) == (0.0, 1.0, "no difference shown")
    assert str(equal.power) == "4 tasks cannot show any difference."


def test_steps_have_a_verdict_of_their_own() -> None:
    """Where both solve everything, fewer steps are still shown to be fewer, and fewer is better."""
    steps = {"v1": [20 + number % 3 for number in range(20)], "v2": [10 + number % 4 for number in range(20)]}
    compared = result_of({"v1": [1] * 20, "v2": [1] * 20}, steps=steps).compare("v1", "v2")
    assert compared.verdict == "no difference shown"
    assert compared.steps.verdict == "better"
    assert compared.steps.interval.high < 0
    assert len(compared.faster) == 20
    assert "steps fewer" in str(compared)


def test_every_comparison_is_by_type_too() -> None:
    """Each type has its own comparison, adjusted for the types besides; one type alone can be asked for."""
    result = result_of({"v1": [0, 1] * 15, "v2": [1, 1] * 15}, types=("cold", "warm"))
    whole = result.compare("v1", "v2")
    assert [(one.type, one.tasks, one.verdict) for one in whole.by_type] == [
        ("cold", 15, "better"),
        ("warm", 15, "no difference shown"),
    ]
    assert result.compare("v1", "v2", type="cold") == whole.by_type[0]
    assert whole.by_type[0].compared == 2
    assert result.score("v1", "warm").success == 1.0


@pytest.mark.parametrize(
    ("a", "b", "type_", "says"),
    [("v1", "v1", None, "twice"), ("v1", "v9", None, "no arm 'v9'"), ("v1", "v2", "hot", "no tasks of type 'hot'")],
)
def test_what_cannot_be_compared_says_so(a: str, b: str, type_: str | None, says: str) -> None:
    """An arm with itself, arms and types that are not there."""
    with pytest.raises(InvalidInputError, match=says):
        result_of(BETTER).compare(a, b, type=type_)


def test_arms_must_have_done_the_same() -> None:
    """A result whose arms did other tasks, or fewer, is no result."""
    whole = result_of(BETTER)
    with pytest.raises(InvalidInputError, match="same tasks with the same seeds"):
        attrs.evolve(whole, attempts=whole.attempts[:-1])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"suite": "alfworld"}, "suite"),
        ({"suite_digest": "e"}, "tasks"),
        ({"suite_version": "2"}, "version of the suite"),
        ({"agent": "explorer"}, "agent"),
        ({"agent_version": "2"}, "version of the agent"),
        ({"max_steps": 30}, "limit of steps"),
        ({"k": 1}, "number of procedures"),
    ],
)
def test_results_of_other_suites_or_agents_are_not_joined(change: dict[str, Any], says: str) -> None:
    """What was measured otherwise cannot be compared, and the message says in what it differs."""
    one = result_of({"v1": [1, 0]})
    other = result_of({"v2": [1, 1]}, measured=attrs.evolve(MEASURED, **change))
    with pytest.raises(ConflictError, match=says):
        one.joined(other)


def test_results_of_the_same_are_joined() -> None:
    """Arms that were measured on different days stand in one result, and those of both are there once."""
    one, other = result_of({"none": [0, 0], "v1": [1, 0]}), result_of({"none": [0, 0], "v2": [1, 1]})
    joined = one.joined(other)
    assert [arm.name for arm in joined.arms] == ["none", "v1", "v2"]
    assert joined.compare("v1", "v2").tasks == 2
    grown = attrs.evolve(one, arms=(one.arms[0], attrs.evolve(one.arms[1], state_digest="other", position=9)))
    assert [arm.name for arm in one.joined(grown).arms] == ["none", "v1", "v1@9"]
    with pytest.raises(ConflictError, match="seeds"):
        one.joined(result_of({"v2": [1, 1]}, seeds=2))


def test_json_loses_nothing() -> None:
    """What is written and read again is the same result; anything else is refused."""
    result = attrs.evolve(result_of(BETTER, seeds=2), involved=(Involved(name="p", subject="procedure/1"),))
    assert Result.from_json(result.to_json()) == result
    for wrong in ("", "{}", "[1]", '{"format":"other","evaluation":null}', result.to_json().replace("-1", "-2", 1)):
        with pytest.raises(InvalidInputError, match="result"):
            Result.from_json(wrong)


def test_the_table_says_all_of_it() -> None:
    """Arms with figures and intervals, types, pairs with counts and p values, and what the sample can show."""
    said = result_of(BETTER, types=("cold", "warm")).table()
    for part in ("solved, %", "mean steps", "v2 against v1", "better", "cold", "warm", "can show a difference of"):
        assert part in said
    assert "p by McNemar" in said


def test_the_summary_has_the_agreed_keys() -> None:
    """Arms with success, steps and n; types; pairs by "a/b"; nothing in it that JSON cannot say."""
    summary = result_of(BETTER, types=("cold", "warm")).summary()
    v1 = summary["arms"]["v1"]
    assert (v1["success"], v1["steps"], v1["n"]) == (0.5, 30.0, 20)
    assert summary["by_type"]["cold"]["v2"]["n"] == 10
    assert list(summary["pairs"]) == ["none/random", "none/v1", "random/v1", "none/v2", "random/v2", "v1/v2"]
    assert summary["pairs"]["v1/v2"]["verdict"] == "better"
    assert set(summary["pairs"]["v1/v2"]["by_type"]) == {"cold", "warm"}


def test_many_arms_show_the_pairs_that_matter() -> None:
    """With more than a dozen arms, each is paired with the baselines and with the one before it."""
    wins = {"none": [0, 0], "random": [0, 0]} | {f"v{number}": [1, 0] for number in range(12)}
    pairs = result_of(wins).pairs
    assert ("none", "v11") in pairs
    assert ("v10", "v11") in pairs
    assert ("v1", "v11") not in pairs


def test_an_evaluation_is_an_event() -> None:
    """Recorded, it is found again with suite, agent and code versions; the same twice is one event."""
    result = result_of(BETTER)
    with memp.open(":memory:") as memory:
        before = memory.state_digest()
        record = result.record(memory)
        assert result.record(memory).event_id == record.event_id
        [found] = memory.events(type=EvaluationRecorded.TYPE)
        assert found.data is not None
        assert found.data["measured"]["agent"] == "follower"
        assert memory.state_digest() == before
        with pytest.raises(InvalidInputError, match="scope"):
            result.record(memory.within("team"))
