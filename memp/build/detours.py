"""
What a run did and took back, and what it tried in vain: no part of what the next run should do.

A run that won by trying holds much that led nowhere. What of it can be seen without knowing the world is left out:
what the toolset says was taken back or overridden with nothing done in between, and things that were given up for
another of their kind. What had an effect that lasted stays, even if the task did not need it: a single run cannot tell.
Comparing runs would tell more, but then the order of learning would decide what is remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memp.build.effects import Deed
from memp.build.places import Vocabulary, kind_of
from memp.script.nodes import Call, Expression, TextLiteral
from memp.script.toolset import Action


def without_detours(deeds: Sequence[Deed], vocabulary: Vocabulary) -> tuple[Deed, ...]:
    """
    Return *deeds* without those that the run took back and without attempts; the order stays.

    Args:
        deeds: What a run did, first to last.

        vocabulary: The toolset; what it does not declare to be taken back stays.
    """
    kept = tuple(deeds)
    while (fewer := _without_attempts(_without_returns(kept, vocabulary), vocabulary)) != kept:
        kept = fewer  # what lay between two deeds may be gone now
    return kept


def _without_returns(deeds: Sequence[Deed], vocabulary: Vocabulary) -> tuple[Deed, ...]:
    """
    Leave out pairs that cancel each other, and what the next deed leaves nothing of.

    Ways may lie between the two, and pairs that are gone already. Had anything else been done there it might have
    needed the first. The last deed of a run always stays: it is the one after which the task was solved.
    """
    kept: list[Deed] = []
    acts: list[int] = []  # places in kept of what is no way, each popped with its deed
    last = max((number for number, deed in enumerate(deeds) if not _is_way(deed, vocabulary)), default=-1)
    for number, deed in enumerate(deeds):
        if _is_way(deed, vocabulary):
            kept.append(deed)
            continue
        while acts and _overrides(deed, kept[acts[-1]], vocabulary):
            del kept[acts.pop()]
        if number != last and acts and _undoes(deed, kept[acts[-1]], vocabulary):
            del kept[acts.pop()]
            continue
        acts.append(len(kept))
        kept.append(deed)
    return tuple(kept)


def _without_attempts(deeds: Sequence[Deed], vocabulary: Vocabulary) -> tuple[Deed, ...]:
    """
    Leave out what was done to things of the kind that the run ended with, if that last one got all of it and more.

    More was needed then, and the first was left where it lay. Where several got the same, as with two things that
    belong together, all of them count.
    """
    handled = [_thing(deed, vocabulary) for deed in deeds]
    named = [thing for thing in handled if thing is not None]
    if not named:
        return tuple(deeds)
    done: dict[str, set[str]] = {thing: set() for thing in named}
    for deed, thing in zip(deeds, handled, strict=True):
        if thing is not None and deed.call is not None:
            done[thing].add(deed.call.name)
    last = named[-1]
    given_up = {thing for thing in done if kind_of(thing) == kind_of(last) and done[thing] < done[last]}
    return tuple(deed for deed, thing in zip(deeds, handled, strict=True) if thing not in given_up)


def _is_way(deed: Deed, vocabulary: Vocabulary) -> bool:
    return deed.call is not None and vocabulary.searching is not None and deed.call.name in vocabulary.searching.steps


def _undoes(deed: Deed, before: Deed, vocabulary: Vocabulary) -> bool:
    """Return whether *deed* takes *before* back: done with the same things."""
    action = _action(deed.call, vocabulary)
    if action is None or deed.call is None or before.call is None or before.call.name not in action.undoes:
        return False
    return _values(deed.call, vocabulary) == _values(before.call, vocabulary)


def _overrides(deed: Deed, before: Deed, vocabulary: Vocabulary) -> bool:
    """Return whether *deed* leaves nothing of *before*: done to the same thing, the first argument of both."""
    action = _action(deed.call, vocabulary)
    if action is None or deed.call is None or before.call is None or before.call.name not in action.overrides:
        return False
    return _values(deed.call, vocabulary)[:1] == _values(before.call, vocabulary)[:1]


def _action(call: Call | None, vocabulary: Vocabulary) -> Action | None:
    return None if call is None else vocabulary.toolset.find_action(call.name)


def _values(call: Call, vocabulary: Vocabulary) -> list[Expression]:
    return list(vocabulary.arguments(call).values())


def _thing(deed: Deed, vocabulary: Vocabulary) -> str | None:
    """Return the first thing in *deed* that one could look for and that is no place; None if there is none."""
    return None if deed.call is None else next(_things(deed.call, vocabulary), None)


def _things(call: Call, vocabulary: Vocabulary) -> Iterator[str]:
    searching, types = vocabulary.searching, vocabulary.types_of(call)
    if searching is None:
        return
    for name, value in vocabulary.arguments(call).items():
        is_sought = vocabulary.rules.fits(types[name], searching.sought.type)
        is_place = vocabulary.rules.fits(types[name], searching.finder.returns)
        if isinstance(value, TextLiteral) and vocabulary.is_thing(types[name]) and is_sought and not is_place:
            yield value.value
