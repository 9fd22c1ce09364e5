"""
What a report says, as plain values: texts, numbers and lists, ready for a page or a terminal.

Nothing here draws or formats for one medium. Whatever comes from a store (names, tasks, scripts, reasons) is text that
anybody may have written; it leaves this room as text, without what moves a cursor, and the page escapes it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs

from memp.errors import InvalidInputError, NotFoundError
from memp.evaluation.comparison import NO_DIFFERENCE, Comparison
from memp.evaluation.metrics import METRICS, Figure
from memp.evaluation.report.plots import Curve, Gap, Point
from memp.evaluation.result import shown_metrics
from memp.rendering.plain import plain_text
from memp.script.highlight import highlight

if TYPE_CHECKING:
    from memp.evaluation.bisection import Bisection
    from memp.evaluation.result import Arm, Attempt, Result
    from memp.memory import Memory
    from memp.model import Procedure
    from memp.view import View

PROCEDURES_SHOWN = 12
"""Procedures whose text is shown, those that were served first most often: more is a catalogue and no report."""

PAIRS_SHOWN = 14
"""Differences in one plot; more rows are read by nobody."""

NAMES_SHOWN = 8
"""Arms whose names stand beside a curve; where there are more, they stand in the table alone."""

VIEWS_COMPARED = 6
"""Versions that are compared each with the one before it, names or not; among more, only those with names."""

RUN_LINES_SHOWN = 20
"""Actions of a run that is shown where a procedure has no script."""


@attrs.frozen(kw_only=True, slots=False)
class Look:
    """
    A result with what belongs to it.

    Attributes:
        result: The result.

        memory: Where procedures are read from; None leaves their texts out.

        bisection: The search that the result comes from; None if it comes from none.
    """

    result: Result
    memory: Memory | None = None
    bisection: Bisection | None = None

    @cached_property
    def compared(self) -> Result:
        """
        The result with the arms that are compared pair by pair.

        Where there are many versions, those that somebody gave a name, and what is no version: points of a curve are to
        be looked at, and comparing each with each would leave nothing to be shown of any (Holm).
        """
        if len(self.views) <= VIEWS_COMPARED:
            return self.result
        named = [arm for arm in self.result.arms if not arm.name.isdecimal()]
        if sum(arm.kind == "view" for arm in named) < 2:
            return self.result
        names = {arm.name for arm in named}
        kept = tuple(one for one in self.result.attempts if one.arm in names)
        return attrs.evolve(self.result, arms=tuple(named), attempts=kept)

    @property
    def views(self) -> tuple[Arm, ...]:
        """The arms that are versions, by position."""
        found = [arm for arm in self.result.arms if arm.kind == "view" and arm.position is not None]
        return tuple(sorted(found, key=_position))

    @property
    def bases(self) -> tuple[Arm, ...]:
        """The arms that are no versions."""
        return tuple(arm for arm in self.result.arms if arm.kind != "view")


# -- what was found ---------------------------------------------------------------------------------------------------


def pairs(look: Look) -> tuple[Comparison, ...]:
    """Return the comparisons that are shown: each version with the one before it, and the last with what is none."""
    result = look.compared
    views = sorted((arm for arm in result.arms if arm.kind == "view" and arm.position is not None), key=_position)
    names = [arm.name for arm in views]
    bases = [arm.name for arm in result.arms if arm.kind != "view"]
    wanted = list(itertools.pairwise(names or bases))
    if names:
        wanted += [(base, names[-1]) for base in bases]
        wanted += [(names[-1], arm.name) for arm in result.arms if arm.kind == "view" and arm.position is None]
    found = [result.compare(a, b) for a, b in wanted]
    if len(found) > PAIRS_SHOWN:
        telling = sorted(found, key=lambda one: (one.verdict == NO_DIFFERENCE, -abs(one.success.difference)))
        found = [one for one in found if one in telling[:PAIRS_SHOWN]]
    return tuple(found)


def _position(arm: Arm) -> int:
    return arm.position or 0


def headline(look: Look) -> str:
    """Return what the report comes to, in one sentence."""
    if look.bisection is not None:
        return plain_text(str(look.bisection))
    views, bases = look.views, look.bases
    if not views:
        return "No version of a memory was measured here."
    best = max(views, key=lambda arm: look.result.score(arm.name).success)
    share = look.result.score(best.name).success
    if not bases:
        return f"{plain_text(best.name)} solves {share:.0%} of the tasks."
    base = next((arm for arm in bases if arm.kind == "none"), bases[0])
    against = look.result.compare(base.name, best.name)
    other = look.result.score(base.name).success
    words = {"better": "more than", "worse": "fewer than"}
    if against.verdict == NO_DIFFERENCE:
        return (
            f"{plain_text(best.name)} solves {share:.0%} of the tasks and {plain_text(base.name)} {other:.0%}; "
            "so few tasks show no difference."
        )
    than = f"{words[against.verdict]} {plain_text(base.name)}: {other:.0%}"
    return f"{plain_text(best.name)} solves {share:.0%} of the tasks, {than}."


def facts(look: Look) -> list[dict[str, str]]:
    """Return on what and by whom it was measured, as pairs of words."""
    measured, result = look.result.measured, look.result
    attempts = result.of(result.arms[0].name)
    rows = {
        "suite": f"{measured.suite} {measured.suite_version}",
        "tasks": str(len({attempt.task_id for attempt in attempts})),
        "seeds": ", ".join(map(str, result.seeds)),
        "agent": f"{measured.agent} {measured.agent_version}" if measured.agent else "none: runs on record",
        "served": f"up to {measured.k}" + (f", found by {measured.key}" if measured.key else ""),
        "step limit": str(measured.max_steps) if measured.max_steps else "",
        "memp": measured.memp_version,
        "suite digest": measured.suite_digest[:12],
    }
    return [{"name": name, "value": plain_text(value)} for name, value in rows.items() if value]


# -- tables -----------------------------------------------------------------------------------------------------------


def arm_rows(look: Look) -> list[dict[str, Any]]:
    """Return a row for each arm: what it is and what it comes to, with intervals in per cent of the scale."""
    shown = shown_metrics(look.result)
    kind = look.result.measured.kind
    of_arms = {arm.name: look.result.score(arm.name).figures for arm in look.result.arms}
    tops = {
        name: 1.0
        if METRICS[name].share
        else max(figures[name].interval.high for figures in of_arms.values() if name in figures)
        for name in shown
    }
    rows = []
    for arm in look.result.arms:
        figures = of_arms[arm.name]
        rows.append(
            {
                "name": plain_text(arm.name),
                "where": _where(arm),
                "is_view": arm.kind == "view",
                "figures": [_figure(figures.get(name), METRICS[name].labels[kind], top=tops[name]) for name in shown],
            }
        )
    return rows


def _where(arm: Arm) -> str:
    if arm.kind != "view":
        words = {"none": "nothing served", "random": "procedures drawn by lot", "bm25": "compared by words"}
        return words.get(arm.kind, "whole runs as they were")
    if arm.position is None:
        return "what there would be"
    return plain_text(f"{arm.branch} @ {arm.position}")


def _figure(figure: Figure | None, label: str, *, top: float) -> dict[str, Any]:
    if figure is None:
        return {"label": label, "value": "–", "range": "", "left": 0.0, "width": 0.0, "at": 0.0}
    scale = 100 if METRICS[figure.metric].share else 1
    digits = 0 if METRICS[figure.metric].share else 1
    low, high, value = figure.interval.low, figure.interval.high, figure.value
    top = top or 1.0
    return {
        "label": label,
        "value": f"{scale * value:.{digits}f}",
        "range": f"{scale * low:.{digits}f}–{scale * high:.{digits}f}",
        "left": round(100 * low / top, 2),
        "width": round(100 * (high - low) / top, 2),
        "at": round(100 * value / top, 2),
    }


def pair_rows(comparisons: tuple[Comparison, ...]) -> list[dict[str, Any]]:
    """Return a row for each comparison, with the tasks that went otherwise."""
    return [
        {
            "a": plain_text(one.a),
            "b": plain_text(one.b),
            "tone": tone(one),
            "verdict": one.verdict,
            "points": f"{100 * one.success.difference:+.0f}",
            "range": f"{100 * one.success.interval.low:+.0f} to {100 * one.success.interval.high:+.0f}",
            "p": f"{one.success.p_adjusted:.2g}",
            "steps": f"{one.steps.difference:+.1f}",
            "better": [plain_text(task.task_id) for task in one.better],
            "worse": [plain_text(task.task_id) for task in one.worse],
        }
        for one in comparisons
    ]


def power(comparisons: tuple[Comparison, ...]) -> str:
    """Return what the sample can show, where it shows no difference of some pair; the best that it can at all."""
    unsure = [one.power for one in comparisons if one.verdict == NO_DIFFERENCE]
    return str(min(unsure, key=lambda one: one.against)) if unsure else ""


def tone(comparison: Comparison) -> str:
    """Return ``good``, ``bad`` or ``muted``: what the second arm is against the first."""
    return {"better": "good", "worse": "bad"}.get(comparison.verdict, "muted")


def type_rows(look: Look) -> list[dict[str, Any]]:
    """Return a row for each type of task with what every arm solves of it; empty if there are no types."""
    rows = []
    for type in look.compared.types:
        scores = [look.compared.score(arm.name, type) for arm in look.compared.arms]
        cells = [{"value": f"{100 * score.success:.0f}", "share": round(score.success, 2)} for score in scores]
        rows.append({"name": plain_text(type), "n": scores[0].n, "cells": cells})
    return rows


def task_rows(look: Look) -> list[dict[str, Any]]:
    """Return a row for each task, type by type: how often each arm solved it, and in how many steps."""
    arms = [arm.name for arm in look.compared.arms]
    of: dict[tuple[str, str], list[Attempt]] = {}
    for arm in arms:
        for attempt in look.result.of(arm):
            of.setdefault((arm, attempt.task_id), []).append(attempt)
    tasks = {attempt.task_id: attempt.type or "" for attempt in look.result.of(arms[0])}
    order = {type: number for number, type in enumerate(dict.fromkeys(tasks.values()))}
    shared = {type: _shared([task for task, its in tasks.items() if its == type]) for type in order}
    rows = []
    for task, type in sorted(tasks.items(), key=lambda item: order[item[1]]):
        cells = []
        for arm in arms:
            attempts = of[arm, task]
            won = sum(one.won for one in attempts) / len(attempts)
            steps = sum(one.steps for one in attempts) / len(attempts)
            cells.append({"share": round(won, 2), "steps": f"{steps:g}" if steps == int(steps) else f"{steps:.1f}"})
        differs = len({cell["share"] for cell in cells}) > 1
        short = plain_text(task[shared[type] :])
        rows.append(
            {"id": plain_text(task), "short": short, "type": plain_text(type), "cells": cells, "differs": differs}
        )
    return rows


def _shared(ids: list[str]) -> int:
    """Return how many characters, up to a slash, all of several ids begin with alike; 0 if there is only one."""
    if len(ids) < 2:
        return 0
    first, last = min(ids), max(ids)
    alike = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first.rfind("/", 0, alike) + 1


# -- procedures -------------------------------------------------------------------------------------------------------


def procedure_rows(look: Look) -> list[dict[str, Any]]:
    """Return the procedures that were served first most often, with what they say in the last version that has them."""
    firsts: Counter[str] = Counter()
    wins: Counter[str] = Counter()
    for arm in look.views:
        for attempt in look.result.of(arm.name):
            if attempt.served:
                firsts[attempt.served[0]] += 1
                wins[attempt.served[0]] += attempt.won
    if look.memory is None:
        return []
    views = [view for view in (_view(look.memory, arm) for arm in reversed(look.views)) if view is not None]
    rows: list[dict[str, Any]] = []
    for name, count in sorted(firsts.items(), key=lambda item: (-item[1], item[0])):
        found = _procedure(name, views)
        if found is not None and len(rows) < PROCEDURES_SHOWN:
            rows.append(_procedure_row(*found, first=count, won=wins[name]))
    return rows


def _view(memory: Memory, arm: Arm) -> View | None:
    """Return the version that the arm was; None if it is not in this memory."""
    if arm.branch is None or arm.position is None:
        return None
    try:
        return memory.branch(arm.branch).at(arm.position)
    except (NotFoundError, InvalidInputError):
        return None


def _procedure(name: str, views: list[View]) -> tuple[Procedure, View] | None:
    for view in views:
        try:
            return view.procedure(name), view
        except NotFoundError:
            continue
    return None


def _procedure_row(procedure: Procedure, view: View, *, first: int, won: int) -> dict[str, Any]:
    known = procedure.evidence
    return {
        "name": plain_text(procedure.name),
        "task": plain_text(procedure.task),
        "status": procedure.status.value,
        "support": procedure.support,
        "helped": f"{known.helped} of {known.episodes}" if known.episodes else "never served in an episode",
        "builder": plain_text(procedure.builder),
        "first": first,
        "won": won,
        "critique": plain_text(procedure.revision.critique or ""),
        "tokens": _tokens(procedure, view),
    }


def _tokens(procedure: Procedure, view: View) -> list[dict[str, str]]:
    """Return the script as tokens with their kinds; the actions of the run where there is no script."""
    if procedure.script is None:
        run = procedure.run
        actions = () if run is None else run.actions
        lines = [f"{number:3}. {' '.join(plain_text(action).split())}\n" for number, action in enumerate(actions, 1)]
        more = [f"     and {len(lines) - RUN_LINES_SHOWN} more\n"] if len(lines) > RUN_LINES_SHOWN else []
        return [{"kind": "name", "text": line} for line in [*lines[:RUN_LINES_SHOWN], *more]]
    tokens = highlight(plain_text(procedure.script.rstrip()), view.toolset_of(procedure))
    return [{"kind": token.kind, "text": token.text} for token in tokens]


# -- what is drawn ----------------------------------------------------------------------------------------------------


def curve_of(look: Look, metric: str) -> Curve | None:
    """Return the curve of a metric over the versions; None where fewer than two versions have it."""
    scale = 100 if METRICS[metric].share else 1
    lines: dict[str, list[Point]] = {}
    names = sum(not arm.name.isdecimal() for arm in look.views) <= NAMES_SHOWN
    for arm in look.views:
        figure = look.result.score(arm.name).figures.get(metric)
        if figure is None or arm.position is None:
            continue
        point = Point(
            position=arm.position,
            name=plain_text(arm.name) if names and not arm.name.isdecimal() else "",
            value=scale * figure.value,
            low=scale * figure.interval.low,
            high=scale * figure.interval.high,
        )
        lines.setdefault(arm.branch or "", []).append(point)
    if len({point.position for points in lines.values() for point in points}) < 2:
        return None
    bases = {
        plain_text(arm.name): scale * figures[metric].value
        for arm in look.bases
        if metric in (figures := look.result.score(arm.name).figures)
    }
    marked, found = None, look.bisection
    if found is not None:
        marked = found.position
        for points in lines.values():
            # What was served at the bad end was served since the last version that was played.
            if points[-1].position < found.bad:
                last = points[-1]
                points[-1] = attrs.evolve(last, name="")
                points.append(attrs.evolve(last, position=found.bad))
    return Curve(
        label=METRICS[metric].labels[look.result.measured.kind],
        lines={branch: tuple(points) for branch, points in lines.items()},
        bases=bases,
        share=METRICS[metric].share,
        marked=marked,
        steps=found is not None,
    )


def gaps_of(comparisons: tuple[Comparison, ...], metric: str) -> list[Gap]:
    """Return the differences of a metric as they are drawn."""
    scale = 100 if METRICS[metric].share else 1
    found = []
    for one in comparisons:
        difference = one.differences.get(metric)
        if difference is not None:
            colour = {"better": "good", "worse": "bad"}.get(difference.verdict, "muted")
            found.append(
                Gap(
                    label=f"{plain_text(one.b)} against {plain_text(one.a)}",
                    value=scale * difference.difference,
                    low=scale * difference.interval.low,
                    high=scale * difference.interval.high,
                    tone=colour,
                )
            )
    return found
