"""
Procedures that say the same, or nearly.

A pair is a suggestion to a person or a policy, who merges it with ``merge``; nothing is merged here. Only what could be
merged is compared: procedures of one scope and one toolset. Those with the same skeleton do the same with other names;
among those that answer to the same kind of task, how many of their steps are the same is counted. Comparing embeddings
instead was not taken: ``heat the mug`` and ``cool the mug`` lie close together and are no duplicates.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

import attrs
import numpy as np

from memp.errors import InvalidInputError
from memp.history.contents import structure
from memp.history.diff import ProcedureChange
from memp.model import Content, Procedure, content_digest
from memp.retrieval.patterns import normal_pattern
from memp.script.skeleton import skeleton_digest

SIMILAR_FROM = 0.8
"""Share of steps that two procedures for the same kind of task have in common, from which they are worth a look."""

SHARE_DECIMALS = 6
"""Digits of a share, as of every score."""

NO_STEPS = ("def ", "@procedure", "from ", '"""', "#")
"""How lines of a script begin that are no steps."""

_NUMBER = re.compile(r"\b\d+\b")


@attrs.frozen(kw_only=True)
class Duplicate:
    """
    Two procedures that say the same, or nearly.

    Attributes:
        first: The one that a merge would take the words of: more support, then more help, then by content.

        second: The other one.

        same_skeleton: Whether they differ in names and literals alone, or not at all.

        similarity: Share of their steps that they have in common, from 0 to 1; numbers of things do not count.

        change: How the second differs from the first.
    """

    first: Procedure
    second: Procedure
    same_skeleton: bool
    similarity: float
    change: ProcedureChange


def find_duplicates(procedures: Sequence[Procedure], *, similar_from: float = SIMILAR_FROM) -> list[Duplicate]:
    """
    Return the pairs among *procedures* with the same skeleton or steps alike enough, the most alike first.

    Args:
        procedures: Those that are compared.

        similar_from: From which share of common steps on, over 0 and at most 1.

    Raises:
        InvalidInputError: *similar_from* is no such share.
    """
    if isinstance(similar_from, bool) or not 0.0 < similar_from <= 1.0:
        raise InvalidInputError(f"'similar_from' must be over 0 and at most 1 (got {similar_from!r}).")
    # The order in which a merge ranks them, so that the first of a pair is the one whose words would stay.
    ranked = sorted(procedures, key=lambda p: (-p.support, -p.evidence.helped, p.content_key, p.name))
    steps = [_steps(procedure.revision.content) for procedure in ranked]
    same = _pairs_of(_skeleton(procedure) for procedure in ranked)
    pairs = {pair: _share(steps[pair[0]], steps[pair[1]]) for pair in same}
    for group in _groups(ranked):
        pairs.update(_alike(group, steps, similar_from))
    found = [
        Duplicate(
            first=ranked[one],
            second=ranked[other],
            same_skeleton=(one, other) in same,
            similarity=share,
            change=ProcedureChange(kind="changed", before=ranked[one], after=ranked[other]),
        )
        for (one, other), share in pairs.items()
    ]
    return sorted(found, key=lambda d: (-d.same_skeleton, -d.similarity, d.first.name, d.second.name))


def _mergeable(procedure: Procedure) -> tuple[str, str]:
    return procedure.scope, procedure.toolset or ""


def _skeleton(procedure: Procedure) -> tuple[str, ...]:
    """Return what is left of the procedure without names; procedures that cannot be merged never have the same."""
    content = procedure.revision.content
    script = structure(content.script) if content.script is not None else None
    if script is not None:
        left = skeleton_digest(script)
    elif content.script is not None:
        left = content_digest(content.script)
    else:
        left = content_digest(_actions(content))
    return (*_mergeable(procedure), left)


def _pairs_of(keys: Iterable[tuple[str, ...]]) -> set[tuple[int, int]]:
    """Return the pairs of places, the smaller one first, at which the same key stands."""
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[key].append(place)
    return {pair for group in places.values() for pair in combinations(group, 2)}


def _groups(procedures: Sequence[Procedure]) -> list[list[int]]:
    """Return the places of procedures that could be merged and answer to the same kind of task, two or more each."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, procedure in enumerate(procedures):
        for pattern in {normal_pattern(one) for one in procedure.patterns or (procedure.task,)}:
            groups[*_mergeable(procedure), pattern].append(place)
    return [group for group in groups.values() if len(group) > 1]


def _actions(content: Content) -> tuple[str, ...]:
    actions = content.run.actions if content.run is not None else ()
    return tuple(_NUMBER.sub("#", " ".join(action.casefold().split())) for action in actions)


def _steps(content: Content) -> frozenset[str]:
    """Return the steps as texts: a script's lines, a run's actions with their numbers left out."""
    if content.script is None:
        return frozenset(_actions(content))
    lines = (line.strip() for line in content.script.splitlines())
    return frozenset(line for line in lines if line and not line.startswith(NO_STEPS))


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    """
    Return the share of steps in common: twice what is common by what there is on both sides.

    Source: Dice, "Measures of the Amount of Ecologic Association Between Species", Ecology 26, 1945.
    """
    both = len(one) + len(other)
    return round(2 * len(one & other) / both, SHARE_DECIMALS) if both else 1.0


def _alike(group: Sequence[int], steps: Sequence[frozenset[str]], similar_from: float) -> dict[tuple[int, int], float]:
    """Return the pairs of *group* with a share of at least *similar_from*, counted by one product of small matrices."""
    words = {step: number for number, step in enumerate(sorted({step for place in group for step in steps[place]}))}
    has = np.zeros((len(group), len(words)), dtype=np.float32)
    for row, place in enumerate(group):
        has[row, [words[step] for step in steps[place]]] = 1.0
    # Whole numbers far below 2^24: exact in float32, in whatever order they are added.
    common = has @ has.T
    sizes = has.sum(axis=1)
    near = 2.0 * common >= (similar_from - 1e-6) * (sizes[:, np.newaxis] + sizes[np.newaxis, :])
    found = {}
    for one, other in np.argwhere(np.triu(near, k=1)).tolist():
        pair = (min(group[one], group[other]), max(group[one], group[other]))
        share = _share(steps[pair[0]], steps[pair[1]])
        if share >= similar_from:
            found[pair] = share
    return found
