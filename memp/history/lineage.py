"""
What was made from what: runs, the events that made something of them, revisions, and the procedures these belong to.

The graph holds all that the procedure came from and the procedures that it was merged into, in force or not, and says
which is which. Evidence and verdicts are no lineage: they judge a content and make none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from memp.events import ProcedureAdded, ProcedureGeneralised, ProcedureMerged, ProcedureReflected, TrajectoryRecorded
from memp.history.contents import OUTCOMES
from memp.history.told import Teller
from memp.model import EventId, Procedure, ProcedureId
from memp.projection import Entry
from memp.state import State

LABEL_CHARS_MAX = 60
"""Longest text in a drawing; longer ones are cut, because a graph of essays cannot be read."""

_MAKES_REVISION = (ProcedureAdded, ProcedureGeneralised, ProcedureReflected, ProcedureMerged)
_SHAPES = {"run": ("([", "])"), "event": ("[", "]"), "revision": ("(", ")"), "procedure": ("[[", "]]")}
_DOT_SHAPES = {"run": "ellipse", "event": "box", "revision": "note", "procedure": "component"}


@attrs.frozen(kw_only=True)
class Node:
    """
    Something in a lineage.

    Attributes:
        id: Kind and id, such as ``run:…``; an event and the revision that it made differ in the kind alone.

        kind: ``run``, ``event``, ``revision`` or ``procedure``.

        label: What people read.

        position: Where its event stands; for a procedure, where it was added.

        in_force: Whether it counts in the version that was asked.
    """

    id: str
    kind: str
    label: str
    position: int
    in_force: bool


@attrs.frozen(kw_only=True)
class Edge:
    """
    What led to what.

    Attributes:
        source: The id of the earlier node.

        target: The id of the later node.

        what: ``from`` (content was made from it), ``made`` (an event made a revision), ``of`` (a revision belongs to a
            procedure), ``active`` (and is what it says) or ``merged``.
    """

    source: str
    target: str
    what: str


@attrs.frozen(kw_only=True)
class Lineage:
    """
    What was made from what.

    Attributes:
        id: The procedure that was asked for.

        name: Its readable name.

        nodes: By position, runs before events before revisions before procedures.

        edges: In the order of the nodes that they come from, then of those that they lead to.
    """

    id: ProcedureId
    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as JSON has them."""
        return {
            "id": self.id,
            "name": self.name,
            "nodes": [attrs.asdict(node) for node in self.nodes],
            "edges": [attrs.asdict(edge) for edge in self.edges],
        }

    def to_mermaid(self) -> str:
        """Return the graph in the language of Mermaid; what is out of force is dashed."""
        numbers = self._numbers()
        lines = ["flowchart LR"]
        for node in self.nodes:
            start, end = _SHAPES[node.kind]
            lines.append(f'    {numbers[node.id]}{start}"{_mermaid_text(node.label)}"{end}')
        lines += [f"    {numbers[e.source]} -->|{e.what}| {numbers[e.target]}" for e in self.edges]
        out = [numbers[node.id] for node in self.nodes if not node.in_force]
        if out:
            lines += ["    classDef out stroke-dasharray: 4 4", f"    class {','.join(out)} out"]
        return "\n".join(lines) + "\n"

    def to_dot(self) -> str:
        """Return the graph in the language of Graphviz; what is out of force is dashed."""
        numbers = self._numbers()
        lines = ["digraph lineage {", "    rankdir=LR;"]
        for node in self.nodes:
            style = "" if node.in_force else ", style=dashed"
            lines.append(
                f'    {numbers[node.id]} [label="{_dot_text(node.label)}", shape={_DOT_SHAPES[node.kind]}{style}];'
            )
        lines += [f'    {numbers[e.source]} -> {numbers[e.target]} [label="{e.what}"];' for e in self.edges]
        return "\n".join([*lines, "}"]) + "\n"

    def _numbers(self) -> dict[str, str]:
        """Return short names for the nodes: ids hold colons, and drawings are read by people."""
        return {node.id: f"n{number}" for number, node in enumerate(self.nodes, 1)}


