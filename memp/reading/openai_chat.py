"""
OpenAI chat messages with tool calls, as agents log them.

A tool call becomes the action ``name(arguments)``, with the arguments exactly as the model wrote them, and what the
tool answered its observation; an answer in words becomes ``respond: words``, observed is what the user said next. So a
toolset made from an OpenAI tools list lifts the actions of chats and of flat rows alike. Text beside a call is the
thought. Several calls in one message become several steps in the order in which they were made, marked as parallel,
because none of them could know what the others found.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from memp.model import Step
from memp.reading import chat

if TYPE_CHECKING:
    from memp.model import Trajectory
    from memp.reading.chat import Message
    from memp.reading.fields import Fields

RESPOND = "respond: "
"""How an action that is an answer in words begins."""


@attrs.define(kw_only=True)
class _Draft:
    """A step that still waits for what the world answers."""

    action: str
    thought: str | None
    observations: list[str] = attrs.field(factory=list)
    extra: dict[str, Any] = attrs.field(factory=dict)
    call_name: str | None = None
    answered: bool = False

    @property
    def call_id(self) -> str | None:
        return self.extra.get("tool_call_id")

    def finish(self) -> Step:
        observation = chat.join_texts(self.observations)
        return Step(action=self.action, thought=self.thought, observation=observation, extra=self.extra)


def read(row: Fields) -> Trajectory:
    """
    Return the run that the messages of *row* tell.

    Raises:
        TrajectoryFormatError: A message or a tool call is not as the format has it, a tool answers a call that nobody
            made, or there is no task.
    """
    key, messages = chat.read_messages(row)
    opening: list[str] = []
    system: list[str] = []
    drafts: list[_Draft] = []
    for message in messages:
        match message.part:
            case "system":
                system.append(message.text)
            case "assistant":
                drafts.extend(_read_turn(message))
            case "tool":
                _answer(drafts, message)
            case _ if drafts:
                drafts[-1].observations.append(message.text)
            case _:
                opening.append(message.text)
    return chat.build_run(
        row,
        key=key,
        opening=opening,
        request=opening[0] if opening else "",
        system=chat.join_texts(system),
        steps=[draft.finish() for draft in drafts],
    )


def _read_turn(message: Message) -> list[_Draft]:
    """Return the steps that one message of the agent takes: one for each call, or one answer in words."""
    fields = message.fields
    calls = _read_calls(fields)
    reasoning = fields.optional_text("reasoning_content") or fields.optional_text("reasoning") or ""
    if not calls:
        return [_Draft(action=f"{RESPOND}{message.text}" if message.text else "", thought=reasoning or None)]
    thought = chat.join_texts([reasoning, message.text]) or None
    drafts = []
    for number, (call_id, name, arguments) in enumerate(calls):
        extra: dict[str, Any] = {} if call_id is None else {"tool_call_id": call_id}
        if len(calls) > 1:
            extra["parallel_calls"] = len(calls)
        action = f"{name}({arguments})"
        drafts.append(_Draft(action=action, thought=None if number else thought, extra=extra, call_name=name))
    return drafts


def _read_calls(fields: Fields) -> list[tuple[str | None, str, str]]:
    """Return id, name and arguments of every call in a message, the older single ``function_call`` included."""
    if fields.values.get("function_call") is not None:
        function = fields.object("function_call")
        return [(None, function.filled_text("name"), _read_arguments(function))]
    if fields.values.get("tool_calls") is None:
        return []
    calls = []
    for call in fields.objects("tool_calls", of="tool calls"):
        function = call.object("function")
        calls.append((call.optional_text("id"), function.filled_text("name"), _read_arguments(function)))
    return calls


def _read_arguments(function: Fields) -> str:
    """Return the arguments as the model wrote them, even where that is no JSON; ``{}`` for none."""
    value = function.values.get("arguments")
    if value is None or isinstance(value, str):
        return (value or "").strip() or "{}"
    if not isinstance(value, dict):
        raise function.mistake("arguments", expected="a string that holds JSON, or an object")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _answer(drafts: list[_Draft], message: Message) -> None:
    """Give what a tool said to the call it answers: by id, then by name, then to the oldest open call."""
    fields = message.fields
    waiting = [draft for draft in drafts if draft.call_name is not None and not draft.answered]
    call_id, name = fields.optional_text("tool_call_id"), fields.optional_text("name")
    if call_id is not None and any(draft.call_id is not None for draft in waiting):
        waiting = [draft for draft in waiting if draft.call_id == call_id]
    elif name is not None and any(draft.call_name == name for draft in waiting):
        waiting = [draft for draft in waiting if draft.call_name == name]
    if not waiting:
        raise fields.place.mistake(
            f"{fields.at!r} is a tool's answer to {call_id or name or 'a call'!r}, which no open call asked for.",
            expected="each answer of a tool to follow the call that it answers",
        )
    waiting[0].observations.append(message.text)
    waiting[0].answered = True
