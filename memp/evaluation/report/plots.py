"""
The plots of a report, as SVG that stands in the page itself.

Drawn twice, for wide and for narrow screens: a drawing that is only made smaller cannot be read on a telephone. Colours
are names, given meaning by the page, so that one drawing serves on light ground, on dark and on paper. A library that
draws in the browser was not taken: it would have to be loaded from somewhere, or be ten times as large as the report.
"""

from __future__ import annotations

import io
import itertools
import re
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from memp.errors import InvalidInputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, NARROW = (7.4, 3.0), (3.7, 2.9)
"""Inches: the column of text on a desk, and a telephone held upright, at the size of letters that surrounds them."""

ROW_INCHES = 0.3
"""Height of one row of a plot of differences."""

LABELS_APART = 0.085
"""How far apart names stand that would cover each other, as a share of the height."""

COLOURS = {
    "ink": "#010101",
    "muted": "#020202",
    "line": "#030303",
    "accent": "#040404",
    "good": "#050505",
    "bad": "#060606",
    "base": "#070707",
}
"""Names of colours to what stands for them until the drawing is done; the page says what they look like."""

_UNWANTED = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->|<style\b.*?</style>", re.DOTALL)
_IDS = re.compile(r'(\bid="|href="#|url\(#)')


@attrs.frozen(kw_only=True)
class Point:
    """
    What an arm comes to, for a curve.

    Attributes:
        position: Where it stands.

        name: What it is called; empty if it is not to be written beside it.

        value: Its mean.

        low: The lower end of the interval.

        high: The upper end.
    """

    position: int
    name: str
    value: float
    low: float
    high: float


@attrs.frozen(kw_only=True)
class Curve:
    """
    One figure over the versions.

    Attributes:
        label: What it is, and in what unit.

        lines: Branch to its points, by position.

        bases: Name of an arm that is no version, to what it comes to.

        share: Whether the scale is 0 to 100.

        marked: Position of an event that is pointed at; None if none is.

        steps: Whether a version holds until the next one that is drawn, rather than changing on the way there.
    """

    label: str
    lines: dict[str, tuple[Point, ...]]
    bases: dict[str, float]
    share: bool
    marked: int | None = None
    steps: bool = False


@attrs.frozen(kw_only=True)
class Gap:
    """
    The difference of two arms, for a plot of differences.

    Attributes:
        label: Which two.

        value: The difference.

        low: The lower end of its interval.

        high: The upper end.

        tone: ``good``, ``bad`` or ``muted``.
    """

    label: str
    value: float
    low: float
    high: float
    tone: str


@attrs.frozen(kw_only=True)
class Plot:
    """
    One drawing in both widths, as SVG without any reference to elsewhere.

    Attributes:
        wide: For wide screens and paper.

        narrow: For narrow screens.

        told: What it shows, in words, for who cannot see it.
    """

    wide: str
    narrow: str
    told: str


def draw_curve(curve: Curve, *, name: str, told: str) -> Plot:
    """
    Return the plot of one figure over the versions.

    Args:
        curve: What to draw.

        name: Of the drawing; unique in the page.

        told: What it shows, in words.

    Raises:
        InvalidInputError: matplotlib is not installed.
    """

    def draw(axes: Axes, narrow: bool) -> None:
        _curve(axes, curve, narrow=narrow)

    return _both(draw, name=name, told=told, wide=WIDE, narrow=NARROW)


def draw_gaps(gaps: Sequence[Gap], *, label: str, name: str, told: str) -> Plot:
    """
    Return the plot of differences with their intervals, one below the other.

    Args:
        gaps: What to draw, from above.

        label: What the difference is in.

        name: Of the drawing; unique in the page.

        told: What it shows, in words.

    Raises:
        InvalidInputError: matplotlib is not installed.
    """
    height = 0.75 + ROW_INCHES * len(gaps)

    def draw(axes: Axes, narrow: bool) -> None:
        _gaps(axes, gaps, label, narrow=narrow)

    return _both(draw, name=name, told=told, wide=(WIDE[0], height), narrow=(NARROW[0], height))


