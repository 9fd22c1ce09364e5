"""
The page: one HTML file with style and drawings in it, and not one reference to elsewhere.

Stored text is anybody's, so everything that is put in is escaped; only the drawings, which were made here of numbers
and escaped names, are put in as they are. The page says of itself, in a policy that browsers keep, that it neither
loads nor runs anything.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memp import _resources
from memp.errors import InvalidInputError
from memp.evaluation.metrics import METRICS
from memp.evaluation.report import content
from memp.evaluation.report.content import Look
from memp.evaluation.report.plots import Plot, draw_curve, draw_gaps, require_matplotlib
from memp.evaluation.result import shown_metrics
from memp.rendering.plain import plain_text

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from memp.evaluation.bisection import Bisection
    from memp.evaluation.comparison import Comparison
    from memp.evaluation.result import Result
    from memp.memory import Memory

TEMPLATES = ("report.j2", "report_style.j2")
"""The page, and how it looks."""

CURVES = ("success", "steps", "tokens")
"""The metrics that are drawn over the versions, where they were measured."""


def check_report(path: str | os.PathLike[str]) -> None:
    """
    Refuse what ``write_report`` would refuse, before the work of hours that the report is about.

    Raises:
        InvalidInputError: matplotlib is not installed, or no file can be made at *path*.
    """
    require_matplotlib()
    target = Path(path)
    folder = target.parent
    if target.is_dir():
        raise InvalidInputError(f"A report must go to a file ({str(path)!r} is a folder). Name a file in it.")
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidInputError(
            f"The report cannot be written to {str(path)!r} (nothing can be written to the folder {str(folder)!r}). "
            "Name a file in a folder that is there."
        )


def write_report(
    result: Result,
    path: str | os.PathLike[str],
    *,
    memory: Memory | None = None,
    bisection: Bisection | None = None,
) -> None:
    """
    Write a report as one HTML file that needs no network.

    Args:
        result: What was found out.

        path: Where; what is there is replaced, at once and not bit by bit.

        memory: Where the procedures that were served are read from; None leaves their texts out.

        bisection: The search that the result comes from; None if it comes from none.

    Raises:
        InvalidInputError: matplotlib, scipy or statsmodels is not installed, or the file cannot be written.
    """
    text = page_text(result, memory=memory, bisection=bisection)
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InvalidInputError(
            f"The report cannot be written to {str(path)!r} ({error.strerror}). Name a file in a folder that is there."
        ) from error


def page_text(result: Result, *, memory: Memory | None = None, bisection: Bisection | None = None) -> str:
    """
    Return the page; the same result and memory give the same text, byte for byte.

    Args:
        result: What was found out.

        memory: Where the procedures that were served are read from; None leaves their texts out.

        bisection: The search that the result comes from; None if it comes from none.

    Raises:
        InvalidInputError: matplotlib, scipy or statsmodels is not installed.
    """
    look = Look(result=result, memory=memory, bisection=bisection)
    comparisons = content.pairs(look)
    tasks = content.task_rows(look)
    values: dict[str, Any] = {
        "title": plain_text(f"{result.measured.suite}: what versions are worth"),
        "headline": content.headline(look),
        "facts": content.facts(look),
        "bisection": None if bisection is None else _found(bisection),
        "curves": [_plot(plot) for plot in _curves(look)],
        "arms": content.arm_rows(look),
        "pairs": content.pair_rows(comparisons),
        "power": content.power(comparisons),
        "gaps": [_plot(plot) for plot in _gaps(look, comparisons)],
        "arm_names": [plain_text(arm.name) for arm in look.compared.arms],
        "types": content.type_rows(look),
        "tasks": [row for row in tasks if row["differs"]],
        "other_tasks": [row for row in tasks if not row["differs"]],
        "procedures": content.procedure_rows(look),
        "kind": result.measured.kind,
        "max_steps": result.measured.max_steps,
    }
    return _environment().get_template("report.j2").render(values)


def _curves(look: Look) -> list[Plot]:
    plots = []
    for metric in shown_metrics(look.result):
        curve = content.curve_of(look, metric) if metric in CURVES else None
        if curve is not None:
            ends = [(points[0], points[-1]) for points in curve.lines.values()]
            told = "; ".join(
                f"from {first.value:.0f} at position {first.position} to {last.value:.0f} at {last.position}"
                for first, last in ends
            )
            plots.append(draw_curve(curve, name=f"curve-{metric}", told=f"{curve.label}: {told}."))
    return plots


def _gaps(look: Look, comparisons: tuple[Comparison, ...]) -> list[Plot]:
    labels = {"success": "tasks solved, percentage points", "steps": "mean steps"}
    plots = []
    for metric, label in labels.items():
        gaps = content.gaps_of(comparisons, metric) if metric in shown_metrics(look.result) else []
        if gaps:
            better = "right" if METRICS[metric].higher_is_better else "left"
            told = "; ".join(f"{gap.label} {gap.value:+.1f} ({gap.low:+.1f} to {gap.high:+.1f})" for gap in gaps)
            plots.append(draw_gaps(gaps, label=f"{label} ({better} is better)", name=f"gaps-{metric}", told=told))
    return plots


def _plot(plot: Plot) -> dict[str, Any]:
    from markupsafe import Markup

    # Made here of numbers, and of names that the drawing has escaped.
    return {"wide": Markup(plot.wide), "narrow": Markup(plot.narrow), "told": plot.told}


def _found(bisection: Bisection) -> dict[str, Any]:
    return {name: plain_text(value) if isinstance(value, str) else value for name, value in bisection.told().items()}


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    loader = jinja2.FunctionLoader(lambda name: _resources.read_text("templates", name) if name in TEMPLATES else None)
    return ImmutableSandboxedEnvironment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
