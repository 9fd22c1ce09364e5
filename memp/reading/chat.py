"""
What the two chat formats share: messages in either spelling, and the fields that stand beside the messages.

A conversation is either ``role``/``content`` (OpenAI) or ``from``/``value`` (ShareGPT), under one of a few names; its
outcome, if the source knows one, stands beside it. The task is what the agent was asked: a ``task`` field if there is
one, otherwise the sentence after "Your task is to:" (or "Task:", "Question:" at the start of a line), otherwise the
whole request. The last such sentence counts, because worked examples stand before the real task.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from memp.model import Trajectory
from memp.reading.fields import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memp.model import Step
    from memp.reading.fields import Fields

MESSAGE_KEYS = ("messages", "conversations", "conversation", "traj", "trajectory")
"""Names under which sources keep their messages, in the order in which they are looked for."""

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "environment": "tool",
}
"""The four parts that a speaker can have, by the names that sources give them."""

USED_FIELDS = frozenset(
    {"task", "reward", "success", "task_type", "env", "source", "agent", "task_id", "initial_observation"}
)
"""Fields beside the messages that have a place of their own in a trajectory."""

_TASK_SENTENCE = re.compile(
    r"your task is to:[ \t]*(.+)|^[ \t]*(?:task|question):[ \t]*(.+)", re.IGNORECASE | re.MULTILINE
)


@attrs.frozen(kw_only=True)
class Message:
    """
    One turn of a conversation.

    Attributes:
        part: ``system``, ``user``, ``assistant`` or ``tool``.

        text: What was said, parts joined by line ends; empty if nothing was.

        fields: The whole message, for what only one format knows.
    """

    part: str
    text: str
    fields: Fields


def find_messages(row: Fields) -> str | None:
    """Return the name under which *row* keeps messages (a list that holds an object); None if it keeps none."""
    for key in MESSAGE_KEYS:
        value = row.values.get(key)
        if isinstance(value, list) and any(isinstance(member, dict) for member in value):
            return key
    return None


def find_part(speaker: object) -> str | None:
    """Return the part that *speaker* has in a conversation; None if it is no name that is known."""
    return ROLES.get(speaker.lower()) if isinstance(speaker, str) else None


def read_messages(row: Fields) -> tuple[str, list[Message]]:
    """
    Return the name under which the messages stand, and the messages in order.

    Raises:
        TrajectoryFormatError: There are none, or one of them has no speaker or no text that can be read.
    """
    key = find_messages(row)
    if key is None:
        raise row.place.mistake("The line holds no messages.", expected=f"a list of messages under {MESSAGE_KEYS[0]!r}")
    return key, [_read_message(fields) for fields in row.objects(key, of="messages")]


def _read_message(fields: Fields) -> Message:
    speaker, content = ("from", "value") if "from" in fields.values else ("role", "content")
    part = find_part(fields.filled_text(speaker))
    if part is None:
        raise fields.mistake(speaker, expected=f"one of {', '.join(ROLES)}")
    return Message(part=part, text=_flatten(fields, content), fields=fields)


def _flatten(fields: Fields, key: str) -> str:
    """Return the content *key* as text; a part that is no text (an image) leaves its kind in brackets."""
    value = fields.values.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise fields.mistake(key, expected="a string, a list of parts, or null")
    texts = []
    for part in value:
        text = part.get("text", part.get("refusal")) if isinstance(part, dict) else part
        if text is None and isinstance(part, dict) and isinstance(part.get("type"), str):
            text = f"[{part['type']}]"
        if not isinstance(text, str):
            raise fields.place.mistake(f"{fields.name(key)!r} holds {describe(part)}.", expected="parts that are text")
        texts.append(text)
    return "\n".join(texts)


def join_texts(texts: Sequence[str]) -> str:
    """Return *texts* with an empty line between them, without those that say nothing."""
    return "\n\n".join(text for text in texts if text.strip())


def find_task_sentence(text: str) -> str | None:
    """Return what follows the last "Your task is to:" (or "Task:", "Question:") of *text*, without the final stop."""
    sentences = [first or second for first, second in _TASK_SENTENCE.findall(text)]
    task = sentences[-1].strip().removesuffix(".") if sentences else ""
    return task or None


def build_run(
    row: Fields, *, key: str, opening: Sequence[str], request: str, system: str, steps: Sequence[Step]
) -> Trajectory:
    """
    Return the trajectory of a conversation.

    Args:
        row: The line.

        key: The name under which its messages stand; they are in *steps* and are not kept twice.

        opening: What the agent was told before its first step.

        request: The one of *opening* that is the task if nothing says so more clearly.

        system: Standing instructions, kept in ``extra``.

        steps: What it did.

    Raises:
        TrajectoryFormatError: No task can be found, or a field beside the messages is of the wrong kind.
    """
    told = join_texts(opening)
    named = row.filled_text("task") if row.values.get("task") is not None else None
    task = named or find_task_sentence(told) or request.strip()
    if not task:
        raise row.place.mistake("The conversation names no task.", expected="a message of the user, or a field 'task'")
    if told.strip() == task:
        told = ""
    agent = row.optional_text("agent")
    model = row.optional_text("model") if agent is None else None
    reward, success, known = _read_outcome(row, USED_FIELDS | {key} | ({"model"} if model is not None else set()))
    extra = row.rest(known)
    if system:
        extra = {"system": system, **extra}
    return Trajectory(
        task=task,
        steps=tuple(steps),
        reward=reward,
        success=success,
        task_type=row.optional_text("task_type"),
        env=row.optional_text("env"),
        source=row.optional_text("source"),
        agent=agent if agent is not None else model,
        task_id=row.optional_label("task_id"),
        initial_observation=row.optional_text("initial_observation") or told,
        extra=extra,
    )


def _read_outcome(row: Fields, known: frozenset[str]) -> tuple[float | None, bool | None, frozenset[str]]:
    """
    Return reward, success and the fields that are used up.

    ``score`` stands in for a missing ``reward``, but only where it can be understood: a score of 55 may be a good mark
    or a poor one, so without ``success`` beside it a score above 1 stays in ``extra`` and the outcome unknown.
    """
    reward, success = row.optional_number("reward"), row.optional_flag("success")
    if reward is None and "score" in row.values:
        score = row.optional_number("score")
        if score is None or score <= 1 or success is not None:
            return score, success, known | {"score"}
    return reward, success, known
