"""
What of a procedure tells it from others, and the one order in which the rest is written.

Runs that do the same differ in where they found things, in what they had to open and in how often they had to wait.
None of that makes another procedure, so it takes no part in comparing them, and joining unites it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from memp.build.places import Vocabulary
from memp.script.formatter import format_statements
from memp.script.lift import make_call
from memp.script.nodes import (
    Act,
    Avoid,
    Branch,
    Call,
    Ensure,
    Expression,
    Find,
    If,
    Keyword,
    ListLiteral,
    Note,
    NumberLiteral,
    ProcedureDef,
    Repeat,
    Statement,
    TextLiteral,
)
from memp.script.walk import iter_statements, used_names

PATTERNS_MAX = 32
"""Wordings of one kind of task that are kept, the shortest: they say what is asked with the least else, and every one
costs an embedding and a line in prompts."""


PATTERNS_CHARS_MAX = 2_500
"""Characters of all wordings together: they stand in one statement, and the language bounds its length."""

STEPS_MAX = 400
"""Steps that a script may have: nobody follows more, and the language bounds the length of a source."""

STEP_CHARS_MAX = 3_500
"""Characters of one step, loops apart; the language bounds the length of a statement."""


@attrs.frozen(order=True)
class Guard:
    """
    What may have to be done on arriving somewhere: ``if closed(place): open(place)``.

    Attributes:
        condition: The condition under which it is needed.

        action: The action.
    """

    condition: str
    action: str


@attrs.frozen(kw_only=True)
class Item:
    """
    A step with what may have to be done before it.

    Attributes:
        guards: Some runs need them, others do not, so they do not tell procedures apart; sorted.

        step: The step.
    """

    guards: tuple[Guard, ...] = ()
    step: Statement


def flat(
    items: Sequence[Item], vocabulary: Vocabulary | None, place: Expression | None = None
) -> tuple[Statement, ...]:
    """
    Return *items* as statements, each behind its guards.

    Args:
        items: The steps.

        vocabulary: The toolset; None if there are no guards.

        place: Where one is before the first step. Guards are about the place that was gone to last.
    """
    statements: list[Statement] = []
    for item in items:
        if item.guards and vocabulary is not None and place is not None:
            statements += [_written(guard, place, vocabulary) for guard in item.guards]
        statements.append(item.step)
        place = last_place((item.step,), vocabulary) or place
    return tuple(statements)


def unflat(statements: Sequence[Statement]) -> list[Item]:
    """Return *statements* as steps with their guards; undoes ``flat``."""
    items: list[Item] = []
    waiting: list[Guard] = []
    for statement in statements:
        guard = _guard_of(statement)
        if guard is not None:
            waiting.append(guard)
        else:
            items.append(Item(guards=tuple(sorted(set(waiting))), step=statement))
            waiting = []
    return items


def _guard_of(statement: Statement) -> Guard | None:
    match statement:
        case If(branches=(Branch(condition=Call(name=condition), body=(Act(call=call),)),), otherwise=()):
            return Guard(condition=condition, action=call.name)
        case _:
            return None


def _written(guard: Guard, place: Expression, vocabulary: Vocabulary) -> If:
    condition = vocabulary.toolset.find_entry(guard.condition)
    action = vocabulary.toolset.find_entry(guard.action)
    assert condition is not None
    assert action is not None
    test = make_call(condition, {condition.parameters[0].name: place})
    step = Act(call=make_call(action, {action.parameters[0].name: place}))
    return If(branches=(Branch(condition=test, body=(step,)),))


def last_place(statements: Sequence[Statement], vocabulary: Vocabulary | None) -> Expression | None:
    """Return the place that *statements* go to last; None if they go nowhere."""
    if vocabulary is None or vocabulary.searching is None:
        return None
    place: Expression | None = None
    for statement in iter_statements(statements):
        if isinstance(statement, Act) and statement.call.name == vocabulary.searching.mover.name:
            place = next(iter(vocabulary.arguments(statement.call).values()), place)
    return place


def is_search_loop(loop: Repeat) -> bool:
    """Return whether *loop* handles another thing in every round: then the number of rounds is part of the task."""
    return any(isinstance(statement, Find) for statement in iter_statements(loop.body))


def without_incidentals(statements: Sequence[Statement], likely: str | None) -> tuple[Statement, ...]:
    """Return *statements* without what may differ between runs of the same procedure, and without remarks."""
    kept: list[Statement] = []
    for statement in statements:
        match statement:
            case Note() | Ensure() | Avoid():
                continue
            case If() if _guard_of(statement) is not None:
                continue
            case Find() if likely is not None:
                kept.append(with_likely(statement, likely, ()))
            case Repeat(body=body):
                inner = without_incidentals(body, likely)
                count = statement.count if is_search_loop(statement) else NumberLiteral(value=1)
                kept.append(attrs.evolve(statement, count=count, body=inner) if inner else statement)
            case _:
                kept.append(statement)
    return tuple(kept)


def likely_of(find: Find, likely: str) -> tuple[str, ...]:
    """Return the places to look in first that *find* names."""
    for word in find.call.keywords:
        if word.name == likely and isinstance(word.value, ListLiteral):
            return tuple(item.value for item in word.value.items if isinstance(item, TextLiteral))
    return ()


def with_likely(find: Find, likely: str, places: Iterable[str]) -> Find:
    """Return *find* with *places* to look in first; none leaves the argument out."""
    items = tuple(TextLiteral(value=place) for place in places)
    others = tuple(word for word in find.call.keywords if word.name != likely)
    words = (*others, Keyword(name=likely, value=ListLiteral(items=items))) if items else others
    return attrs.evolve(find, call=attrs.evolve(find.call, keywords=words))


def merged_likely(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    """Return the places of both, sorted."""
    return tuple(sorted({*one, *other}))


def merged_patterns(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    """Return the wordings of both, the shortest first, then by text, as many as there is room for; one at least."""
    kept: list[str] = []
    chars = 0
    for pattern in sorted({*one, *other}, key=lambda pattern: (len(pattern), pattern)):
        chars += len(pattern)
        if kept and (len(kept) == PATTERNS_MAX or chars > PATTERNS_CHARS_MAX):
            break
        kept.append(pattern)
    return tuple(kept)


def is_writable(statements: Sequence[Statement]) -> bool:
    """Return whether a script of *statements* can be read again: neither too many nor too long."""
    every = list(iter_statements(statements))
    alone = (statement for statement in every if not isinstance(statement, Repeat | If))
    return len(every) <= STEPS_MAX and all(len(format_statements([one])) <= STEP_CHARS_MAX for one in alone)


def for_comparing(node: ProcedureDef, likely: str | None) -> ProcedureDef:
    """Return *node* as it is compared: its steps without what is incidental, and the parameters that these use."""
    compared = attrs.evolve(node, body=without_incidentals(node.body, likely) or node.body)
    used = used_names(compared)
    return attrs.evolve(compared, parameters=tuple(p for p in node.parameters if p.name in used))