# -- drawing ---------------------------------------------------------------------------------------------------------


def _curve(axes: Axes, curve: Curve, *, narrow: bool) -> None:
    styles = ["-", "--", ":", "-."]
    how: dict[str, Any] = {"drawstyle": "steps-post"} if curve.steps else {}
    for number, points in enumerate(curve.lines.values()):
        x = [point.position for point in points]
        axes.fill_between(
            x, [p.low for p in points], [p.high for p in points], color=COLOURS["accent"], alpha=0.13, linewidth=0,
            step="post" if curve.steps else None,
        )  # fmt: skip
        axes.plot(
            x, [p.value for p in points], styles[number % 4], color=COLOURS["accent"], linewidth=2, zorder=3,
            marker="o", markersize=4.5 if len(points) < 40 else 0, markeredgewidth=0, clip_on=False, **how,
        )  # fmt: skip
        if curve.steps:
            end = points[-1]
            axes.plot(
                [end.position, end.position + _room(curve)], [end.value] * 2, color=COLOURS["accent"], linewidth=2
            )
    positions = [point.position for points in curve.lines.values() for point in points]
    # A version that holds until the next one needs room behind the last one to be seen.
    axes.set_xlim(min(positions), max(positions) + (_room(curve) if curve.steps else 0))
    _scale(axes, curve)
    _name_points(axes, curve, narrow=narrow)
    _draw_bases(axes, curve)
    _mark(axes, curve)
    axes.set_xlabel("position in the log", color=COLOURS["muted"], fontsize=9)
    axes.set_title(curve.label, loc="left", fontsize=10, color=COLOURS["muted"], pad=20)
    axes.grid(axis="y", color=COLOURS["line"], linewidth=0.7)
    axes.locator_params(axis="x", integer=True, nbins=4 if narrow else 8)


def _room(curve: Curve) -> float:
    """Return how much of the scale of positions stands for "a little"."""
    positions = [point.position for points in curve.lines.values() for point in points]
    return (max(positions) - min(positions)) * 0.035


def _scale(axes: Axes, curve: Curve) -> None:
    if curve.share:
        axes.set_ylim(0, 102)
        axes.set_yticks([0, 25, 50, 75, 100])
        return
    shown = [end for points in curve.lines.values() for point in points for end in (point.low, point.high)]
    shown += list(curve.bases.values())
    room = (max(shown) - min(shown)) * 0.1 or 1.0
    axes.set_ylim(min(shown) - room, max(shown) + room)


def _name_points(axes: Axes, curve: Curve, *, narrow: bool) -> None:
    """Write names above their points; those at the ends keep inside of the drawing."""
    low, high = axes.get_xlim()
    for points in curve.lines.values():
        for point, after in itertools.zip_longest(points, points[1:]):
            if not point.name or (narrow and low < point.position < high and after is not None):
                continue
            close = after is not None and after.position - point.position < _room(curve)
            place = "left" if point.position == low else "right" if close or point.position == high else "center"
            axes.annotate(
                point.name, (point.position, point.value), xytext=(0, 7), textcoords="offset points", ha=place,
                fontsize=9, color=COLOURS["ink"], zorder=4, annotation_clip=False,
            )  # fmt: skip


