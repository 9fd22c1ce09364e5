"""The loop that lets an agent act."""

from __future__ import annotations

import pytest

from memp.errors import InvalidInputError
from memp.evaluation.agent import Act, Choice, FunctionAgent, Prompt, play
from memp.evaluation.environment import Place, ScriptedEnvironment, Task
from memp.model import Step

WORLD = ScriptedEnvironment(
    {
        "start": Place(moves={"on": ("Further.", "middle"), "stay": ("Still here.", "start")}),
        "middle": Place(moves={"on": ("There.", "end")}),
        "end": Place(won=True),
    },
    start="start",
)
TASK = Task(id="t1", text="get there", type="walk")


def always(action: str) -> FunctionAgent:
    act: Act = lambda _task, _prompt, _observation, _admissible, _history: action  # noqa: E731
    return FunctionAgent(name="always", act=act)


def test_a_won_run_says_what_happened() -> None:
    """The trajectory holds task, first observation, every step, who, where, reward and the number of steps."""
    run = play(WORLD, TASK, always("on"))
    assert run.steps == (Step(action="on", observation="Further."), Step(action="on", observation="There."))
    assert (run.task, run.task_type, run.task_id, run.env, run.agent) == (
        "get there",
        "walk",
        "t1",
        "scripted",
        "always",
    )
    assert (run.success, run.reward, run.extra["steps"]) == (True, 1.0, 2)
    assert run.initial_observation.endswith("Your task is to: get there.")


def test_a_lost_run_counts_the_limit() -> None:
    """An agent that never arrives is stopped at the limit, which is what its steps count."""
    run = play(WORLD, TASK, always("stay"), max_steps=7)
    assert (len(run.steps), run.success, run.reward, run.extra["steps"]) == (7, False, 0.0, 7)


def test_an_agent_sees_task_prompt_and_history() -> None:
    """The function is given the task, the prompt, the last observation, what can be done, and the steps so far."""
    seen: list[tuple[str, str, str, tuple[str, ...], int]] = []

    def act(
        task: Task, prompt: Prompt, observation: str, admissible: tuple[str, ...], history: tuple[Step, ...]
    ) -> Choice:
        seen.append((task.text, prompt.text, observation, admissible, len(history)))
        return Choice(action="on", thought="ahead", extra={"tokens": 3})

    run = play(WORLD, TASK, FunctionAgent(name="watcher", act=act), Prompt(text="walk"))
    assert seen[1] == ("get there", "walk", "Further.", ("on",), 1)
    assert run.steps[0].thought == "ahead"
    assert run.steps[0].extra == {"tokens": 3}


def test_the_limit_must_be_positive() -> None:
    """A limit below one is refused."""
    with pytest.raises(InvalidInputError, match="'max_steps' must be 1 or more"):
        play(WORLD, TASK, always("on"), max_steps=0)
