"""
ReAct conversations: the agent writes "Thought: … Action: …", the world answers "Observation: …".

They come turn by turn (agent and world in messages of their own) or as one transcript in a single message, with
numbered labels or without; both are read by the same labels. "Action Input:" makes a call: JSON gives ``name({…})`` as
tool calls do, plain words give ``name[words]`` as ReAct writes it. "Final Answer:" is an answer in words,
``respond: …``. A message of the agent before the first action that takes none ("OK, I will follow") is no step; one
after it is a step with an empty action, because the agent thought and did nothing.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import attrs

from memp.model import Step
from memp.reading import chat
from memp.reading.openai_chat import RESPOND

if TYPE_CHECKING:
    from memp.model import Trajectory
    from memp.reading.fields import Fields

_LABEL = re.compile(
    r"^[ \t>*#]*(thought|action input|action|observation|final answer)[ \t]?\d{0,4}\**[ \t]?:[ \t]*\**",
    re.IGNORECASE | re.MULTILINE,
)
"""A label at the start of a line; stars and hashes are the emphasis that models like to add."""

_INLINE_LABEL = re.compile(r"(?<!\S)(Thought|Action Input|Action|Observation|Final Answer)[ \t]?\d{0,4}[ \t]?:[ \t]*")
"""A label in the middle of a line, with its capital: only looked for where no line starts with an action."""


@attrs.define(kw_only=True)
class _Draft:
    """A step that still waits for what the world answers."""

    action: str | None = None
    thoughts: list[str] = attrs.field(factory=list)
    observations: list[str] = attrs.field(factory=list)

    def finish(self) -> Step:
        return Step(
            action=self.action or "",
            thought=chat.join_texts(self.thoughts) or None,
            observation=chat.join_texts(self.observations),
        )


def acts(text: str) -> bool:
    """Return whether *text* holds an action or a final answer in the ReAct manner."""
    return any(label in {"action", "final answer"} for label, _ in split_labels(text))


def split_labels(text: str) -> list[tuple[str, str]]:
    """
    Return *text* as pairs of label and what follows it, in order.

    Labels are in lower case; text before the first one has the empty label. Labels count at the start of a line, and
    within a line only if no line starts with an action: "the Action: button" in a thought is not an action.
    """
    labels = list(_LABEL.finditer(text))
    if not any(label[1].lower() in {"action", "final answer"} for label in labels):
        labels = list(_INLINE_LABEL.finditer(text))
    starts = [label.start() for label in labels] + [len(text)]
    pairs = [("", text[: starts[0]].strip())] if text[: starts[0]].strip() else []
    for label, end in zip(labels, starts[1:], strict=True):
        pairs.append((label[1].lower(), text[label.end() : end].strip()))
    return pairs


def read(row: Fields) -> Trajectory:
    """
    Return the run that the conversation of *row* tells.

    Raises:
        TrajectoryFormatError: A message is not as the format has it, no message takes an action, or there is no task.
    """
    key, messages = chat.read_messages(row)
    opening: list[str] = []
    system: list[str] = []
    drafts: list[_Draft] = []
    for message in messages:
        if message.part == "system":
            system.append(message.text)
        elif message.part == "assistant":
            if drafts or acts(message.text):
                drafts.extend(_read_turn(message.text))
        elif drafts:
            drafts[-1].observations.append(_strip_label(message.text))
        else:
            opening.append(message.text)
    if not drafts:
        raise row.place.mistake(
            f"No message of the agent under {key!r} takes an action.",
            expected="'Thought: … Action: …' in the agent's messages, or format='openai' for plain chats",
        )
    return chat.build_run(
        row,
        key=key,
        opening=opening,
        request=opening[-1] if opening else "",
        system=chat.join_texts(system),
        steps=[draft.finish() for draft in drafts],
    )


def _read_turn(text: str) -> list[_Draft]:
    """Return the steps of one message: usually one, several where the message is a whole transcript."""
    drafts = [_Draft()]
    for label, value in split_labels(text):
        draft = drafts[-1]
        # A thought or an action after a finished step begins the next one.
        if (draft.action is not None or draft.observations) and label in {"", "thought", "action", "final answer"}:
            draft = _Draft()
            drafts.append(draft)
        match label:
            case "action":
                draft.action = value
            case "action input":
                draft.action = _call(draft.action, value) if draft.action else value
            case "final answer":
                draft.action = f"{RESPOND}{value}"
            case "observation":
                draft.observations.append(value)
            case _:
                draft.thoughts.append(value)
    return drafts


def _call(name: str, given: str) -> str:
    """Return the action *name* with its input: ``name({…})`` for a JSON object, ``name[words]`` for anything else."""
    try:
        is_object = isinstance(json.loads(given), dict)
    except (ValueError, RecursionError):
        is_object = False
    return f"{name}({given})" if is_object else f"{name}[{given}]"


def _strip_label(text: str) -> str:
    """Return what the world answered, without a leading "Observation:"."""
    label = _LABEL.match(text)
    return text[label.end() :].strip() if label and label[1].lower() == "observation" else text
