"""ReAct conversations, turn by turn or as one transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from memp.errors import TrajectoryFormatError
from memp.reading.react import split_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from memp.model import Trajectory

TURNS = [
    ("user", "You are in a shed. There is a bench 1.\nYour task is to: find the hammer."),
    ("assistant", "Thought: The bench first.\nAction: go to bench 1"),
    ("user", "Observation: You see a hammer."),
    ("assistant", "Thought: There it is.\nAction: take hammer"),
    ("user", "You hold the hammer."),
]
EXPECTED = [
    ("The bench first.", "go to bench 1", "You see a hammer."),
    ("There it is.", "take hammer", "You hold the hammer."),
]


def told(run: Trajectory) -> list[tuple[str | None, str, str]]:
    """Return thought, action and observation of every step."""
    return [(step.thought, step.action, step.observation) for step in run.steps]


def test_role_and_content_are_read(read_one: Callable[..., Trajectory]) -> None:
    """Turns of role and content become steps; the last observation may come without its label."""
    run = read_one({"messages": [{"role": role, "content": text} for role, text in TURNS], "reward": 1.0})
    assert told(run) == EXPECTED
    assert run.task == "find the hammer"
    assert run.initial_observation.startswith("You are in a shed.")
    assert run.success is True


def test_from_and_value_are_read_the_same(read_one: Callable[..., Trajectory]) -> None:
    """The other spelling of a conversation gives the same steps, with an opening that is no step."""
    names = {"user": "human", "assistant": "gpt"}
    opening = [{"from": "human", "value": "Answer in steps."}, {"from": "gpt", "value": "OK, I will.", "loss": False}]
    run = read_one(
        {"conversations": opening + [{"from": names[role], "value": text} for role, text in TURNS], "id": "7"}
    )
    assert told(run) == EXPECTED
    assert run.task == "find the hammer"
    assert run.initial_observation.startswith("Answer in steps.\n\nYou are in a shed.")
    assert run.extra == {"id": "7"}


def test_without_a_task_sentence_the_last_request_is_the_task(read_one: Callable[..., Trajectory]) -> None:
    """Instructions come first and the task after them."""
    run = read_one(
        {
            "conversations": [
                {"from": "human", "value": "Answer in steps."},
                {"from": "gpt", "value": "OK."},
                {"from": "human", "value": "Find the saw."},
                {"from": "gpt", "value": "Action: look"},
                {"from": "observation", "value": "Nothing here."},
            ]
        }
    )
    assert run.task == "Find the saw."
    assert told(run) == [(None, "look", "Nothing here.")]


def test_a_transcript_in_one_message_is_read(read_one: Callable[..., Trajectory]) -> None:
    """Numbered labels in a single message are as good as turns."""
    text = (
        "Thought 1: I look it up.\nAction 1: Search[moss]\nObservation 1: Moss is a plant.\nIt is green.\n"
        "Thought 2: That is the answer.\nAction 2: Finish[green]\nObservation 2: Answer is CORRECT"
    )
    row = {
        "messages": [
            {"role": "user", "content": "Question: What colour is moss?"},
            {"role": "assistant", "content": text},
        ]
    }
    run = read_one(row)
    assert run.task == "What colour is moss?"
    assert told(run) == [
        ("I look it up.", "Search[moss]", "Moss is a plant.\nIt is green."),
        ("That is the answer.", "Finish[green]", "Answer is CORRECT"),
    ]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("Thought: a Action: b", [("a", "b", "")]),
        ("THOUGHT: a\n\nACTION: b", [("a", "b", "")]),
        ("**Thought:** a\n**Action**: b", [("a", "b", "")]),
        ("I simply say it.\nAction: b", [("I simply say it.", "b", "")]),
        ("Action:\nb", [(None, "b", "")]),
        ("Thought: press the Action: button\nAction: b", [("press the Action: button", "b", "")]),
        ('Action: f\nAction Input: {"x": 1}', [(None, 'f({"x": 1})', "")]),
        ("Action: find\nAction Input: red shoes", [(None, "find[red shoes]", "")]),
        ("Action Input: red shoes\nFinal Answer: x", [(None, "red shoes", ""), (None, "respond: x", "")]),
        ("Thought: done.\nFinal Answer: 42", [("done.", "respond: 42", "")]),
        ("Action: a\nAction: b", [(None, "a", ""), (None, "b", "")]),
        ("Observation: dark\nAction: light", [(None, "", "dark"), (None, "light", "")]),
    ],
)
def test_labels_are_found(read_one: Callable[..., Trajectory], text: str, steps: object) -> None:
    """Labels are found in capitals, with emphasis, within a line, and calls get the shape of calls."""
    row = {"messages": [{"role": "user", "content": "go"}, {"role": "assistant", "content": text}]}
    assert told(read_one(row, format="react")) == steps


def test_a_last_thought_is_a_step_without_action(read_one: Callable[..., Trajectory]) -> None:
    """An agent that ends while thinking leaves a step with an empty action."""
    messages = [{"role": role, "content": text} for role, text in [*TURNS, ("assistant", "Thought: And now I")]]
    run = read_one({"messages": messages})
    assert told(run) == [*EXPECTED, ("And now I", "", "")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]}, "takes an action"),
        ({"conversations": [{"from": "bird", "value": "hi"}]}, "'conversations[0].from' cannot be 'bird'"),
        ({"conversations": [{"from": "human", "value": ["hi", 4]}]}, "'conversations[0].value' holds 4"),
        ({"conversations": [{"from": "gpt", "value": "Action: look"}]}, "names no task"),
    ],
)
def test_a_wrong_conversation_is_named(read_one: Callable[..., Trajectory], row: dict[str, Any], said: str) -> None:
    """A conversation without an action, a known speaker, text or a task raises an error that says so."""
    with pytest.raises(TrajectoryFormatError) as caught:
        read_one(row)
    assert said in str(caught.value)


def test_labels_cost_time_in_proportion_to_the_text() -> None:
    """Half a million blanks after a label end in a result, not in a search that grows with their square."""
    text = "Action" + " " * 500_000 + "x"
    assert split_labels(text) == [("", text)]
    assert split_labels(" " * 500_000 + "Action: x") == [("action", "x")]
