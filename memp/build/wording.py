"""
The task pattern of an induced procedure: the task with its slots named.

What the steps do not use is masked as well, because it tells this task from others of its kind and not the kind: a
number, a name, the second mention of a thing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from memp.build.mentions import Span
from memp.build.naming import fresh
from memp.model import Trajectory
from memp.retrieval.patterns import SLOT, task_pattern
from memp.script.nodes import Parameter
from memp.script.types import TEXT, Type

DETAIL = "detail"
"""What a part of the task is called that no step uses."""

TASK_CHARS_MAX = 1_000
"""Characters of a task that make a pattern; more is a document that comes with the task."""

_BRACES = str.maketrans("{}", "()")
_SLOTS = re.compile(r"\{[^{}]*\}")


def cut_task(task: str) -> str:
    """Return *task*, cut at a word if it is too long for a pattern."""
    return task if len(task) <= TASK_CHARS_MAX else task[:TASK_CHARS_MAX].rsplit(maxsplit=1)[0]


def worded(
    run: Trajectory,
    named: Mapping[Span, str],
    again: Mapping[Span, str],
    types: Mapping[str, Type],
    taken: frozenset[str],
) -> tuple[str, tuple[Parameter, ...]]:
    """
    Return the pattern of the task of *run*, and the parameters that stand in it and no step uses, sorted.

    Args:
        run: The run.

        named: Where the task says a parameter first.

        again: Where it says one of them once more; a pattern has every slot once.

        types: The types of the parameters.

        taken: Names that further parameters may not have.
    """
    used = set(taken)
    extras: list[Parameter] = []

    def extra(base: str, type_: Type) -> str:
        name = fresh(base, used)
        used.add(name)
        extras.append(Parameter(name=name, type=type_))
        return f"{{{name}}}"

    slots = {span: f"{{{name}}}" for span, name in named.items()}
    for span in sorted(again):
        slots[span] = extra(f"{again[span]}_again", types[again[span]])
    text = run.task.translate(_BRACES)
    for span in sorted(slots, reverse=True):
        text = text[: span.start] + slots[span] + text[span.end :]
    if not any(char.isalnum() for char in _SLOTS.sub("", text)):
        text = f"about {text}"  # a pattern of slots alone would fit every task
    masked = task_pattern(attrs.evolve(run, task=text))
    if not all(slot in masked for slot in slots.values()):
        masked = text  # a slot stood inside quotation marks, and what is quoted was masked as a whole
    pieces = masked.split(SLOT)
    pattern = pieces[0] + "".join(extra(DETAIL, TEXT) + piece for piece in pieces[1:])
    return pattern, tuple(sorted(extras, key=lambda parameter: parameter.name))
