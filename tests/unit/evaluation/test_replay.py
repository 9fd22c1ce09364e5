"""Replay suites: does what is served name what a held-out run needed?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import memp
from memp.errors import InvalidInputError, MempError
from memp.evaluation.replay import Deed, deeds_of_run, deeds_of_script, in_common, replay_suite
from memp.script.loader import load_shipped_toolset

from .measuring import lived  # noqa: TID252

HOUSEHOLD = load_shipped_toolset("household")
HEAT = """from household import *


@procedure("put a hot {thing} in {target}")
def heat_then_place(thing: Object, target: Receptacle):
    source = find(thing, likely=["countertop"])
    take(thing, source)
    go_to("microwave 1")
    heat(thing, "microwave 1")
    go_to(target)
    if closed(target):
        open(target)
    move(thing, target)
    ensure(inside(thing, target), "it is there")
"""


def ran(task: str, *actions: str, type_: str | None = None, success: bool = True) -> memp.Trajectory:
    """Return a run that did these things, each with some effect."""
    steps = tuple(memp.Step(action=action, observation="You do it.") for action in actions)
    return memp.Trajectory(task=task, steps=steps, success=success, task_type=type_)


HEATED = ran(
    "put a hot mug in cabinet",
    "go to countertop 1",
    "take mug 1 from countertop 1",
    "go to microwave 1",
    "heat mug 1 with microwave 1",
    "go to cabinet 2",
    "move mug 1 to cabinet 2",
    type_="heat",
)


# -- to one form -----------------------------------------------------------------------------------------------------


def test_a_script_and_a_run_come_to_the_same_deeds() -> None:
    """What the task names is a type, what is only found is anything, and an appliance is its kind."""
    said, needed = deeds_of_script(HEAT, HOUSEHOLD), deeds_of_run(HEATED, HOUSEHOLD)
    assert Deed("heat", ("Object", "microwave")) in said
    assert in_common(needed, said) == len(needed)
    assert [deed.name for deed in said] == [deed.name for deed in needed]


def test_wandering_is_no_need() -> None:
    """A run that looked into three places before needs the same as one that went straight."""
    wandered = ran(HEATED.task, "go to shelf 1", "go to drawer 1", "open drawer 1", *HEATED.actions, type_="heat")
    assert deeds_of_run(wandered, HOUSEHOLD) == deeds_of_run(HEATED, HOUSEHOLD)


def test_another_appliance_is_another_deed() -> None:
    """Cooling is not heating, and a fridge is no microwave, whatever else is the same."""
    cooled = deeds_of_run(
        ran("put a cool mug in cabinet", *(action.replace("heat", "cool") for action in HEATED.actions)), HOUSEHOLD
    )
    assert in_common(cooled, deeds_of_script(HEAT, HOUSEHOLD)) == len(cooled) - 1


def test_calls_loops_and_branches_are_followed() -> None:
    """What it calls, and both ways of a branch, are named in the order of the text; how often one waits is not."""
    script = """
@procedure("tidy {thing}")
def tidy(thing: Text):
    for _ in times(2):
        do("lift it")
    if open_now(thing):
        do("shut it")
    else:
        wipe(thing)
    polish(thing)


@procedure("polish {thing}")
def polish(thing: Text):
    do("rub it")