def _shown(text: str) -> str:
    """Return *text* on one line, without what moves a cursor, not too long."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= LABEL_CHARS_MAX else f"{line[: LABEL_CHARS_MAX - 1]}…"


def _mermaid_text(text: str) -> str:
    """Return *text* so that Mermaid shows it as it is: it knows no backslashes, but entities, tags and markdown."""
    special = '#"<>`&;'
    return "".join(f"#{ord(char)};" if char in special else char for char in _shown(text))


def _dot_text(text: str) -> str:
    return _shown(text).replace("\\", "\\\\").replace('"', '\\"')


def lineage(state: State, procedure_id: ProcedureId) -> Lineage:
    """Return what the procedure was made from, and what it became a part of, as *state* sees it."""
    graph = _Graph(Teller(state))
    for related in _related(graph.teller, procedure_id):
        graph.add_procedure(related)
    return Lineage(
        id=procedure_id, name=graph.teller.name(procedure_id), nodes=graph.ordered_nodes(), edges=graph.ordered_edges()
    )


def _related(teller: Teller, procedure_id: ProcedureId) -> list[ProcedureId]:
    """Return the procedure, all that were merged into it, and all that it was merged into, over any number of steps."""
    found: list[ProcedureId] = []
    waiting = [(procedure_id, True), (procedure_id, False)]
    seen: set[tuple[ProcedureId, bool]] = set()
    while waiting:
        current, upwards = waiting.pop()
        if (current, upwards) in seen:
            continue
        seen.add((current, upwards))
        found.append(current)
        for entry in teller.entries_of(current).values():
            if isinstance(entry.event, ProcedureMerged):
                made, parts = entry.event.procedure_id, entry.event.merged
                if upwards and made == current:
                    waiting += [(part, True) for part in parts]
                elif not upwards and made != current:
                    waiting.append((made, False))
    return list(dict.fromkeys(found))


class _Graph:
    """Collects nodes and edges."""

    def __init__(self, teller: Teller) -> None:
        self.teller = teller
        self.state = teller.state
        self._nodes: dict[str, Node] = {}
        self._edges: dict[tuple[str, str], Edge] = {}

    def add_procedure(self, procedure_id: ProcedureId) -> None:
        procedure = self.state.get(procedure_id)
        making = [e for e in self.teller.entries_of(procedure_id).values() if isinstance(e.event, _MAKES_REVISION)]
        name = self.teller.name(procedure_id)
        own = [entry for entry in making if _makes(entry) == procedure_id]
        if not own:
            return
        target = f"procedure:{procedure_id}"
        label = f"{name} ({'undone' if procedure is None else procedure.status.value})"
        self._add(Node(
            id=target, kind="procedure", label=label, position=own[0].position, in_force=procedure is not None
        ))  # fmt: skip
        for entry in own:
            self._add_making(entry, procedure, target)
        for entry in making:
            if isinstance(entry.event, ProcedureMerged) and _makes(entry) != procedure_id:
                self._connect(target, f"event:{entry.event_id}", "merged")

    def _add_making(self, entry: Entry, procedure: Procedure | None, target: str) -> None:
        """Add an event, the revision that it made, and what both came from."""
        event, revision = f"event:{entry.event_id}", f"revision:{entry.event_id}"
        in_force = entry.event_id not in self.state.out
        placed = self.state.history.place(entry.event_id)
        self._add(Node(
            id=event,
            kind="event",
            label=f"#{entry.position} {entry.event.TYPE} by {placed.actor}",
            position=entry.position,
            in_force=in_force,
        ))  # fmt: skip
        standing = None if procedure is None else _standing(procedure, entry.event_id)
        label = f"revision #{entry.position} ({standing or 'undone'})"
        self._add(Node(
            id=revision, kind="revision", label=label, position=entry.position, in_force=standing is not None
        ))  # fmt: skip
        self._connect(event, revision, "made")
        is_active = procedure is not None and procedure.active == entry.event_id
        self._connect(revision, target, "active" if is_active else "of")
        for source in self._sources(entry):
            self._connect(source, event, "from")

    def _sources(self, entry: Entry) -> Iterator[str]:
        """Yield the nodes that the content of the event was made from, adding those that no procedure here adds."""
        for source in entry.derived_from:
            placed = self.state.history.placed.get(EventId(source))
            if placed is None or not self.state.sees(source):
                continue
            if placed.type == TrajectoryRecorded.TYPE:
                run = self.teller.run(source)
                gone = self.teller.purged(EventId(source))
                said = gone if run is None else f"{OUTCOMES[run.head.success]}: {run.head.task}"
                kind = "run"
            elif self.teller.entry(source) is None:
                said, kind = f"{placed.type}. {self.teller.purged(EventId(source))}", "event"
            else:
                yield f"revision:{source}"
                continue
            in_force = source not in self.state.out
            node = Node(
                id=f"{kind}:{source}",
                kind=kind,
                label=f"#{placed.position} {said}",
                position=placed.position,
                in_force=in_force,
            )
            self._add(node)
            yield node.id

    def _add(self, node: Node) -> None:
        self._nodes[node.id] = node

    def _connect(self, source: str, target: str, what: str) -> None:
        self._edges[source, target] = Edge(source=source, target=target, what=what)

    def ordered_nodes(self) -> tuple[Node, ...]:
        kinds = list(_SHAPES)
        return tuple(sorted(self._nodes.values(), key=lambda node: (node.position, kinds.index(node.kind), node.id)))

    def ordered_edges(self) -> tuple[Edge, ...]:
        """Return the edges between nodes that are here."""
        order = {node.id: number for number, node in enumerate(self.ordered_nodes())}
        edges = [edge for edge in self._edges.values() if edge.source in order and edge.target in order]
        return tuple(sorted(edges, key=lambda edge: (order[edge.source], order[edge.target])))


def _makes(entry: Entry) -> ProcedureId:
    assert isinstance(entry.event, _MAKES_REVISION)
    return entry.event.procedure_id


def _standing(procedure: Procedure, revision: EventId) -> str | None:
    """Return how the revision stands, and whether it is tainted; None if it is not there."""
    found = next((r for r in procedure.revisions if r.id == revision), None)
    if found is None:
        return None
    return f"{found.status.value}, tainted" if found.tainted else found.status.value
