"""OpenAI chats: calls, answers, replies, and the order that holds them together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from memp.errors import TrajectoryFormatError

if TYPE_CHECKING:
    from collections.abc import Callable

    from memp.model import Trajectory


def call(name: str, arguments: object, id: str | None = "call-1") -> dict[str, Any]:
    """Return a tool call as a model writes it: arguments are text."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": id, "type": "function", "function": {"name": name, "arguments": text}}


CHAT: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "You lend out books."},
        {"role": "user", "content": "I would like to renew my book."},
        {"role": "assistant", "content": "What is your card number?"},
        {"role": "user", "content": "K-19."},
        {"role": "assistant", "content": "Let me look.", "tool_calls": [call("find_loans", '{"card":"K-19"}')]},
        {"role": "tool", "tool_call_id": "call-1", "content": '["The Whale"]'},
        {"role": "assistant", "content": None, "tool_calls": [call("renew", {"title": "The Whale"}, "call-2")]},
        {"role": "tool", "tool_call_id": "call-2", "content": "renewed"},
        {"role": "assistant", "content": "Done."},
    ],
    "tools": [{"type": "function", "function": {"name": "renew"}}],
    "model": "parrot-2",
    "task_id": 4,
    "success": True,
}


def test_a_chat_becomes_steps(read_one: Callable[..., Trajectory]) -> None:
    """Calls are ``name(arguments)`` as written, replies ``respond: …``; answers and the user are what was observed."""
    run = read_one(CHAT)
    assert run.task == "I would like to renew my book."
    assert [(step.action, step.observation, step.thought) for step in run.steps] == [
        ("respond: What is your card number?", "K-19.", None),
        ('find_loans({"card":"K-19"})', '["The Whale"]', "Let me look."),
        ('renew({"title": "The Whale"})', "renewed", None),
        ("respond: Done.", "", None),
    ]
    assert (run.agent, run.task_id, run.success, run.initial_observation) == ("parrot-2", "4", True, "")
    assert run.extra == {"system": "You lend out books.", "tools": CHAT["tools"]}
    assert run.steps[1].extra == {"tool_call_id": "call-1"}


def test_parallel_calls_are_steps_in_order(read_one: Callable[..., Trajectory]) -> None:
    """Several calls of one message become marked steps, each with its own answer, whatever order the answers have."""
    run = read_one(
        {
            "messages": [
                {"role": "user", "content": "Weather in Ulm and Bonn?"},
                {
                    "role": "assistant",
                    "content": "Both.",
                    "tool_calls": [call("w", "Ulm", "a"), call("w", "Bonn", "b")],
                },
                {"role": "tool", "tool_call_id": "b", "content": "rain"},
                {"role": "tool", "tool_call_id": "a", "content": "sun"},
            ]
        }
    )
    assert [(step.action, step.observation, step.thought) for step in run.steps] == [
        ("w(Ulm)", "sun", "Both."),
        ("w(Bonn)", "rain", None),
    ]
    assert [step.extra["parallel_calls"] for step in run.steps] == [2, 2]


def test_ids_may_be_used_again(read_one: Callable[..., Trajectory]) -> None:
    """An answer goes to the open call of its id, so sources that number each turn anew are read rightly."""
    asked = {"role": "assistant", "tool_calls": [call("next", "{}", "0")]}
    answers = [{"role": "tool", "tool_call_id": "0", "content": content} for content in ("one", "two")]
    run = read_one({"messages": [{"role": "user", "content": "go"}, asked, answers[0], asked, answers[1]]})
    assert [step.observation for step in run.steps] == ["one", "two"]


def test_answers_without_id_go_by_name_then_by_order(read_one: Callable[..., Trajectory]) -> None:
    """Where a source keeps no ids, an answer goes to the oldest open call of its name, or to the oldest open call."""
    calls = [call("a", "{}", None), call("b", "{}", None), call("c", "{}", None)]
    answers = [{"name": "b", "content": "B"}, {"content": "A"}, {"content": "C"}]
    run = read_one(
        {
            "messages": [
                {"role": "user", "content": "go"},
                {"role": "assistant", "tool_calls": calls},
                *({"role": "tool", **answer} for answer in answers),
            ]
        }
    )
    assert [step.observation for step in run.steps] == ["A", "B", "C"]


def test_the_older_function_call_is_read(read_one: Callable[..., Trajectory]) -> None:
    """One ``function_call`` with an answer of the role ``function`` is a call like any other."""
    run = read_one(
        {
            "messages": [
                {"role": "user", "content": "go"},
                {"role": "assistant", "content": "", "function_call": {"name": "jump", "arguments": ""}},
                {"role": "function", "name": "jump", "content": "high"},
            ]
        }
    )
    assert [(step.action, step.observation) for step in run.steps] == [("jump({})", "high")]


def test_arguments_may_be_an_object(read_one: Callable[..., Trajectory]) -> None:
    """Frameworks that parse arguments for the log are read in the compact form that models write."""
    chat = {
        "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"ö": [1, 2]}}}]},
        ]
    }
    assert read_one(chat).actions == ('f({"ö":[1,2]})',)


