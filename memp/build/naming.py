"""
What things are called in a procedure that nobody named.

Names come from the toolset: what ``move`` calls ``target`` is the target. They are given in the order of the steps, so
that two runs of the same skeleton give the same names, and joining needs to compare none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from memp.build.places import Vocabulary
from memp.script.nodes import Act, Call, Expression, Find, Name, Statement
from memp.script.toolset import RESERVED
from memp.script.walk import iter_expressions, iter_statements, own_expressions

UNNAMED = "name"
"""What a parameter is called that no action takes: one that only words mention."""

NAME_ACTIONS_MAX = 5
"""Actions that make the name of a procedure; the first and the last of more."""

NAME_CHARS_MAX = 60
"""Characters of the name of a procedure, so that it can be typed."""


def names_in(value: Expression) -> Iterator[str]:
    """Yield the names in *value*, in order."""
    yield from (part.name for part in iter_expressions(value) if isinstance(part, Name))


def base_names(statements: Sequence[Statement], vocabulary: Vocabulary | None) -> dict[str, str]:
    """
    Return what the names in *statements* are called by the actions that take them, in the order in which they come up.

    An action that does something tells more than one that only goes or searches, and an argument more than a word in
    one.
    """
    found = sorted(_uses(statements, vocabulary), key=lambda use: use[0])
    bases: dict[str, str] = {}
    for _, parameter, name in found:
        bases.setdefault(name, parameter)
    for statement in iter_statements(statements):
        if isinstance(statement, Find) and vocabulary is not None and vocabulary.searching is not None:
            bases.setdefault(statement.target, vocabulary.searching.mover.parameters[0].name)
    return bases


def _uses(statements: Sequence[Statement], vocabulary: Vocabulary | None) -> Iterator[tuple[int, str, str]]:
    """Yield how little a use tells (0 to 2), the parameter and the name, for every name in *statements*, in order."""
    on_the_way = set() if vocabulary is None or vocabulary.searching is None else set(vocabulary.searching.steps)
    for statement in iter_statements(statements):
        for expression in own_expressions(statement):
            if not isinstance(expression, Call) or vocabulary is None:
                yield from ((2, UNNAMED, name) for name in names_in(expression))
                continue
            acts = isinstance(statement, Act) and expression.name not in on_the_way
            for parameter, value in vocabulary.arguments(expression).items():
                rank = 2 if not isinstance(value, Name) else 0 if acts else 1
                yield from ((rank, parameter, name) for name in names_in(value))


def fresh(base: str, taken: Collection[str]) -> str:
    """Return *base*, numbered from 2 if it is taken."""
    base = f"{base}_" if base in RESERVED else base
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def taken_names(vocabulary: Vocabulary | None) -> set[str]:
    """Return the names that the toolset has taken."""
    return set() if vocabulary is None else {entry.name for entry in vocabulary.toolset.entries}


def name_all(
    statements: Sequence[Statement],
    vocabulary: Vocabulary | None,
    *,
    variables: Collection[str],
    taken: Collection[str],
) -> dict[str, str]:
    """
    Return the names of parameters and variables by what stood for them.

    Args:
        statements: The steps.

        vocabulary: The toolset.

        variables: Which of them a finder names; two that are called the same may share a name, because a place is
            only used in the step after the search.

        taken: Names that none may have.
    """
    bases = base_names(statements, vocabulary)
    used = set(taken) | taken_names(vocabulary)
    names: dict[str, str] = {}
    for name, base in bases.items():
        if name not in variables:
            names[name] = fresh(base, used)
            used.add(names[name])
    shared: dict[str, str] = {}
    for name, base in bases.items():
        if name in variables:
            shared.setdefault(base, fresh(base, used))
            names[name] = shared[base]
    return names


def procedure_name(statements: Sequence[Statement], vocabulary: Vocabulary | None, pattern: str) -> str:
    """
    Return a name made of the actions of *statements*; without a toolset, of the words of *pattern*.

    Like all that a draft says, it depends on what tells procedures apart alone.
    """
    if vocabulary is None:
        words = re.findall(r"[a-z0-9]+", pattern.casefold())[:NAME_ACTIONS_MAX]
        return _identifier("_".join(words), vocabulary)
    on_the_way = set() if vocabulary.searching is None else vocabulary.searching.steps
    calls = [statement.call.name for statement in iter_statements(statements) if isinstance(statement, Act)]
    words = list(dict.fromkeys(name for name in calls if name not in on_the_way)) or list(dict.fromkeys(calls))
    if len(words) > NAME_ACTIONS_MAX:
        words = [*words[: NAME_ACTIONS_MAX - 1], words[-1]]
    return _identifier("_then_".join(words), vocabulary)


def _identifier(text: str, vocabulary: Vocabulary | None) -> str:
    name = text if len(text) <= NAME_CHARS_MAX else text[:NAME_CHARS_MAX].rpartition("_")[0]
    name = name.strip("_") or "steps"
    is_free = name[0].isalpha() and name not in taken_names(vocabulary) | RESERVED
    return name if is_free else f"just_{name}"
