"""Whether a reflection named what the next attempt did differently, on invented attempts."""

from __future__ import annotations

from pathlib import Path

import pytest

from memp.evaluation.reflected import (
    QUESTIONS,
    Done,
    Reflected,
    difference,
    find_pairs,
    reflect_as_written,
    reflect_by_rule,
)
from memp.model import Step, Trajectory
from memp.reading import read_trajectories
from memp.script.loader import load_toolset
from memp.script.toolset import Toolset

questions = Toolset.from_text(QUESTIONS)
household = load_toolset("household")


def tried(*actions: str, task: str = "Who built it?", success: bool, trial: int = 1, written: str = "") -> Trajectory:
    return Trajectory(
        task=task,
        steps=tuple(Step(action=action, observation="It says something.") for action in actions),
        success=success,
        task_id=task,
        extra={"trial": trial, "reflections_given": [written] if written else []},
    )


def test_a_difference_is_what_only_one_of_two_runs_did() -> None:
    """The common beginning is counted, and what was added and dropped is told as typed steps."""
    before = tried("Search[Old Bridge]", "Lookup[height]", "Finish[Anna Lund]", success=False)
    after = tried("Search[Old Bridge]", "Search[Karl Lund]", "Finish[Karl Lund]", success=True)
    found = difference(before, after, questions)
    assert (found.at, found.first) == (1, Done("search", ("karl lund",)))
    assert found.added == (Done("search", ("karl lund",)), Done("finish", ("karl lund",)))
    assert found.dropped == (Done("lookup", ("height",)), Done("finish", ("anna lund",)))


def test_things_of_one_kind_are_no_difference() -> None:
    """Another mug of the same kind is the same step, and a run that only left steps out has no first new one."""
    before = tried("take mug 1 from desk 2", "open drawer 1", success=False)
    after = tried("take mug 3 from desk 1", success=True)
    found = difference(before, after, household)
    assert (found.at, found.first, found.added) == (1, None, ())
    assert found.dropped == (Done("open", ("drawer",)),)


def test_speech_is_no_difference() -> None:
    """What was said to somebody is left out."""
    airline = load_toolset("airline")
    before, after = (tried(f"respond: {words}", success=won) for words, won in (("Hello", False), ("Good day", True)))
    assert difference(before, after, airline).added == ()


def test_a_pair_is_the_last_failure_before_the_success() -> None:
    """Attempts are put in the order of their trials; a task never failed or never solved gives no pair."""
    runs = [
        tried("Finish[c]", success=True, trial=3, written="second"),
        tried("Finish[a]", success=False, trial=1),
        tried("Finish[b]", success=False, trial=2),
        tried("Finish[x]", task="Other?", success=True),
    ]
    [pair] = find_pairs(runs, questions)
    assert (pair.failed.actions, pair.succeeded.actions, pair.written) == (("Finish[b]",), ("Finish[c]",), "second")


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("I should have looked at Karl Lund instead.", "argument"),
        ("A search for his brother would have helped.", "action"),
        ("I was careless.", "other"),
        ("Who built it? I do not know.", "other"),
    ],
)
def test_a_text_names_what_was_new(written: str, named: str) -> None:
    """An argument of a new step counts most, the name of its action less, and the words of the question not at all."""
    runs = [
        tried("Search[Old Bridge]", "Finish[nobody]", success=False, trial=1),
        tried("Search[Old Bridge]", "Search[Karl Lund]", "Finish[Karl Lund]", success=True, trial=2, written=written),
    ]
    assert reflect_as_written(find_pairs(runs, questions)).named == (named,)


def household_runs() -> list[Trajectory]:
    """Return two rooms in which heating worked, and one in which it failed and then went by another oven."""

    def run(oven: str, thing: str, *, success: bool, trial: int = 1, task: str = "") -> Trajectory:
        steps = (
            Step(action="go to shelf 1", observation=f"On the shelf 1, you see a {thing} 1."),
            Step(action=f"take {thing} 1 from shelf 1", observation=f"You pick up the {thing} 1 from the shelf 1."),
            Step(action=f"go to {oven}", observation=f"You arrive at {oven}."),
            Step(
                action=f"heat {thing} 1 with {oven}",
                observation=f"You heat the {thing} 1 using the {oven}." if success else "Nothing happens.",
            ),
            *((Step(action=f"move {thing} 1 to shelf 1", observation=f"You move the {thing} 1."),) if success else ()),
        )
        words = task or f"put a hot {thing} in shelf"
        return Trajectory(task=words, steps=steps, success=success, task_id=words, extra={"trial": trial})

    return [
        run("microwave 1", "mug", success=True),
        run("microwave 1", "cup", success=True),
        run("microwave 1", "egg", success=False),
        run("stoveburner 1", "egg", success=True, trial=2),
    ]


def test_the_rule_names_the_other_oven_once_it_is_on_record() -> None:
    """Knowing only other tasks the rule cannot name it; with the later success on record its candidate does."""
    runs = household_runs()
    pairs = find_pairs(runs, household)
    before = reflect_by_rule(runs, pairs, household)
    after = reflect_by_rule(runs, pairs, household, knows="after")
    assert "argument" not in before.named
    assert after.named == ("argument",)


def test_a_rule_that_says_nothing_is_counted_with_its_reason() -> None:
    """Where nothing was changed, the remark says why."""
    runs = [
        tried("Search[a place]", "Finish[x y]", success=False, trial=1, task="One?"),
        tried("Search[a town]", "Finish[z z]", success=True, trial=2, task="One?"),
    ]
    found = reflect_by_rule(runs, find_pairs(runs, questions), questions)
    assert found.named == ("silent",)
    assert sum(count for _, count in found.remarks) == 1


def test_figures_are_told_with_interval_and_chance() -> None:
    """The line names count, interval and what the control reached."""
    found = Reflected(reflector="rule", knows="before", named=("argument", "silent"), control=("action", "silent"))
    assert found.share("argument") == (1, 2)
    assert "named the argument 1/2 [0.09, 0.91], by chance 0" in found.told()
    assert "named the action 1/2 [0.09, 0.91], by chance 1" in found.told()


@pytest.mark.parametrize(
    ("name", "toolset", "pairs"),
    [("hotpotqa_runs/reflexion_trials", "questions", 13), ("taubench_airline/gpt4o_trials", "airline", 10)],
)
def test_real_logs_hold_failures_and_their_later_success(
    shared_data: Path, name: str, toolset: str, pairs: int
) -> None:
    """Each pair of a real log has a difference to be named."""
    path = shared_data / f"{name}.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"there are no runs at {path}")
    spoken = questions if toolset == "questions" else load_toolset(toolset)
    found = find_pairs(read_trajectories(path), spoken)
    assert len(found) == pairs
    assert all(pair.difference.added or pair.difference.dropped for pair in found)
