"""
What served procedures say that a choice must be like, read from their scripts.

A script that says ``stay = find_stay(city, wish)`` and later ``ensure(bookable(stay, nights), …)`` states a rule: what
is chosen as a stay must be bookable. So does a search that goes on until a condition holds. The planner heeds such
rules and no others; a condition in words, or in a vocabulary that it does not know, says nothing to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from memp.errors import NotFoundError, ScriptError
from memp.script.loader import load_shipped_toolset
from memp.script.nodes import (
    Attempts,
    Both,
    Break,
    Call,
    Ensure,
    Expression,
    Find,
    ForEach,
    If,
    Name,
    Statement,
)
from memp.script.parser import parse_script
from memp.script.walk import child_blocks

if TYPE_CHECKING:
    from memp.model import Procedure

STAY, MEAL, SIGHT, WAY = "stay", "meal", "sight", "way"
"""What is chosen in a plan."""

_FOUND_BY = {"find_stay": STAY, "find_meals": MEAL, "find_sights": SIGHT, "find_flight": WAY}
"""Which finder of the toolset ``travel`` looks for what."""


@attrs.frozen
class Rule:
    """
    A condition that a choice must meet.

    Attributes:
        condition: Its name in the toolset ``travel``.

        subject: What is chosen; None if the condition names nothing that was found, and so holds for the whole plan.
    """

    condition: str
    subject: str | None


def read_rules(procedures: Iterable[Procedure]) -> frozenset[Rule]:
    """Return every rule that *procedures* state; one that is no script, or of another world, states none."""
    rules: set[Rule] = set()
    for procedure in procedures:
        if procedure.script is None:
            continue
        try:
            script = parse_script(procedure.script, resolve=load_shipped_toolset)
        except (ScriptError, NotFoundError):
            continue
        if script.toolset == "travel":
            for definition in script.procedures:
                rules.update(_rules_in(definition.body, {}, searching=False))
    return frozenset(rules)


def _rules_in(block: Sequence[Statement], found: Mapping[str, str], *, searching: bool) -> Iterator[Rule]:
    """Yield the rules of *block*, in which the names in *found* are known; *searching* inside ``attempts``."""
    known = dict(found)
    for statement in block:
        match statement:
            case Find(target=target, call=call) if call.name in _FOUND_BY:
                known[target] = _FOUND_BY[call.name]
            case Ensure(condition=condition):
                yield from _conditions(condition, known)
            case If(branches=branches) if searching:
                for branch in branches:
                    if any(isinstance(inner, Break) for inner in branch.body):
                        yield from _conditions(branch.condition, known)
            case ForEach(variable=variable, items=Name(name=name)) if name in known:
                known[variable] = known[name]
            case _:
                pass
        for inner_block in child_blocks(statement):
            yield from _rules_in(inner_block, known, searching=searching or isinstance(statement, Attempts))


def _conditions(condition: Expression, found: Mapping[str, str]) -> Iterator[Rule]:
    match condition:
        case Both(operands=operands):
            for operand in operands:
                yield from _conditions(operand, found)
        case Call(name=name, args=args):
            subjects = [found[arg.name] for arg in args if isinstance(arg, Name) and arg.name in found]
            yield Rule(name, subjects[0] if subjects else None)
        case _:
            pass  # a negation or an alternative asks for no one thing
