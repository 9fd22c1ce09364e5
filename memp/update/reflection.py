"""
After a failure: what of the served script did not work, and how runs that won did it.

By rule, for now: the first step of the script that the run did not get done, or that was not followed by what the
script expects (``ensure``), is where it went wrong. If a recorded
success did the same with something else, a candidate tries that where the old way fails; if it did something before,
the candidate does that too; if the step was tried and nothing came of it, and nobody knows better, the candidate avoids
it. Scripts are edited as trees and checked again, never as text.

What was searched for is skipped: where a thing lies differs from room to room, and is no reason to rewrite anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import attrs

from memp.build.effects import Deed, effective_deeds
from memp.build.places import Vocabulary, kind_of, says, vocabulary
from memp.errors import ScriptError
from memp.model import EventId, Procedure
from memp.script.formatter import format_expression, format_script
from memp.script.lift import lift, make_call
from memp.script.nodes import (
    Act,
    Avoid,
    Branch,
    Call,
    Ensure,
    Expression,
    If,
    ProcedureDef,
    Script,
    Statement,
    TextLiteral,
    Try,
)
from memp.script.parser import parse_script
from memp.script.walk import iter_statements, rewrite_expression
from memp.update.base import Command, FinishedEpisode, ReflectOn, Remark, ServedProcedure, StoredRun
from memp.update.expectations import Bindings, bind, is_unmet
from memp.update.trial import open_candidates, trial

if TYPE_CHECKING:
    from memp.script.toolset import Toolset
    from memp.state import State

RUNS_LOOKED_AT = 50
"""Successes that are read for an example: reading one costs a millisecond, and the nearest ones come first."""

CANDIDATES_MAX = 2
"""Candidates of one procedure that may be on trial at once: more share so few episodes that none is ever decided."""

STEPS_BEFORE_MAX = 3
"""Steps before the one that worked that are taken over: going there, opening it, and one more."""


@attrs.frozen(kw_only=True)
class Failure:
    """
    Where a run left its script.

    Attributes:
        index: Place of the statement in the body of the procedure.

        ways: The calls of which one would have done it, what is tried first first.

        done: How many steps before it were carried out.

        tried: Whether the run tried it and nothing came of it.

        unmet: What was expected of it and did not come; empty if it was not even done.
    """

    index: int
    ways: tuple[Call, ...]
    done: int
    tried: bool
    unmet: str = ""

    @property
    def call(self) -> Call:
        """What is tried first."""
        return self.ways[0]


@attrs.frozen(kw_only=True)
class Mend:
    """
    How a script changes.

    Attributes:
        statements: What takes the place of the statement that failed.

        told: What was changed, for people.

        made_from: The events of the runs that showed how.
    """

    statements: tuple[Statement, ...]
    told: str
    made_from: tuple[EventId, ...] = ()


def reflection(state: State, episode: FinishedEpisode) -> Iterable[Command]:
    """Judge the candidates that are on trial, and after a failure offer new ones for what was served."""
    yield from trial(state, episode)
    if episode.success:
        return
    for served in episode.served:
        yield from _reflect_on(state, episode, served)


def _reflect_on(state: State, episode: FinishedEpisode, served: ServedProcedure) -> Iterator[Command]:
    procedure = state.get(served.procedure.id)
    content = served.revision.content
    if procedure is None or procedure.status != "live":
        return
    if content.script is None:
        yield Remark(text=f"reflection left {procedure.name!r} alone: it is a run without a script")
        return
    toolset = episode.toolset_of(procedure.toolset)
    if toolset is None:
        yield Remark(text=f"reflection left {procedure.name!r} alone: its steps are in words, of no toolset")
        return
    try:
        script = parse_script(content.script, toolset)
    except ScriptError:
        yield Remark(text=f"reflection left {procedure.name!r} alone: its script cannot be read any more")
        return
    words, definition = vocabulary(toolset), script.procedures[0]
    failure = find_failure(definition, episode, words, won=lambda: episode.successes(procedure))
    if failure is None or not failure.done:
        return
    if len(open_candidates(procedure)) >= CANDIDATES_MAX:
        yield Remark(text=f"reflection left {procedure.name!r} alone: {CANDIDATES_MAX} candidates are on trial")
        return
    mend = find_mend(definition, failure, episode.successes(procedure), words)
    if mend is None:
        yield Remark(text=f"reflection left {procedure.name!r} alone: no recorded success shows another way")
        return
    yield _command(served, script, failure, mend, toolset, procedure)


def _command(
    served: ServedProcedure,
    script: Script,
    failure: Failure,
    mend: Mend,
    toolset: Toolset,
    procedure: Procedure,
) -> Command:
    first, *others = script.procedures
    body = (*first.body[: failure.index], *mend.statements, *first.body[failure.index + 1 :])
    changed = attrs.evolve(script, procedures=(attrs.evolve(first, body=body), *others))
    text = format_script(changed)
    try:
        parse_script(text, toolset)
    except ScriptError as error:
        return Remark(text=f"reflection left {procedure.name!r} alone: the change does not check ({error})")
    if any(one.content.script == text for one in procedure.revisions):
        return Remark(text=f"reflection left {procedure.name!r} alone: that change was offered before")
    tried = "nothing came of" if failure.tried else "the run did not get to"
    critique = f"{tried} the step '{failure.call.name}'"
    if failure.unmet:
        critique = f"after the step '{failure.call.name}' there was not what is expected: {failure.unmet}"
    return ReflectOn(
        procedure_id=procedure.id,
        base=served.revision.id,
        content=attrs.evolve(served.revision.content, script=text),
        critique=critique,
        reason=mend.told,
        made_from=mend.made_from,
    )


# -- where it went wrong ----------------------------------------------------------------------------------------------


def find_failure(
    definition: ProcedureDef,
    episode: FinishedEpisode,
    words: Vocabulary,
    *,
    won: Callable[[], Iterable[StoredRun]] = tuple,
) -> Failure | None:
    """
    Return the first step of *definition* that the run did not get done, or not as expected; None if it did all of them.

    Args:
        definition: What was served.

        episode: The episode.

        words: The toolset.

        won: Returns runs that solved their task: they tell whether an expectation is one that the world speaks of.
    """
    deeds = effective_deeds(episode.trajectory, words.toolset)
    searching = frozenset() if words.searching is None else words.searching.steps
    bindings: Bindings = {}
    at = done = 0
    last: tuple[int, tuple[Call, ...]] | None = None
    for index, statement in enumerate(definition.body):
        if isinstance(statement, Ensure) and last is not None:
            place, ways = last
            if is_unmet(statement.condition, ways, deeds[at - 1], bindings, words, won):
                unmet = format_expression(statement.condition)
                return Failure(index=place, ways=ways, done=done, tried=True, unmet=unmet)
        calls = [call for call in _ways(statement) if call.name not in searching]
        if not calls:
            continue
        found = _next_match(calls, deeds, at, bindings, words)
        if found is None:
            tried = _was_tried(calls, episode, bindings, words)
            return Failure(index=index, ways=tuple(calls), done=done, tried=tried)
        at, bindings, done, last = found[0] + 1, found[1], done + 1, (index, tuple(calls))
    return None


def _ways(statement: Statement) -> list[Call]:
    """Return the calls of which one must have been carried out; none for what may be left out."""
    match statement:
        case Act(call=call):
            return [call]
        case Try():
            return [inner.call for inner in iter_statements([statement]) if isinstance(inner, Act)]
        case _:
            return []


def _next_match(
    calls: Sequence[Call], deeds: Sequence[Deed], start: int, bindings: Bindings, words: Vocabulary
) -> tuple[int, Bindings] | None:
    for place in range(start, len(deeds)):
        for call in calls:
            bound = bind(call, deeds[place].call, bindings, words)
            if bound is not None:
                return place, bound
    return None


def _was_tried(calls: Sequence[Call], episode: FinishedEpisode, bindings: Bindings, words: Vocabulary) -> bool:
    for step in episode.trajectory.steps:
        done = lift(step.action, words.toolset)
        fits = any(bind(call, done, bindings, words) is not None for call in calls)
        if fits and done is not None and not words.toolset.had_effect(done.name, step.observation):
            return True
    return False


# -- how others did it ------------------------------------------------------------------------------------------------


def find_mend(
    definition: ProcedureDef, failure: Failure, successes: Iterator[StoredRun], words: Vocabulary
) -> Mend | None:
    """Return what to do where the script failed; None if none of *successes*, newest first, says so."""
    for event_id, run in islice(successes, RUNS_LOOKED_AT):
        deeds = effective_deeds(run, words.toolset)
        for place, deed in enumerate(deeds):
            if deed.call is None or deed.call.name != failure.call.name:
                continue
            # What the script does already where its first way fails is nothing that it could be taught.
            known = any(bind(way, deed.call, {}, words) is not None for way in failure.ways[1:])
            mend = None if known else _shown_by(definition, failure, deeds, place, words)
            if mend is not None:
                return attrs.evolve(mend, made_from=(event_id,))
            if not failure.tried:
                return None  # the newest run that did it did it just so: older ones are of another day
    if not failure.tried:
        return None
    because = TextLiteral(value="nothing came of it, and no run that won did it otherwise")
    return Mend(
        statements=(Avoid(what=attrs.evolve(failure.call, surface=None), because=because),),
        told=f"the step '{failure.call.name}' is to be avoided",
    )


def _shown_by(
    definition: ProcedureDef, failure: Failure, deeds: Sequence[Deed], place: int, words: Vocabulary
) -> Mend | None:
    """Return what the success that did *deeds* shows about the step that it did at *place*; None if nothing new."""
    done = deeds[place].call
    assert done is not None
    wanted, given = words.arguments(failure.call), words.arguments(done)
    things: dict[str, Expression] = {}
    other: dict[str, str] = {}
    for parameter, value in given.items():
        said = wanted.get(parameter)
        if not isinstance(value, TextLiteral) or said is None:
            continue
        if not isinstance(said, TextLiteral):
            things[value.value] = said
        elif kind_of(said.value).casefold() != kind_of(value.value).casefold():
            # A script that speaks of "microwave", any of them, goes on to speak of kinds.
            any_of_kind = kind_of(said.value) == said.value
            other[parameter] = kind_of(value.value) if any_of_kind else value.value
            if any_of_kind:
                things[value.value] = TextLiteral(value=kind_of(value.value))
        else:
            things[value.value] = said
    failed = definition.body[failure.index]
    if other:
        entry = words.toolset.find_entry(done.name)
        assert entry is not None
        values = {name: TextLiteral(value=other[name]) if name in other else value for name, value in wanted.items()}
        places = {v.value for name, v in given.items() if name in other and isinstance(v, TextLiteral)}
        before = _before(deeds, place, things, words, about=places)
        instead: tuple[Statement, ...] = (*before, Act(call=make_call(entry, values)))
        named = ", ".join(sorted(other.values()))
        return Mend(
            statements=(Try(body=(failed,), handler=instead),),
            told=f"where '{done.name}' fails, it is done with {named}, as in a run that won",
        )
    if not failure.tried:
        return None  # the run never got there, so what it lacked was not a step before this one
    known = {_shape(one.call, words) for one in iter_statements(definition) if isinstance(one, Act)}
    first = [step for step in _before(deeds, place, things, words) if _is_new(step, known, words)]
    if not first:
        return None
    return Mend(
        statements=(*first, failed),
        told=f"before '{done.name}' it does what a run that won did there",
    )


def _before(
    deeds: Sequence[Deed],
    place: int,
    things: Mapping[str, Expression],
    words: Vocabulary,
    *,
    about: set[str] | None = None,
) -> list[Statement]:
    """
    Return the steps just before *place*, oldest first.

    Args:
        deeds: What the success did.

        place: Where the step stands.

        things: Texts of that run to what the script calls them.

        words: The toolset.

        about: Only steps about one of these, as far back as they follow each other; None: what is no search.
    """
    searching = frozenset() if words.searching is None else words.searching.steps
    found: list[Statement] = []
    for at in range(place - 1, max(-1, place - 1 - STEPS_BEFORE_MAX), -1):
        call = deeds[at].call
        if call is None:
            break
        texts = {value.value for value in words.arguments(call).values() if isinstance(value, TextLiteral)}
        if about is not None and not texts & about:
            break
        guard = _guard(deeds, at, call, words)
        if about is None and ((call.name in searching and guard is None) or not texts & set(things)):
            break
        found.append(_step(call, guard, things))
    return found[::-1]


def _step(call: Call, guard: Call | None, things: Mapping[str, Expression]) -> Statement:
    def named(part: Expression) -> Expression:
        return things.get(part.value, part) if isinstance(part, TextLiteral) else part

    said = rewrite_expression(attrs.evolve(call, surface=None), named)
    assert isinstance(said, Call)
    if guard is None:
        return Act(call=said)
    return If(branches=(Branch(condition=rewrite_expression(guard, named), body=(Act(call=said),)),))


def _guard(deeds: Sequence[Deed], at: int, call: Call, words: Vocabulary) -> Call | None:
    """Return the condition that the run saw before it did *call*; None if it saw none of its place."""
    searching = words.searching
    if searching is None or call.name not in searching.steps or call.name == searching.mover.name or at == 0:
        return None
    place = words.place_of(call)
    if place is None:
        return None
    for condition in searching.conditions:
        if says(condition, place, deeds[at - 1].observation):
            return make_call(condition, {condition.parameters[0].name: TextLiteral(value=place)})
    return None


def _is_new(step: Statement, known: set[tuple[object, ...]], words: Vocabulary) -> bool:
    return all(_shape(one.call, words) not in known for one in iter_statements([step]) if isinstance(one, Act))


def _shape(call: Call, words: Vocabulary) -> tuple[object, ...]:
    """Return what *call* does, things by kind."""
    values = words.arguments(call).values()
    return (
        call.name,
        *(kind_of(value.value).casefold() if isinstance(value, TextLiteral) else value for value in values),
    )