"""
    names = [deed.name for deed in deeds_of_script(script, None)]
    assert names == ["lift it", "shut it", "wipe", "rub it"]


def test_without_a_toolset_words_are_compared_with_names_open() -> None:
    """Verbs and words of grammar count; what is handled does not, and what is said does not either."""
    one = deeds_of_run(ran("who is older", "Search[Ann Lee]", "Search[Bo Ray]", "Finish[Ann Lee]"), None)
    other = deeds_of_run(ran("which is larger", "Search[Lake Tay]", "Search[Loch Ness]", "Finish[Loch Ness]"), None)
    assert one == other
    assert len(one) == 3


deeds = st.lists(st.builds(Deed, st.sampled_from("abc"), st.just(())), max_size=8)


@given(one=deeds, other=deeds, more=deeds)
def test_what_is_in_common_is_what_one_would_count(one: list[Deed], other: list[Deed], more: list[Deed]) -> None:
    """Never more than either has, the same both ways, all of a sequence with itself, and more said loses nothing."""
    common = in_common(one, other)
    assert common <= min(len(one), len(other))
    assert common == in_common(other, one)
    assert in_common(one, one) == len(one)
    assert in_common(one, [*more, *other]) >= common
    assert in_common([*one, *more], [*other, *more]) >= common + len(more)


# -- suites ----------------------------------------------------------------------------------------------------------


def test_only_what_was_won_and_did_something_is_held_out() -> None:
    """Lost runs, empty ones and doubles are left out; a choice is the same in any order; nothing left is refused."""
    runs = [ran(f"task {number}", "look") for number in range(10)]
    suite = replay_suite([*runs, runs[0], ran("lost", "look", success=False), ran("empty")], name="mine")
    assert (suite.name, len(suite.tasks)) == ("mine", 10)
    assert {run.digest for run in replay_suite(runs, n=4).runs} == {
        run.digest for run in replay_suite(runs[::-1], n=4).runs
    }
    assert replay_suite(runs, n=4, seed=1).digest != replay_suite(runs, n=4).digest
    for wrong in ([], [ran("lost", "look", success=False)]):
        with pytest.raises(InvalidInputError, match="runs that were won"):
            replay_suite(wrong)
    with pytest.raises(InvalidInputError, match="'n' must be"):
        replay_suite(runs, n=0)


@pytest.fixture
def memory() -> Iterator[memp.Memory]:
    """A memory that knows how to heat, by one run of that kind."""
    with memp.open(":memory:") as made:
        made.learn([HEATED], build="induce", toolset="household")
        yield made


def test_each_figure_says_what_it_says(memory: memp.Memory) -> None:
    """All named, in order, nothing superfluous, the right kind; and what another kind of task gets from it."""
    actions = (action.replace("mug", "egg").replace("cabinet", "fridge") for action in HEATED.actions)
    egg = ran("put a hot egg in fridge", *actions)
    [heat] = memp.evaluate(memory, replay_suite([egg]), arms=["main"]).of("main")
    assert (heat.won, heat.reward, heat.steps, heat.superfluous) == (True, 1.0, 0, 0.0)
    put = ran("put a mug in cabinet", *(a for a in HEATED.actions if "microwave" not in a), type_="put")
    [other] = memp.evaluate(memory, replay_suite([put]), arms=["main"]).of("main")
    assert other.won
    assert other.superfluous is not None
    assert other.superfluous > 0
    assert other.kind_first is False
    [nothing] = memp.evaluate(memory, replay_suite([put]), arms=["main"]).of("none")
    assert (nothing.won, nothing.reward, nothing.superfluous) == (False, 0.0, None)
    assert nothing.steps > 0


def test_versions_are_told_apart_by_logs_alone() -> None:
    """A memory that learned all kinds names more of what new runs needed than one that learned one kind."""
    runs = [run for run in lived(48, seed=5) if run.success]
    few, held_out = [run for run in runs[::2] if run.task_type == "pick_and_place_simple"], runs[1::2]
    with memp.open(":memory:") as memory:
        memory.learn(few, build="induce", toolset="household")
        memory.tag("few")
        memory.learn(runs[::2], build="induce", toolset="household")
        result = memp.evaluate(memory, replay_suite(held_out), arms=["few", "main"])
    named = result.compare("few", "main").differences["reward"]
    assert named.verdict == "better"
    assert "right kind first" in result.table()
    assert "replay" in json.dumps(result.summary())


def test_runs_that_were_learned_are_not_held_out(memory: memp.Memory) -> None:
    """Whoever asks a memory for what it has seen is warned."""
    with pytest.warns(UserWarning, match="1 of the 1 runs are on record"):
        memp.evaluate(memory, replay_suite([HEATED]))


def test_every_run_file_can_be_replayed(shared_data: Path) -> None:
    """Of every file of real runs: what was learned from some names more of others than chance does, or as much."""
    replayed = 0
    for path in sorted(shared_data.glob("*/*.jsonl.gz")):
        try:
            won = [run for _, run in zip(range(400), memp.read_trajectories(path), strict=False) if run.success][:30]
        except MempError:
            continue  # games and tasks, not runs
        if len(won) < 4:
            continue
        with memp.open(":memory:") as memory:
            memory.learn(won[::2], build="induce")
            held_out = [run for run in won[1::2] if run.digest not in {one.digest for one in won[::2]}]
            result = memp.evaluate(memory, replay_suite(held_out, n=8), arms=["main"])
        scores = {arm.name: result.score(arm.name).figures["reward"].value for arm in result.arms}
        assert scores["none"] == 0.0, path
        assert scores["main"] > 0.3, path
        replayed += 1
    assert replayed >= 12
