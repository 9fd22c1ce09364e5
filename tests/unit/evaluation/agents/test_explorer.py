"""The explorer: what it prefers, and what it leaves alone."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from memp.errors import InvalidInputError
from memp.evaluation.agent import NO_PROMPT, Prompt, play
from memp.evaluation.agents import Explorer
from memp.evaluation.environment import Answer, Task
from memp.evaluation.household import Household, make_tasks


def test_words_alone_solve_putting_and_looking() -> None:
    """Tasks whose words say all that is to be done are won, nearly always."""
    for type_ in ("pick_and_place_simple", "look_at_obj_in_light"):
        runs = [play(Household(), task, Explorer()) for task in make_tasks(40, seed=1, types=(type_,))]
        assert sum(bool(run.success) for run in runs) >= 36


def test_words_alone_do_not_solve_the_rest() -> None:
    """Tasks that need to know what an appliance is for, or that two belong together, are lost about as often as won."""
    types = ("pick_clean_then_place_in_recep", "pick_heat_then_place_in_recep", "pick_two_obj_and_place")
    runs = [play(Household(), task, Explorer()) for task in make_tasks(60, seed=1, types=types)]
    assert 15 <= sum(bool(run.success) for run in runs) <= 45


def test_half_of_the_episodes_leave_what_was_put_down() -> None:
    """Where two things are wanted, about half of the episodes go for a second one instead of taking back the first."""
    patient = 0
    for task in make_tasks(40, seed=6, types=("pick_two_obj_and_place",)):
        actions = play(Household(), task, Explorer()).actions
        moves = [number for number, action in enumerate(actions) if action.startswith("move ")]
        rest = actions[moves[0]].removeprefix("move ")
        thing, _, place = rest.partition(" to ")
        patient += actions[moves[0] + 1 : moves[0] + 2] != (f"take {thing} from {place}",)
    assert 10 <= patient <= 30


def test_what_there_is_little_of_is_looked_through_first() -> None:
    """While nothing is known, no place is visited of whose kind there are more than of another unseen one."""
    for task in make_tasks(20, seed=9):
        world = Household()
        world.reset(task)
        crowd = Counter(receptacle.name.split()[0] for receptacle in world.state.game.receptacles)
        actions = play(world, task, Explorer()).actions
        before = list(itertools.takewhile(lambda action: action.startswith(("go to ", "open ")), actions))
        sizes = [crowd[action.split()[-2]] for action in before if action.startswith("go to ")]
        assert sizes[:4] == sorted(sizes[:4])


def test_what_is_carried_is_not_carried_past_a_closed_place_that_the_task_names() -> None:
    """A cabinet that the task names is opened with the thing in hand, by every kind of episode."""
    for task in make_tasks(60, seed=6, types=("pick_two_obj_and_place",)):
        actions = play(Household(), task, Explorer()).actions
        assert not any(action.startswith("take ") for action in actions) or any(a.startswith("move ") for a in actions)


def test_other_things_are_left_alone() -> None:
    """Nothing is taken that the task does not name."""
    for task in make_tasks(30, seed=2):
        for action in play(Household(), task, Explorer()).actions:
            if action.startswith("take "):
                assert action.split()[1] in task.text.split()


def test_a_seed_decides_between_equals() -> None:
    """Another seed looks in another order; the same seed lives the same life."""
    task = make_tasks(1, seed=3)[0]
    lives = {play(Household(), task, Explorer(seed=seed)).actions for seed in range(5)}
    assert len(lives) > 1
    assert play(Household(), task, Explorer(seed=1)) == play(Household(), task, Explorer(seed=1))


def test_the_type_of_a_task_is_not_looked_at() -> None:
    """A task with its type hidden is lived the same way."""
    for task in make_tasks(6, seed=4):
        hidden = Task(id=task.id, text=task.text, setting=task.setting)
        assert play(Household(), hidden, Explorer()).actions == play(Household(), task, Explorer()).actions


def test_a_prompt_changes_nothing() -> None:
    """The explorer is the agent without memory, whatever it is served."""
    task = make_tasks(1, seed=5)[0]
    assert play(Household(), task, Explorer(), Prompt(text="x")) == play(Household(), task, Explorer(), NO_PROMPT)


class Silent:
    """A world that cannot say what can be done."""

    name = "silent"
    version = "1"

    def reset(self, task: Task) -> str:
        return task.text

    def step(self, action: str) -> Answer:
        return Answer(observation=action)

    def admissible(self) -> tuple[str, ...]:
        return ()


def test_a_world_without_admissible_commands_is_refused() -> None:
    """A scripted agent cannot write commands of its own, and says so."""
    with pytest.raises(InvalidInputError, match="chooses among admissible commands"):
        play(Silent(), Task(id="s", text="do it"), Explorer())
