"""
How diffs, blames, stories, lineages and plans look in a terminal: aligned, coloured, folded where they are long.

Lines are laid out here rather than by rich's tables, which pad every line to the width of the longest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from memp.cli.output import counted, moment, one_line, plain
from memp.model import Evidence

if TYPE_CHECKING:
    from rich.console import Console

    from memp.history.blame import Blame
    from memp.history.diff import Diff, FieldChange, ProcedureChange
    from memp.history.lineage import Lineage, Node
    from memp.history.told import Told
    from memp.history.undo import UndoPlan
    from memp.history.why import Story
    from memp.model import Procedure
    from memp.script.diff import Change

CHANGES_SHOWN = 24
"""Changes of one procedure that are shown unless all are asked for: what a screen holds."""

EVENTS_SHOWN = 20
"""Events of a plan that are shown: enough to see what kind they are."""

SOURCES_SHOWN = 5
"""Runs of one revision that are shown."""

LAST_COLUMN_MIN = 24
"""Columns that the last column has at least, however narrow the terminal is."""

ID_WIDTH_MIN = 110
"""From this width on event ids are shown beside positions; below, sentences need the room."""

MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow"), "moved": (">", "cyan")}
"""What stands before a change, and its colour."""

Cell = tuple[str, str]
"""A text, and its style."""


def print_rows(out: Console, rows: Sequence[Sequence[Cell]], *, indent: int = 0) -> None:
    """Print *rows* in columns; the last one is folded under itself where it is too long."""
    if not rows:
        return
    widths = [max(cell_len(row[column][0]) for row in rows) for column in range(len(rows[0]) - 1)]
    start = indent + sum(width + 2 for width in widths)
    room = max(out.width - start, LAST_COLUMN_MIN)
    for row in rows:
        head = Text(" " * indent)
        for (text, style), width in zip(row[:-1], widths, strict=True):
            head.append(text, style)
            head.append(" " * (width - cell_len(text) + 2))
        text, style = row[-1]
        lines = Text(text, style).wrap(out, room)
        for number, line in enumerate(lines or [Text("")]):
            line.rstrip()
            whole = Text.assemble(head if number == 0 else Text(" " * start), line)
            whole.rstrip()
            out.print(whole, soft_wrap=True)


# -- diff -------------------------------------------------------------------------------------------------------------


def print_diff(out: Console, diff: Diff, *, full: bool = False) -> None:
    """Print what differs, procedure by procedure, and how much it is."""
    for change in diff.changes:
        _print_change(out, change, full=full)
    counts = [f"{count} {kind}" for kind, count in diff.counts.items() if count]
    out.print(f"{', '.join(counts)}." if counts else "No differences.")


def _print_change(out: Console, change: ProcedureChange, *, full: bool) -> None:
    mark, style = MARKS[change.kind]
    head = Text.assemble((f"{mark} {one_line(change.name)}", f"bold {style}"))
    procedure = change.after or change.before
    assert procedure is not None
    if change.kind != "changed":
        head.append(f"  {_brief(procedure)}", "dim")
    out.print(head, soft_wrap=True)
    print_rows(out, [_field_row(field) for field in change.fields], indent=4)
    rows = [row for one in change.content for row in _content_rows(one)]
    shown = rows if full or len(rows) <= CHANGES_SHOWN else rows[:CHANGES_SHOWN]
    print_rows(out, shown, indent=4)
    if len(shown) < len(rows):
        out.print(f"    … and {counted(len(rows) - len(shown), 'more line')}; --full shows all.", style="dim")


def _brief(procedure: Procedure) -> str:
    built = f"{procedure.builder}, from {counted(procedure.support, 'run')}"
    return f"{procedure.status.value}, {built}"


def _field_row(change: FieldChange) -> list[Cell]:
    if change.field == "candidate":
        return _candidate_row(change)
    before, after = _value(change.field, change.before), _value(change.field, change.after)
    if change.field in ("support", "revisions") and before == after:
        after += " (others)"
    return [("~", "yellow"), (change.field, "bold"), (f"{before} → {after}", "")]


def _candidate_row(change: FieldChange) -> list[Cell]:
    if change.before is None:
        return [("+", "green"), ("candidate", "bold"), (one_line(str(change.after)), "green")]
    became = "" if change.after is None else f" ({change.after})"
    return [("-", "red"), ("candidate", "bold"), (f"{one_line(str(change.before))}{became}", "red")]


def _value(field: str, value: object) -> str:
    match value:
        case Evidence():
            return f"{value.helped} of {value.episodes}" if value.episodes else "none"
        case tuple():
            return ", ".join(map(one_line, value)) or "none"
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case int():
            return counted(value, {"support": "run", "revisions": "revision"}.get(field, field))
        case _:
            return one_line(str(value))


def _content_rows(change: Change) -> list[list[Cell]]:
    subject = f"{change.what} {change.place}".rstrip()
    if change.procedure and change.what == "procedure":
        subject = "procedure"
    match change.kind:
        case "renamed":
            return [[("~", "yellow"), (subject, "bold"), (f"{change.before} → {change.after}", "yellow")]]
        case "moved":
            return _marked("moved", f"{subject}, was {change.before}", change.after)
        case "changed":
            return [*_marked("removed", subject, change.before), *_marked("added", subject, change.after)]
        case kind:
            return _marked(kind, subject, change.before if kind == "removed" else change.after)


def _marked(kind: str, subject: str, text: str | None) -> list[list[Cell]]:
    mark, style = MARKS[kind]
    first, *rest = plain(text or "").split("\n")
    return [[(mark, style), (subject, "bold"), (first, style)], *([(mark, style), ("", ""), (r, style)] for r in rest)]


# -- events -----------------------------------------------------------------------------------------------------------


def _told_rows(told: Iterable[Told], *, with_ids: bool) -> list[list[Cell]]:
    rows = []
    for one in told:
        style = "" if one.in_force else "dim"
        row = [
            (" " if one.in_force else "x", "red"),
            (f"#{one.position}", style or "cyan"),
            (moment(one.recorded_at), "dim"),
            (one_line(one.actor), style or "magenta"),
        ]
        if with_ids:
            row.append((one.event_id, "dim"))
        rows.append([*row, (one_line(one.sentence), style)])
    return rows


def print_why(out: Console, story: Story) -> None:
    """Print the story of a procedure; what is out of force is marked and dim."""
    procedure = story.procedure
    head = Text(one_line(story.name), "bold")
    if procedure is None:
        head.append(": not here any more.", "red")
    else:
        evidence = procedure.evidence
        helped = f"helped in {evidence.helped} of {evidence.episodes}" if evidence.episodes else "no evidence yet"
        head.append(f": {procedure.status.value}, built from {counted(procedure.support, 'run')}, {helped}.", "")
    out.print(head, soft_wrap=True)
    print_rows(out, _told_rows(story.told, with_ids=out.width >= ID_WIDTH_MIN))
    if any(not one.in_force for one in story.told):
        out.print("x: out of force.", style="dim")


def print_blame(out: Console, blame: Blame) -> None:
    """Print each line with the event that brought it in, and then these events."""
    rows: list[list[Cell]] = []
    before = None
    for line in blame.lines:
        origin = line.origin
        same = origin.event_id == before
        before = origin.event_id
        style = "cyan" if origin.in_force else "dim"
        who: list[Cell] = [("", ""), ("", ""), ("", "")]
        if not same:
            day = moment(origin.recorded_at).split(" ")[0]
            who = [(f"#{origin.position}", style), (one_line(origin.actor), "magenta"), (day, "dim")]
        first, *rest = plain(line.text).split("\n")
        rows.append([*who, (line.step, "dim"), (first, "")])
        rows += [[("", ""), ("", ""), ("", ""), ("", ""), (text, "")] for text in rest]
    out.print(Text(one_line(blame.name), "bold"), soft_wrap=True)
    print_rows(out, rows)
    out.print()
    print_rows(out, _told_rows(blame.origins, with_ids=out.width >= ID_WIDTH_MIN))


# -- plans ------------------------------------------------------------------------------------------------------------

DEPENDENTS = {
    "refuse": "Made from this, and in the way:",
    "cascade": "Made from this, and undone with it:",
    "taint": "Made from this, and kept as tainted:",
}
"""What is said of dependents, by how they are treated."""


def print_plan(out: Console, plan: UndoPlan, events: Sequence[Told], dependents: Sequence[Told]) -> None:
    """Print what an undo does: the events, what was made from them, and what becomes of the procedures."""
    _print_events(out, "To undo:", events)
    if dependents:
        _print_events(out, DEPENDENTS[plan.on_dependents], dependents)
    if plan.exposed:
        out.print(f"{counted(len(plan.exposed), 'episode')} saw this; they happened, and stay.")
    if plan.rebuilt:
        out.print(f"Built again from the runs that stay: {', '.join(map(one_line, plan.rebuilt))}.", soft_wrap=True)
    out.print("Procedures:", style="bold")
    print_diff(out, plan.diff)


def _print_events(out: Console, title: str, told: Sequence[Told]) -> None:
    out.print(title, style="bold")
    print_rows(out, _told_rows(told[:EVENTS_SHOWN], with_ids=out.width >= ID_WIDTH_MIN))
    if len(told) > EVENTS_SHOWN:
        out.print(f"   … and {len(told) - EVENTS_SHOWN} more.", style="dim")


# -- lineage ----------------------------------------------------------------------------------------------------------


def print_lineage(out: Console, lineage: Lineage) -> None:
    """Print each procedure with its revisions, and below each what it was made from."""
    nodes = {node.id: node for node in lineage.nodes}
    into: dict[str, list[tuple[str, str]]] = {}
    for edge in lineage.edges:
        into.setdefault(edge.target, []).append((edge.what, edge.source))
    procedures = [node for node in lineage.nodes if node.kind == "procedure"]
    for procedure in procedures:
        out.print(_node_text(procedure, "bold"), soft_wrap=True)
        for what, revision in into.get(procedure.id, ()):
            if what in ("of", "active"):
                _print_revision(out, nodes, into, revision)


def _print_revision(
    out: Console, nodes: dict[str, Node], into: dict[str, list[tuple[str, str]]], revision: str
) -> None:
    out.print(Text("  ").append_text(_node_text(nodes[revision], "cyan")), soft_wrap=True)
    for _, event in into.get(revision, ()):
        rows: list[list[Cell]] = [[("by", "dim"), (one_line(nodes[event].label), _style(nodes[event], ""))]]
        # A merge comes from its procedures and from their revisions; the revisions say it all.
        sources = [nodes[source] for what, source in into.get(event, ()) if what == "from"]
        rows += [[("from", "dim"), (one_line(node.label), _style(node, ""))] for node in sources[:SOURCES_SHOWN]]
        if len(sources) > SOURCES_SHOWN:
            rows.append([("", ""), (f"… and {len(sources) - SOURCES_SHOWN} more", "dim")])
        print_rows(out, rows, indent=4)


def _node_text(node: Node, style: str) -> Text:
    return Text(one_line(node.label), _style(node, style))


def _style(node: Node, style: str) -> str:
    return style if node.in_force else "dim"
