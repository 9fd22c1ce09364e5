"""
A result as people and programs read it: tables of text, sentences, and plain values.

Rich lays the tables out; nothing here knows of a terminal, so that ``Result.table()`` is the same text in a notebook,
in a file and on a screen.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import attrs

from memp.evaluation.comparison import Comparison, Difference
from memp.evaluation.metrics import METRICS, Figure, Metric, Score

if TYPE_CHECKING:
    from rich.table import Table

    from memp.evaluation.result import Result
    from memp.events.measuring import Spent

WIDTH = 100
"""Columns of a table as text: what fits beside other text on a screen."""

P_SHOWN_MIN = 0.001
"""Below this a p value is only said to be below it."""

DASH = "–"


def table_text(result: Result) -> str:
    """Return the figures of every arm, by type too, and what the pairs of arms differ by."""
    parts = [heading(result), _render(figures_table(result))]
    if len(result.types) > 1:
        parts.append(_render(types_table(result, METRICS["success"])))
    if result.pairs:
        parts += [_render(pairs_table(result)), power_text(result)]
    parts += [spent_text(spent) for spent in result.spent]
    return "\n\n".join(part.rstrip() for part in parts if part.strip()) + "\n"


def heading(result: Result) -> str:
    """Return what was measured, as one sentence."""
    measured, first = result.measured, result.arms[0].name
    tasks = result.score(first).n
    seeds = "" if len(result.seeds) == 1 else f" with {len(result.seeds)} seeds each"
    if measured.kind == "replay":
        return f"{tasks} held-out runs of {measured.suite!r}; behind each figure its 95 % interval."
    return (
        f"{tasks} tasks of {measured.suite!r}{seeds}, done by {measured.agent!r} in at most {measured.max_steps} "
        "steps; a lost task counts them all. Behind each figure its 95 % interval."
    )


def figures_table(result: Result) -> Table:
    """Return a table with a row for each arm and a column for each metric."""
    from memp.evaluation.result import shown_metrics

    metrics = [METRICS[name] for name in shown_metrics(result)]
    table = _table("arm", *(metric.labels[result.measured.kind] for metric in metrics))
    for arm in result.arms:
        figures = result.score(arm.name).figures
        table.add_row(arm.name, *(figure_text(figures.get(metric.name)) for metric in metrics))
    return table


def types_table(result: Result, metric: Metric) -> Table:
    """Return a table of one metric with a row for each type of task and a column for each arm."""
    table = _table(metric.labels[result.measured.kind], "tasks", *(arm.name for arm in result.arms))
    for type in result.types:
        scores = [result.score(arm.name, type) for arm in result.arms]
        cells = (value_text(score.figures.get(metric.name)) for score in scores)
        table.add_row(type, str(scores[0].n), *cells)
    return table


def pairs_table(result: Result) -> Table:
    """Return a table with a row for each pair of arms: what the second differs by from the first."""
    table = _table("pair", "points", "95 %", "better", "worse", "p", "solved", "steps", "p")
    for a, b in result.pairs:
        compared = result.compare(a, b)
        success, steps = compared.success, compared.steps
        low, high = 100 * success.interval.low, 100 * success.interval.high
        table.add_row(
            f"{b} against {a}",
            f"{100 * success.difference:+.0f}",
            f"{low:+.0f} to {high:+.0f}",
            str(len(compared.better)),
            str(len(compared.worse)),
            p_text(success.p_adjusted),
            success.verdict,
            f"{steps.difference:+.1f}",
            p_text(steps.p_adjusted),
        )
    return table


def power_text(result: Result) -> str:
    """Return what the p values are, and what a sample of this size can show at all."""
    compared = [result.compare(a, b) for a, b in result.pairs]
    pairs = compared[0].compared
    adjusted = "" if pairs == 1 else f", adjusted for {pairs} pairs by Holm"
    best = min(compared, key=lambda one: one.power.points or math.inf)
    return f"p by McNemar's exact test and by bootstrap{adjusted}. At best, {best.power}"


def spent_text(spent: Spent) -> str:
    """Return what the requests of an agent to one model came to, as a sentence."""
    failed = f", {spent.failed} in vain" if spent.failed else ""
    price = "" if spent.price is None else f", at a price of {spent.price:.4f}"
    return (
        f"{spent.model!r} was asked {spent.calls:,} times{failed}: {spent.tokens_in:,} tokens in, "
        f"{spent.tokens_out:,} out{price}."
    )


def p_text(p: float) -> str:
    """Return a p value as people read it."""
    return "<.001" if p < P_SHOWN_MIN else f"{p:.3f}"


def figure_text(figure: Figure | None) -> str:
    """Return a figure with its interval behind it; a dash where there is none."""
    if figure is None:
        return DASH
    metric = METRICS[figure.metric]
    low, high = (_number(end, metric) for end in (figure.interval.low, figure.interval.high))
    return f"{value_text(figure)}  ({low}{DASH}{high})"


def value_text(figure: Figure | None) -> str:
    """Return a figure alone; a dash where there is none."""
    return DASH if figure is None else _number(figure.value, METRICS[figure.metric])


def _number(value: float, metric: Metric) -> str:
    if metric.share:
        return f"{100 * value:.0f}"
    return f"{value:.2f}" if metric.name == "reward" else f"{value:.1f}"


def _table(first: str, *others: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, overflow="fold")
    for other in others:
        table.add_column(other, justify="right")
    return table


def _render(table: Table) -> str:
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=WIDTH, markup=False, emoji=False, highlight=False, no_color=True).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


# -- for programs ----------------------------------------------------------------------------------------------------


def summary(result: Result) -> dict[str, Any]:
    """Return arms, types and pairs as plain values."""
    measured = result.measured
    return {
        "suite": {
            "name": measured.suite,
            "version": measured.suite_version,
            "digest": measured.suite_digest,
            "kind": measured.kind,
        },
        "agent": {"name": measured.agent, "version": measured.agent_version},
        "memp_version": measured.memp_version,
        "seeds": list(result.seeds),
        "k": measured.k,
        "max_steps": measured.max_steps,
        "arms": {
            arm.name: score_values(result.score(arm.name))
            | {"kind": arm.kind, "branch": arm.branch, "position": arm.position, "state_digest": arm.state_digest}
            for arm in result.arms
        },
        "by_type": {
            type: {arm.name: score_values(result.score(arm.name, type)) for arm in result.arms} for type in result.types
        },
        "pairs": {f"{a}/{b}": comparison_values(result.compare(a, b)) for a, b in result.pairs},
        "spent": [attrs.asdict(spent) for spent in result.spent],
    }


def score_values(score: Score) -> dict[str, Any]:
    """Return what an arm comes to: each metric with its interval, and ``n``, the number of tasks."""
    values: dict[str, Any] = {}
    for name, figure in score.figures.items():
        values[name] = figure.value
        values[f"{name}_interval"] = [figure.interval.low, figure.interval.high]
    return values | {"n": score.n, "attempts": score.attempts}


def comparison_values(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison; differences are those of the second arm to the first."""
    return {
        "verdict": comparison.verdict,
        "says": str(comparison),
        "tasks": comparison.tasks,
        "differences": {name: _difference_values(one) for name, one in comparison.differences.items()},
        "better": [one.task_id for one in comparison.better],
        "worse": [one.task_id for one in comparison.worse],
        "faster": [one.task_id for one in comparison.faster],
        "slower": [one.task_id for one in comparison.slower],
        "power": {
            "tasks": comparison.power.tasks,
            "points": comparison.power.points,
            "says": str(comparison.power),
        },
        "by_type": {
            str(one.type): {
                "verdict": one.verdict,
                "tasks": one.tasks,
                "differences": {name: _difference_values(other) for name, other in one.differences.items()},
                "better": [other.task_id for other in one.better],
                "worse": [other.task_id for other in one.worse],
            }
            for one in comparison.by_type
        },
    }


def _difference_values(difference: Difference) -> dict[str, Any]:
    return {
        "a": difference.a,
        "b": difference.b,
        "difference": difference.difference,
        "interval": [difference.interval.low, difference.interval.high],
        "p": difference.p,
        "p_adjusted": difference.p_adjusted,
        "verdict": difference.verdict,
    }