def test_content_in_parts_is_joined(read_one: Callable[..., Trajectory]) -> None:
    """Parts of text are lines; a part that is no text leaves its kind behind."""
    parts = [{"type": "text", "text": "Read this"}, {"type": "image_url", "image_url": {"url": "…"}}, "please"]
    run = read_one({"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": parts[:1]}]})
    assert run.task == "Read this\n[image_url]\nplease"
    assert run.actions == ("respond: Read this",)


def test_reasoning_is_thought(read_one: Callable[..., Trajectory]) -> None:
    """What a model says it thought is the thought of its reply or of its first call."""
    run = read_one(
        {
            "messages": [
                {"role": "user", "content": "go"},
                {"role": "assistant", "content": "Hm.", "reasoning_content": "Why?", "tool_calls": [call("f", "{}")]},
                {"role": "assistant", "content": "Bye.", "reasoning": "Enough."},
            ]
        }
    )
    assert [step.thought for step in run.steps] == ["Why?\n\nHm.", "Enough."]


@pytest.mark.parametrize(
    ("row", "first", "task", "seen"),
    [
        ({}, "Book a table.", "Book a table.", ""),
        ({"task": "book"}, "Hello.", "book", "Hello."),
        ({"task": "Hello."}, "Hello.", "Hello.", ""),
        (
            {},
            "You see a hall.\nYour task is to: sweep the hall.",
            "sweep the hall",
            "You see a hall.\nYour task is to: sweep the hall.",
        ),
        ({}, "Your task is to: a\nNow you.\nYour task is to: b\nGo!", "b", None),
        ({}, "Task: paint it\nAnything goes.", "paint it", "Task: paint it\nAnything goes."),
    ],
)
def test_the_task_is_found(
    read_one: Callable[..., Trajectory], row: dict[str, Any], first: str, task: str, seen: str | None
) -> None:
    """A task field counts most, then the last task sentence, then the whole request; the rest was seen first."""
    chat = {**row, "messages": [{"role": "user", "content": first}, {"role": "assistant", "content": "ok"}]}
    run = read_one(chat)
    assert run.task == task
    assert run.initial_observation == (first if seen is None else seen)


@pytest.mark.parametrize(
    ("outcome", "reward", "success", "extra"),
    [
        ({}, None, None, {}),
        ({"reward": 1}, 1.0, True, {}),
        ({"reward": 0.2, "score": 9}, 0.2, False, {"score": 9}),
        ({"score": 0.4}, 0.4, False, {}),
        ({"score": 55}, None, None, {"score": 55}),
        ({"score": 55, "success": False}, 55.0, False, {}),
        ({"success": False}, None, False, {}),
    ],
)
def test_the_outcome_stands_beside_the_messages(
    read_one: Callable[..., Trajectory],
    outcome: dict[str, Any],
    reward: float | None,
    success: bool | None,
    extra: object,
) -> None:
    """``reward``, ``success`` and ``score`` are read; a score of unknown scale is kept but decides nothing."""
    run = read_one({**outcome, "messages": CHAT["messages"][1:]})
    assert (run.reward, run.success, run.extra) == (reward, success, extra)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "no messages"),
        ([{"role": "assistant", "content": "hi"}], "names no task"),
        ([{"role": "user", "content": ""}, {"role": "assistant", "content": "hi"}], "names no task"),
        ([{"role": "user", "content": "go"}, "hi"], "'messages[1]' cannot be 'hi'"),
        ([{"content": "go"}], "'messages[0].role' is missing"),
        ([{"role": "narrator", "content": "go"}], "'messages[0].role' cannot be 'narrator'"),
        ([{"role": "user", "content": 5}], "'messages[0].content' cannot be 5"),
        ([{"role": "user", "content": [{"text": 5}]}], "'messages[0].content' holds an object"),
        ([{"role": "tool", "content": "x"}], "which no open call asked for"),
        ([{"role": "assistant", "tool_calls": "f"}], "'messages[0].tool_calls' cannot be 'f'"),
        ([{"role": "assistant", "tool_calls": [{"id": "1"}]}], "'messages[0].tool_calls[0].function' is missing"),
        ([{"role": "assistant", "tool_calls": [call("", "{}")]}], "'messages[0].tool_calls[0].function.name'"),
        (
            [{"role": "assistant", "function_call": {"name": "f", "arguments": 4}}],
            "function_call.arguments' cannot be 4",
        ),
        (
            [
                {"role": "assistant", "tool_calls": [call("f", "{}", "a")]},
                {"role": "tool", "tool_call_id": "b", "content": "x"},
            ],
            "'messages[1]' is a tool's answer to 'b'",
        ),
    ],
)
def test_a_wrong_message_is_named(read_one: Callable[..., Trajectory], messages: object, said: str) -> None:
    """A message that is not as the format has it raises an error with its path."""
    with pytest.raises(TrajectoryFormatError) as caught:
        read_one({"messages": messages}, format="openai")
    assert said in str(caught.value)
