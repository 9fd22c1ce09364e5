"""
The least general procedure that covers two of the same skeleton.

Anti-unification: what is equal in both stays, what differs becomes a parameter, and where the same two things stand
against each other twice it is the same parameter. Names are given anew from the whole, so that the result depends on
which runs are covered and not on the order in which they were joined.

Source: Plotkin, "A Note on Inductive Generalization", Machine Intelligence 5, 1970.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from memp.build.canonical import (
    Item,
    flat,
    is_search_loop,
    last_place,
    likely_of,
    merged_likely,
    merged_patterns,
    unflat,
    with_likely,
)
from memp.build.naming import base_names, fresh, names_in, taken_names
from memp.build.places import Vocabulary, shown_by_name
from memp.script.formatter import format_expression
from memp.script.forms import slot_names
from memp.script.lift import make_call
from memp.script.nodes import (
    Act,
    Call,
    Do,
    Expression,
    Find,
    Keyword,
    Name,
    NumberLiteral,
    Parameter,
    ProcedureDef,
    Repeat,
    Statement,
)
from memp.script.types import Type, type_text
from memp.script.walk import iter_statements, rewrite, used_names


class MismatchError(ValueError):
    """Two procedures are not of the same skeleton, so no procedure covers both."""


def generalise(one: ProcedureDef, other: ProcedureDef, vocabulary: Vocabulary | None) -> ProcedureDef:
    """
    Return the least general procedure that covers *one* and *other*.

    It is commutative, associative and idempotent over procedures that ``memp.build.induce`` makes.

    Args:
        one: A procedure.

        other: Another of the same skeleton.

        vocabulary: The toolset that both speak; None if untyped.

    Raises:
        MismatchError: They are not of the same skeleton.
    """
    joining = _Joining(one, other, vocabulary)
    body = joining.block(one.body, other.body)
    extras = {p.name: p for node in (one, other) for p in node.parameters if p.name not in used_names(node)}
    taken = joining.slots | joining.bound | set(extras) | taken_names(vocabulary) | {one.name}
    names: dict[str, str] = {}
    free: list[Parameter] = []
    for placeholder, base in base_names(body, vocabulary).items():
        if placeholder in joining.free:
            names[placeholder] = fresh(base, taken)
            taken.add(names[placeholder])
            free.append(Parameter(name=names[placeholder], type=joining.free[placeholder]))
    return ProcedureDef(
        name=min(one.name, other.name),
        patterns=merged_patterns(one.patterns, other.patterns),
        parameters=(
            *(p for p in one.parameters if p.name in joining.slots),
            *free,
            *(extras[name] for name in sorted(extras)),
        ),
        body=tuple(rewrite(statement, lambda part: _called(part, names)) for statement in body),
    )


def _called(part: Expression, names: dict[str, str]) -> Expression:
    return attrs.evolve(part, name=names.get(part.name, part.name)) if isinstance(part, Name) else part


def slots_of(node: ProcedureDef) -> set[str]:
    """Return the parameters that the task fills in and the steps use."""
    named = {slot for pattern in node.patterns for slot in slot_names(pattern)}
    return named & set(used_names(node))


class _Joining:
    """
    Joins two procedures step by step.

    Attributes:
        slots: The parameters of both that their tasks fill in.

        bound: The variables that finders name.

        free: What stands for each parameter that the task does not fill in, and its type.
    """

    def __init__(self, one: ProcedureDef, other: ProcedureDef, vocabulary: Vocabulary | None) -> None:
        self.vocabulary = vocabulary
        self.slots = slots_of(one)
        if self.slots != slots_of(other):
            raise MismatchError
        self.bound = {s.target for s in iter_statements([*one.body, *other.body]) if isinstance(s, Find)}
        self.free: dict[str, Type] = {}
        self._known = self.slots | self.bound
        self._pairs: dict[tuple[str, str, str], str] = {}

    def block(
        self, one: Sequence[Statement], other: Sequence[Statement], before: Expression | None = None
    ) -> tuple[Statement, ...]:
        """Join two blocks; *before* is the place where one is when they begin."""
        ones, others = unflat(one), unflat(other)
        if len(ones) != len(others):
            raise MismatchError
        items: list[Item] = []
        place = before
        for first, second in zip(ones, others, strict=True):
            guards = tuple(sorted({*first.guards, *second.guards}))
            step = self.step(first.step, second.step, place)
            items.append(Item(guards=guards, step=step))
            place = last_place((step,), self.vocabulary) or place
        return flat(items, self.vocabulary, before)

    def step(self, one: Statement, other: Statement, place: Expression | None) -> Statement:
        """Join two steps."""
        match one, other:
            case Act(call=first), Act(call=second):
                return Act(call=self.call(first, second))
            case Find(), Find() if one.target == other.target:
                return self.find(one, other)
            case Repeat(), Repeat():
                body = self.block(one.body, other.body, place)
                return Repeat(count=_count(one, other), body=body)
            case Do(text=first), Do(text=second):
                # The words are part of the skeleton: only their case and spacing may differ.
                return Do(text=min(first, second, key=format_expression))
            case _:
                raise MismatchError

    def find(self, one: Find, other: Find) -> Find:
        """Join two searches: the places to look in first are those of both."""
        likely = None if self.vocabulary is None else self.vocabulary.likely
        if likely is None:
            return attrs.evolve(one, call=self.call(one.call, other.call))
        bare = self.call(with_likely(one, likely, ()).call, with_likely(other, likely, ()).call)
        places = merged_likely(likely_of(one, likely), likely_of(other, likely))
        return with_likely(attrs.evolve(one, call=bare), likely, places)

    def call(self, one: Call, other: Call) -> Call:
        """Join two calls, argument by argument."""
        entry = None if self.vocabulary is None else self.vocabulary.toolset.find_entry(one.name)
        if self.vocabulary is None or entry is None or one.name != other.name:
            raise MismatchError
        first, second = self.vocabulary.arguments(one), self.vocabulary.arguments(other)
        if first.keys() != second.keys():
            raise MismatchError
        types = self.vocabulary.types_of(one)
        values = {name: self.value(value, second[name], types[name]) for name, value in first.items()}
        if shown_by_name(entry):
            words = tuple(Keyword(name=name, value=value) for name, value in values.items())
            return Call(name=entry.name, keywords=words)
        return make_call(entry, values)

    def value(self, one: Expression, other: Expression, type_: Type) -> Expression:
        """Join two arguments: the same where both are, else the parameter that stands for just these two."""
        first, second = format_expression(one), format_expression(other)
        if first == second and self._known.issuperset(names_in(one)):
            return one
        pair = (first, second, type_text(type_))
        placeholder = self._pairs.setdefault(pair, f"free {len(self._pairs)}")
        self.free.setdefault(placeholder, type_)
        return Name(name=placeholder)


def _count(one: Repeat, other: Repeat) -> NumberLiteral:
    """Return how often the joined loop runs: rounds that only waited are as many as ever were needed."""
    match one.count, other.count:
        case NumberLiteral(value=first), NumberLiteral(value=second):
            if first != second and is_search_loop(one):
                raise MismatchError
            return NumberLiteral(value=max(first, second))
        case _:
            raise MismatchError
