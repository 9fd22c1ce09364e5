"""
Questions to a model: templates filled with what is asked about.

Runs come from wherever agents work, and some were written to be read by a model. So each stands between two marks that
hold a digest of it: a text cannot contain its own digest, and therefore cannot end its block. Of long runs whole steps
are left out in the middle, and the question says so: how a run began and how it ended says most about it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from memp import _resources
from memp.model import Step, Trajectory, content_digest
from memp.rendering.plain import one_line
from memp.rendering.sandbox import PromptEnvironment
from memp.script.toolset import Toolset

COMMON = "model_common.j2"
"""What the templates of questions share."""

MARK_CHARACTERS = 12
"""Digits of the digest in a mark: nobody finds a text that holds its own by trying."""

STEPS_MAX = 120
"""Steps of a run that are quoted: four times what a long task takes."""

RUN_CHARACTERS_MAX = 60_000
"""Characters of a run that are quoted, about 15,000 tokens: four runs fit what models read, and no endpoint's mistake
costs a fortune."""

LINE_CHARACTERS_MAX = 1500
"""Characters of one action, answer or thought that are quoted; a page of a website is longer and says little more."""


@attrs.frozen(kw_only=True)
class Question:
    """
    What a model is asked.

    Attributes:
        text: The whole question.

        template: Hex SHA-256 of the templates that it was made with.
    """

    text: str
    template: str


@functools.lru_cache(maxsize=16)
def _environment(name: str) -> tuple[PromptEnvironment, str]:
    texts = {part: _resources.read_text("templates", part) for part in (COMMON, name)}
    digest = hashlib.sha256("\0".join(texts[part] for part in sorted(texts)).encode()).hexdigest()
    return PromptEnvironment(texts), digest


def question(name: str, values: Mapping[str, Any]) -> Question:
    """
    Return the question that the template *name* makes of *values*.

    Raises:
        TemplateError: A value that the template names is missing.
    """
    environment, digest = _environment(f"{name}.j2")
    return Question(text=environment.fill(f"{name}.j2", values), template=digest)


OUTCOMES = {True: "it did the task", False: "it failed", None: "not known"}
"""How a run's outcome is told to a model."""


def told_run(run: Trajectory, *, outcome: bool = True) -> dict[str, Any]:
    """
    Return *run* as templates take it.

    Args:
        run: The run.

        outcome: Whether to say how it ended; a judge must find out.
    """
    return {
        "mark": run.digest[:MARK_CHARACTERS],
        "task": _line(run.task),
        "outcome": OUTCOMES[run.success] if outcome else "for you to say",
        "seen": _line(run.initial_observation),
        "steps": _told_steps(run.steps),
    }


def _told_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return the steps that are quoted, while there is room: two from the beginning for one from the end."""
    first, last, characters = 0, len(steps), 0
    told: dict[int, dict[str, Any]] = {}
    while first < last and len(told) < STEPS_MAX:
        at = last - 1 if len(told) % 3 == 2 else first
        one: dict[str, Any] = {
            "number": at + 1,
            "action": _line(steps[at].action) or "(nothing)",
            "thought": _line(steps[at].thought or ""),
            "observation": _line(steps[at].observation),
            "gap": 0,
        }
        characters += sum(len(one[part]) for part in ("action", "thought", "observation"))
        if told and characters > RUN_CHARACTERS_MAX:
            break
        told[at] = one
        first, last = (first, at) if at == last - 1 and at != first else (first + 1, last)
    if first < last:
        after = min((at for at in told if at >= last), default=None)
        if after is not None:
            told[after]["gap"] = last - first
    return [told[at] for at in sorted(told)]


def told_toolset(toolset: Toolset | None) -> list[str]:
    """Return the lines of *toolset* as templates take them; none if there is no toolset."""
    return [] if toolset is None else toolset.to_text().rstrip("\n").split("\n")


def told_script(script: str | None) -> dict[str, Any]:
    """Return a script as templates take it; without lines if there is none."""
    return {
        "mark": content_digest(script)[:MARK_CHARACTERS],
        "lines": [] if script is None else script.rstrip("\n").split("\n"),
    }


def told_runs(runs: Sequence[Trajectory]) -> dict[str, Any]:
    """Return several runs as templates take them."""
    return {"many": len(runs) > 1, "list": [told_run(run) for run in runs]}


def _line(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LINE_CHARACTERS_MAX else f"{line[: LINE_CHARACTERS_MAX - 1]}…"
