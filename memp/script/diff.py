"""
What changed between two scripts, by structure.

A diff of lines says twenty times that a parameter has another name, and nothing about what moved. So names are
matched first, the old script is read with the new names, and only then are the steps aligned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from memp.script.formatter import format_expression, format_parameter, format_statements
from memp.script.nodes import (
    Act,
    Attempts,
    Avoid,
    Call,
    Expression,
    Find,
    ForEach,
    If,
    Parameter,
    ProcedureDef,
    Repeat,
    Script,
    Statement,
)
from memp.script.skeleton import skeleton_digest
from memp.script.texts import quote
from memp.script.types import type_text
from memp.script.walk import bound_names, child_blocks, iter_statements, rename, rewrite, used_names

ALIGN_STEPS_MAX = 400
"""Longest block that is aligned step by step; in longer ones only the alike ends are matched. It is quadratic."""


@attrs.frozen(kw_only=True)
class Change:
    """
    One thing that changed.

    Attributes:
        kind: ``added``, ``removed``, ``changed``, ``moved`` or ``renamed``.

        what: ``toolset``, ``doc``, ``procedure``, ``pattern``, ``parameter``, ``variable`` or ``step``.

        procedure: The procedure it is in, by its new name; empty for what concerns the file.

        place: The step's number, such as ``3.1``: in the new script, or in the old one if it was removed; empty for
            all else.

        before: As it was written, with the new names; None if it was not there.

        after: As it is written; None if it is gone.
    """

    kind: str
    what: str
    procedure: str = ""
    place: str = ""
    before: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        subject = f"{self.what} {self.place}".rstrip()
        match self.kind:
            case "added":
                return _marked(f"+ {subject}: ", self.after or "", "+")
            case "removed":
                return _marked(f"- {subject}: ", self.before or "", "-")
            case "renamed":
                return f"~ {subject} {self.before} is now {self.after}"
            case "moved":
                return _marked(f"> {subject}, from {self.before}: ", self.after or "", ">")
            case _:
                gone, come = (
                    _marked(f"- {subject}: ", self.before or "", "-"),
                    _marked(f"+ {subject}: ", self.after or "", "+"),
                )
                return f"{gone}\n{come}"


def _marked(head: str, text: str, mark: str) -> str:
    """Return *text* after *head*, further lines below it under the same mark."""
    first, *rest = text.split("\n")
    return "\n".join([head + first, *(f"{mark}{' ' * (len(head) - 1)}{line}" for line in rest)])


def diff_scripts(old: Script, new: Script) -> tuple[Change, ...]:
    """
    Return what changed from *old* to *new*, in the order of *new*; empty if they are equal.

    A parameter, variable or procedure with another name is one change. Procedures are matched by name, then by
    skeleton.
    """
    changes: list[Change] = []
    if old.toolset != new.toolset:
        changes.append(Change(kind="changed", what="toolset", before=old.toolset, after=new.toolset))
    changes += _text_change("doc", "", old.doc, new.doc)
    pairs = _match_procedures(old.procedures, new.procedures)
    called = {before.name: after.name for before, after in pairs if before is not None and after is not None}
    for before, after in pairs:
        if before is None and after is not None:
            changes.append(Change(kind="added", what="procedure", procedure=after.name, after=after.name))
        elif after is None and before is not None:
            changes.append(Change(kind="removed", what="procedure", procedure=before.name, before=before.name))
        elif before is not None and after is not None:
            changes += _diff_procedures(_with_calls(before, called), after)
    return tuple(changes)


def renamed_as(old: Script, new: Script) -> Script:
    """Return *old* with the names that *new* has for the same procedures, parameters and variables; else as it was."""
    pairs = _match_procedures(old.procedures, new.procedures)
    partner = {before.name: after for before, after in pairs if before is not None and after is not None}
    called = {name: after.name for name, after in partner.items()}
    renamed = []
    for node in old.procedures:
        after = partner.get(node.name)
        before = _with_calls(node, called)
        renamed.append(before if after is None else _renamed(before, after))
    return attrs.evolve(old, procedures=tuple(renamed))


def _renamed(old: ProcedureDef, new: ProcedureDef) -> ProcedureDef:
    return attrs.evolve(rename(old, _match_names(old, new)), name=new.name)


def format_diff(changes: Sequence[Change]) -> str:
    """Return *changes* for people, grouped by procedure; empty text for no changes, no newline at the end."""
    lines: list[str] = []
    group: str | None = None
    for change in changes:
        if change.procedure != group:
            group = change.procedure
            lines += [group] if group else []
        text = str(change)
        lines.append("\n".join(f"  {line}" for line in text.split("\n")) if group else text)
    return "\n".join(lines)


def _text_change(what: str, procedure: str, old: str, new: str) -> list[Change]:
    if old == new:
        return []
    kind = "added" if not old else "removed" if not new else "changed"
    return [Change(kind=kind, what=what, procedure=procedure, before=old or None, after=new or None)]


def _match_procedures(
    old: Sequence[ProcedureDef], new: Sequence[ProcedureDef]
) -> list[tuple[ProcedureDef | None, ProcedureDef | None]]:
    by_name = {node.name: node for node in old}
    kept = {node.name for node in new} & set(by_name)
    lost = [node for node in old if node.name not in kept]
    came = [node for node in new if node.name not in kept]
    partner: dict[str, ProcedureDef] = {name: by_name[name] for name in kept}
    for node in came:
        twin = next((other for other in lost if skeleton_digest(other) == skeleton_digest(node)), None)
        if twin is None and len(lost) == len(came) == 1:
            twin = lost[0]
        if twin is not None:
            lost.remove(twin)
            partner[node.name] = twin
    return [*((partner.get(node.name), node) for node in new), *((node, None) for node in lost)]


def _with_calls(node: ProcedureDef, names: Mapping[str, str]) -> ProcedureDef:
    """Return *node* with the procedures that it calls under their new names."""

    def change(part: Expression) -> Expression:
        return attrs.evolve(part, name=names.get(part.name, part.name)) if isinstance(part, Call) else part

    changed: ProcedureDef = rewrite(node, change)
    return changed


# -- one procedure ----------------------------------------------------------------------------------------------------


def _diff_procedures(old: ProcedureDef, new: ProcedureDef) -> list[Change]:
    where = new.name
    changes: list[Change] = []
    if old.name != new.name:
        changes.append(Change(kind="renamed", what="procedure", procedure=where, before=old.name, after=new.name))
    names = _match_names(old, new)
    parameters = {parameter.name for parameter in old.parameters}
    for before, after in names.items():
        what = "parameter" if before in parameters else "variable"
        changes.append(Change(kind="renamed", what=what, procedure=where, before=before, after=after))
    old = rename(old, names)
    changes += _text_change("doc", where, old.doc, new.doc)
    changes += [
        Change(kind="removed", what="pattern", procedure=where, before=quote(pattern))
        for pattern in old.patterns
        if pattern not in new.patterns
    ]
    changes += [
        Change(kind="added", what="pattern", procedure=where, after=quote(pattern))
        for pattern in new.patterns
        if pattern not in old.patterns
    ]
    if set(old.patterns) == set(new.patterns) and old.patterns != new.patterns:
        before, after = (", ".join(map(quote, node.patterns)) for node in (old, new))
        changes.append(Change(kind="changed", what="pattern", procedure=where, before=before, after=after))
    changes += _diff_parameters(old.parameters, new.parameters, where)
    return changes + _diff_steps(old.body, new.body, where)


def _diff_parameters(old: Sequence[Parameter], new: Sequence[Parameter], where: str) -> Iterator[Change]:
    before, after = ({parameter.name: parameter for parameter in side} for side in (old, new))
    for name, parameter in before.items():
        if name not in after:
            yield Change(kind="removed", what="parameter", procedure=where, before=format_parameter(parameter))
    for name, parameter in after.items():
        if name not in before:
            yield Change(kind="added", what="parameter", procedure=where, after=format_parameter(parameter))
        elif before[name] != parameter:
            was = format_parameter(before[name])
            yield Change(
                kind="changed", what="parameter", procedure=where, before=was, after=format_parameter(parameter)
            )
    shared = [[name for name in side if name in before and name in after] for side in (before, after)]
    if shared[0] != shared[1]:
        was, now = (", ".join(side) for side in shared)
        yield Change(kind="moved", what="parameter", procedure=where, before=was, after=now)


def _match_names(old: ProcedureDef, new: ProcedureDef) -> dict[str, str]:
    """
    Return which old names are which new ones, for those that differ.

    A pair is taken only if it leaves fewer changes: a parameter that went and another that came are no renaming.
    """
    names: dict[str, str] = {}
    cost = _cost(old, new)
    for before, after in (*_candidates(old, new, variables=False), *_candidates(old, new, variables=True)):
        if before in names or after in names.values():
            continue
        tried = _cost(rename(old, {**names, before: after}), new)
        if tried < cost:
            names[before], cost = after, tried
    return names


def _candidates(old: ProcedureDef, new: ProcedureDef, *, variables: bool) -> list[tuple[str, str]]:
    """Return the pairs of names that may be one: those in the same place first."""
    sides = []
    for node in (old, new):
        kinds = {} if variables else {parameter.name: type_text(parameter.type) for parameter in node.parameters}
        sides.append(dict.fromkeys(bound_names(node), "") if variables else kinds)
    taken = [set(bound_names(node)) | {p.name for p in node.parameters} for node in (old, new)]
    lost = [name for name in sides[0] if name not in taken[1]]
    came = [name for name in sides[1] if name not in taken[0]]
    ordered = [[name for name in used_names(node) if name in side] for node, side in ((old, lost), (new, came))]
    pairs = [*zip(lost, came, strict=False), *zip(*ordered, strict=False)]
    pairs += [(before, after) for before in lost for after in came]
    same = [pair for pair in dict.fromkeys(pairs) if sides[0][pair[0]] == sides[1][pair[1]]]
    return same[:ALIGN_STEPS_MAX]


def _cost(old: ProcedureDef, new: ProcedureDef) -> int:
    """Return how much differs; patterns and parameters count as steps do."""
    differing = len(set(old.patterns) ^ set(new.patterns)) + len(set(old.parameters) ^ set(new.parameters))
    return differing + sum(change.kind != "moved" for change in _diff_steps(old.body, new.body, ""))


# -- steps ------------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Numbered:
    """A statement with its number."""

    node: Statement
    place: str


def _number(statements: Sequence[Statement], prefix: str, first: int = 1) -> list[_Numbered]:
    return [_Numbered(node, f"{prefix}{first + index}") for index, node in enumerate(statements)]


def _diff_steps(old: Sequence[Statement], new: Sequence[Statement], where: str) -> list[Change]:
    changes = list(_diff_blocks(_number(old, ""), _number(new, ""), where))
    return _join_moves(changes)


def _diff_blocks(old: Sequence[_Numbered], new: Sequence[_Numbered], where: str) -> Iterator[Change]:
    for before, after in _align(old, new):
        if after is None and before is not None:
            written = format_statements([before.node])
            yield Change(kind="removed", what="step", procedure=where, place=before.place, before=written)
        elif before is None and after is not None:
            written = format_statements([after.node])
            yield Change(kind="added", what="step", procedure=where, place=after.place, after=written)
        elif before is not None and after is not None and before.node != after.node:
            yield from _diff_statement(before, after, where)


def _diff_statement(old: _Numbered, new: _Numbered, where: str) -> Iterator[Change]:
    heads = [_head(side.node) for side in (old, new)]
    if heads[0] != heads[1]:
        yield Change(
            kind="changed",
            what="step",
            procedure=where,
            place=new.place,
            before="\n".join(heads[0]),
            after="\n".join(heads[1]),
        )
    blocks = [child_blocks(side.node) for side in (old, new)]
    if isinstance(old.node, If) and isinstance(new.node, If):
        # The else stays the last block, and an elif that came or went is an empty block on the other side.
        longest = max(len(side) for side in blocks)
        blocks = [(*side[:-1], *((),) * (longest - len(side)), side[-1]) for side in blocks]
    first = [1, 1]
    for before, after in zip(*blocks, strict=True):
        numbered = [
            _number(side, f"{at.place}.", start)
            for side, at, start in zip((before, after), (old, new), first, strict=True)
        ]
        first = [first[0] + len(before), first[1] + len(after)]
        yield from _diff_blocks(numbered[0], numbered[1], where)


def _head(node: Statement) -> list[str]:
    """Return the lines of *node* that are its own."""
    match node:
        case If(branches=branches):
            return [
                f"{'elif' if index else 'if'} {format_expression(b.condition)}:" for index, b in enumerate(branches)
            ]
        case _ if child_blocks(node):
            return [format_statements([node]).split("\n")[0]]
        case _:
            return [format_statements([node])]


def _kin(node: Statement) -> tuple[str, str]:
    """Return what two statements must share so that one can be a changed form of the other."""
    match node:
        case Act(call=call) | Find(call=call) | Avoid(what=Call() as call):
            return type(node).__name__, call.name
        case _:
            return type(node).__name__, ""


def _size(node: Statement) -> int:
    return 1 + sum(1 for block in child_blocks(node) for _ in iter_statements(block))


def _align(old: Sequence[_Numbered], new: Sequence[_Numbered]) -> Iterator[tuple[_Numbered | None, _Numbered | None]]:
    """Yield which old step is which new one, in order: as many equal ones as can be, then as many of the same kind."""
    start = 0
    while start < min(len(old), len(new)) and old[start].node == new[start].node:
        yield old[start], new[start]
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end].node == new[-1 - end].node:
        end += 1
    yield from _align_middle(old[start : len(old) - end], new[start : len(new) - end])
    yield from zip(old[len(old) - end :], new[len(new) - end :], strict=True)


def _align_middle(
    old: Sequence[_Numbered], new: Sequence[_Numbered]
) -> Iterator[tuple[_Numbered | None, _Numbered | None]]:
    if not old or not new or max(len(old), len(new)) > ALIGN_STEPS_MAX:
        yield from ((before, None) for before in old)
        yield from ((None, after) for after in new)
        return
    gains = [[_gain(before.node, after.node) for after in new] for before in old]
    best = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            paired = gains[i][j] + best[i + 1][j + 1] if gains[i][j] else 0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    i = j = 0
    while i < len(old) and j < len(new):
        if gains[i][j] and best[i][j] == gains[i][j] + best[i + 1][j + 1]:
            yield old[i], new[j]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            yield old[i], None
            i += 1
        else:
            yield None, new[j]
            j += 1
    yield from ((before, None) for before in old[i:])
    yield from ((None, after) for after in new[j:])


def _gain(old: Statement, new: Statement) -> int:
    """Return how much it is worth to call *old* and *new* one step; 0 if they are none."""
    if old == new:
        return 4 * _size(old)
    if _kin(old) != _kin(new):
        return 0
    shared = isinstance(old, If | ForEach | Repeat | Attempts) and _head(old) == _head(new)
    return 3 if shared else 1


def _join_moves(changes: Sequence[Change]) -> list[Change]:
    """Return *changes* with a step that went in one place and came in another as one move."""
    gone = [change for change in changes if change.kind == "removed"]
    moved: dict[int, Change] = {}
    dropped: set[int] = set()
    for index, change in enumerate(changes):
        if change.kind != "added":
            continue
        twin = next((other for other in gone if other.before == change.after), None)
        if twin is not None:
            gone.remove(twin)
            dropped.add(changes.index(twin))
            moved[index] = attrs.evolve(change, kind="moved", before=twin.place)
    return [moved.get(index, change) for index, change in enumerate(changes) if index not in dropped]