def _draw_bases(axes: Axes, curve: Curve) -> None:
    """Draw the arms that are no versions, and name them at the right, one above the other where they lie close."""
    bottom, top = axes.get_ylim()
    apart, written = (top - bottom) * LABELS_APART, bottom - (top - bottom)
    for name, value in sorted(curve.bases.items(), key=lambda item: item[1]):
        axes.axhline(value, color=COLOURS["base"], linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        written = max(value, written + apart)
        axes.annotate(
            name, (1.0, written), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=9, color=COLOURS["muted"], annotation_clip=False,
        )  # fmt: skip


def _mark(axes: Axes, curve: Curve) -> None:
    low, high = axes.get_xlim()
    if curve.marked is None or not low <= curve.marked <= high:
        return
    axes.axvline(curve.marked, color=COLOURS["bad"], linewidth=1.2, zorder=2)
    right = curve.marked - low < (high - low) * 0.8
    axes.annotate(
        f"event {curve.marked}", (curve.marked, 0.04), xycoords=("data", "axes fraction"),
        xytext=(5 if right else -5, 0), textcoords="offset points", ha="left" if right else "right",
        fontsize=9, color=COLOURS["bad"],
    )  # fmt: skip


def _gaps(axes: Axes, gaps: Sequence[Gap], label: str, *, narrow: bool) -> None:
    rows = list(range(len(gaps)))[::-1]
    for row, gap in zip(rows, gaps, strict=True):
        colour = COLOURS[gap.tone]
        axes.plot([gap.low, gap.high], [row, row], color=colour, linewidth=2.2, solid_capstyle="round", zorder=2)
        axes.plot([gap.value], [row], "o", color=colour, markersize=6, markeredgewidth=0, zorder=3)
    axes.axvline(0, color=COLOURS["muted"], linewidth=1, zorder=1)
    axes.set_yticks(rows, [gap.label for gap in gaps], fontsize=8 if narrow else 9.5, color=COLOURS["ink"])
    axes.set_ylim(-0.7, len(gaps) - 0.3)
    ends = [abs(end) for gap in gaps for end in (gap.low, gap.high)]
    reach = max(5.0, 1.08 * max(ends))
    axes.set_xlim(-reach, reach)
    axes.set_xlabel(label.partition(" (")[0] if narrow else label, color=COLOURS["muted"], fontsize=9)
    axes.grid(axis="x", color=COLOURS["line"], linewidth=0.7)
    axes.locator_params(axis="x", nbins=5 if narrow else 9)
    axes.tick_params(axis="y", length=0)


def _both(
    draw: Callable[[Axes, bool], None],
    *,
    name: str,
    told: str,
    wide: tuple[float, float],
    narrow: tuple[float, float],
) -> Plot:
    return Plot(
        wide=_svg(lambda axes: draw(axes, False), f"{name}-wide", wide),
        narrow=_svg(lambda axes: draw(axes, True), f"{name}-narrow", narrow),
        told=told,
    )


def _svg(draw: Callable[[Axes], None], name: str, inches: tuple[float, float]) -> str:
    matplotlib = require_matplotlib()
    from matplotlib.figure import Figure

    # Text stays text: it is found, copied and read aloud, and takes the letters of the page. Names may hold anything,
    # dollar signs and letters that the measuring font has not got, too.
    settings = {"svg.fonttype": "none", "svg.hashsalt": "memp", "text.parse_math": False}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        figure = Figure(figsize=inches, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(COLOURS["line"])
        axes.tick_params(colors=COLOURS["muted"], labelsize=9, length=3, width=0.7)
        axes.tick_params(axis="y", length=0)
        draw(axes)
        return _inline(_text_of(figure), name)


def _text_of(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _inline(svg: str, name: str) -> str:
    """Return *svg* as it may stand in a page: ids of its own, colours by name, and nothing that points elsewhere."""
    text = _UNWANTED.sub("", svg)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'<svg\b[^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', text, count=1)
    text = text.replace("xlink:href", "href")
    text = _IDS.sub(lambda match: f"{match[1]}{name}-", text)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    text = re.sub(r"\s*\n\s*", " ", text)
    for colour, stand_in in COLOURS.items():
        text = text.replace(stand_in, f"var(--{colour})")
    return text.strip()


def require_matplotlib() -> Any:
    """
    Return matplotlib.

    Raises:
        InvalidInputError: It is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise InvalidInputError(
            "A report needs matplotlib, which is not installed. Install it with: pip install 'memp[evaluation]'."
        ) from error
    return matplotlib
