"""
Procedures from runs by rule: no model, no chance, the same in every order.

A run becomes a script in a normal form: its actions lifted through the toolset, without those that had no effect;
wandering as a search with the places where it succeeded; what the task names as typed parameters; work that comes
again as a loop. A run that no toolset knows becomes a script of steps in words.

Which runs are one procedure is decided by a key of each run alone, never by comparing runs with each other, or the
order of learning would matter. The key is the typed skeleton of the script, without what only the day decides: where
a thing was found, what was closed, how often one waited. The wording of the task takes no part in it, so "put a hot
mug in the cabinet" and "heat some mug and put it in cabinet" are two patterns of one procedure. Only where the
skeleton does not tell what it is for does the masked wording count too: in scripts of words, and in those that use
nothing that the task names. Scripts of the same key become one by least general generalisation.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import ClassVar

import attrs

from memp.build.base import Draft, SourcedRun, better_run
from memp.build.canonical import flat, for_comparing, is_writable
from memp.build.detours import without_detours
from memp.build.effects import Deed, Lifter, choose_toolset, effective_deeds, lifted_share
from memp.build.generalise import MismatchError, generalise, slots_of
from memp.build.naming import name_all, procedure_name, taken_names
from memp.build.parameters import Slots
from memp.build.places import Vocabulary, vocabulary
from memp.build.repeats import fold_repeats
from memp.build.steps import StepWriter, untyped_items
from memp.build.verbatim import without_extras
from memp.build.wording import cut_task, worded
from memp.errors import NotFoundError, ScriptError
from memp.model import Content, Trajectory, TrajectoryId, canonical_bytes, content_digest
from memp.retrieval.patterns import normal_pattern, task_pattern
from memp.script.formatter import format_script
from memp.script.lift import lift
from memp.script.nodes import Expression, Find, Name, Parameter, ProcedureDef, Script, Statement
from memp.script.parser import parse_script
from memp.script.skeleton import skeleton
from memp.script.toolset import Toolset
from memp.script.walk import iter_statements, rewrite

FORM = "induced-2"
"""Version of the normal form; part of every key, because scripts of two forms cannot be joined."""


@attrs.frozen(kw_only=True)
class Induce:
    """
    Builds scripts by rule.

    Attributes:
        toolsets: The toolsets that a run may be told in, no two of the same name. Each run takes the one that knows
            most of its actions; see ``memp.build.effects.choose_toolset``.

        given: Whether the caller named them: then one is taken as soon as it knows a single action.

        keep_run: Whether the best run is kept beside the script.
    """

    toolsets: tuple[Toolset, ...] = ()
    given: bool = False
    keep_run: bool = False

    @property
    def name(self) -> str:
        """See ``Builder.name``."""
        return "both" if self.keep_run else "induce"

    speaks: ClassVar[bool] = True

    def speaking(self, toolsets: Sequence[Toolset], *, given: bool) -> Induce:
        """See ``Builder.speaking``."""
        return attrs.evolve(self, toolsets=tuple(toolsets), given=given)

    def build(self, runs: Sequence[SourcedRun]) -> list[Draft]:
        """See ``Builder.build``."""
        lifter: Lifter = functools.cache(lift)
        made: dict[tuple[str | None, str, str], _Made] = {}
        for run in runs:
            one = self._made(run, lifter)
            same = made.get(one.key)
            made[one.key] = one if same is None else _joined(same, one)
        return [self._draft(one) for one in made.values()]

    def join(self, one: Content, other: Content) -> Content:
        """
        See ``Builder.join``.

        Contents that no procedure covers, because another version of memp made one of them, are not mixed: the one
        that comes first by its canonical bytes stays.
        """
        run = better_run(one.run, other.run)
        if one.script is None or other.script is None:
            return attrs.evolve(min(one, other, key=canonical_bytes), run=run)
        try:
            first, second = self._parsed(one.script), self._parsed(other.script)
            toolset = None if first.toolset is None else self._named(first.toolset)
            node = generalise(first.procedures[0], second.procedures[0], _vocabulary(toolset))
        except (MismatchError, ScriptError):
            return min(one, other, key=canonical_bytes)
        return _content(node, toolset, run if self.keep_run else None)

    def resembles(self, content: Content, draft: Draft) -> bool:
        """See ``Builder.resembles``: the same skeleton, remarks apart."""
        toolset = next((known for known in self.toolsets if known.digest == draft.toolset), None)
        if toolset is None or content.script is None or draft.pattern:
            return False
        return _written_skeleton(content.script, toolset) == draft.skeleton

    # -- one run ------------------------------------------------------------------------------------------------------

    def _made(self, run: SourcedRun, lifter: Lifter) -> _Made:
        kept = without_extras(run.trajectory)
        toolset = self._toolset(kept, lifter)
        written = None
        for spoken in (toolset, None) if toolset is not None else (None,):
            toolset, written = spoken, _write(kept, spoken, lifter)
            if written is not None:
                break
        if written is None:
            return _Made(
                toolset=None, pattern=kept.task, skeleton=content_digest(kept.actions), run=kept, sources=(run.id,)
            )
        tells = toolset is not None and bool(slots_of(written))
        return _Made(
            toolset=toolset,
            pattern="" if tells else normal_pattern(written.patterns[0]),
            skeleton=_skeleton(written, toolset),
            node=written,
            run=kept,
            sources=(run.id,),
        )

    def _toolset(self, run: Trajectory, lifter: Lifter) -> Toolset | None:
        if not self.given:
            return choose_toolset(run, self.toolsets, lifter=lifter)
        shares = [(lifted_share(run, toolset, lifter=lifter), toolset) for toolset in self.toolsets]
        known = [(share, toolset) for share, toolset in shares if share > 0.0]
        return min(known, key=lambda pair: (-pair[0], pair[1].name))[1] if known else None

    def _draft(self, made: _Made) -> Draft:
        if made.node is None:
            content = Content(task=made.run.task, patterns=(task_pattern(made.run),), run=made.run)
        else:
            content = _content(made.node, made.toolset, made.run if self.keep_run else None)
        return Draft(
            builder=self.name,
            toolset=None if made.toolset is None else made.toolset.digest,
            pattern=made.pattern,
            skeleton=made.skeleton,
            content=content,
            sources=made.sources,
        )

    def _parsed(self, script: str) -> Script:
        return parse_script(script, resolve=self._named)

    def _named(self, name: str) -> Toolset:
        for toolset in self.toolsets:
            if toolset.name == name:
                return toolset
        raise NotFoundError(f"no toolset {name!r} is at hand.")


@attrs.frozen(kw_only=True)
class _Made:
    """
    What was made of one run, or of several of the same key.

    Attributes:
        toolset: The toolset; None if untyped.

        pattern: What of the wording is part of the key.

        skeleton: Digest of what is done.

        node: The procedure; None where the run is kept as it is.

        run: The best run.

        sources: The runs.
    """

    toolset: Toolset | None
    pattern: str
    skeleton: str
    node: ProcedureDef | None = None
    run: Trajectory
    sources: tuple[TrajectoryId, ...]

    @property
    def key(self) -> tuple[str | None, str, str]:
        """What is the same for runs of one procedure."""
        return (None if self.toolset is None else self.toolset.digest, self.pattern, self.skeleton)


def _joined(one: _Made, other: _Made) -> _Made:
    node = one.node
    if node is not None and other.node is not None and node != other.node:
        node = generalise(node, other.node, _vocabulary(one.toolset))
    run = better_run(one.run, other.run)
    assert run is not None
    return attrs.evolve(one, node=node, run=run, sources=(*one.sources, *other.sources))


def _skeleton(node: ProcedureDef, toolset: Toolset | None) -> str:
    """Return the digest of what *node* does, without what is incidental."""
    words = _vocabulary(toolset)
    compared = for_comparing(node, None if words is None else words.likely)
    return content_digest([FORM, skeleton(compared, toolset)])


@functools.lru_cache(maxsize=4096)
def _written_skeleton(script: str, toolset: Toolset) -> str | None:
    """Return the skeleton of a script that was written by hand; None if *toolset* does not read it."""
    try:
        return _skeleton(parse_script(script, toolset).procedures[0], toolset)
    except ScriptError:
        return None


def _vocabulary(toolset: Toolset | None) -> Vocabulary | None:
    return None if toolset is None else vocabulary(toolset)


def _content(node: ProcedureDef, toolset: Toolset | None, run: Trajectory | None) -> Content:
    script = Script(toolset=None if toolset is None else toolset.name, procedures=(node,))
    return Content(task=node.patterns[0], patterns=node.patterns, script=format_script(script), run=run)


def _write(run: Trajectory, toolset: Toolset | None, lifter: Lifter) -> ProcedureDef | None:
    """Return *run* as a procedure; None if nothing of it can be told in the words of *toolset*, or it is too long."""
    run = attrs.evolve(run, task=cut_task(run.task))
    words = _vocabulary(toolset)
    if toolset is None:
        steps = [step for step in run.steps if step.action.strip()]
        deeds: Sequence[Deed] = [Deed(text=step.action, call=None, observation=step.observation) for step in steps]
    else:
        deeds = effective_deeds(run, toolset, lifter=lifter)
        deeds = without_detours(deeds, vocabulary(toolset))
    slots = Slots(run.task, deeds, words)
    items = untyped_items(slots, deeds) if words is None else StepWriter(slots, words).write(deeds)
    body = flat(fold_repeats(items, words), words)
    if not body or not is_writable(body):
        return None
    return _named_procedure(run, body, slots, words)


def _named_procedure(
    run: Trajectory, body: Sequence[Statement], slots: Slots, words: Vocabulary | None
) -> ProcedureDef:
    """Return the procedure of *body*, its parameters and variables named and the task's wording as its pattern."""
    name = procedure_name(body, words, normal_pattern(task_pattern(run)))
    variables = {statement.target for statement in iter_statements(body) if isinstance(statement, Find)}
    names = name_all(body, words, variables=variables, taken={name})
    used = {slot.name: slot for slot in slots.slots.values() if slot.name in names}
    types = {names[slot.name]: slot.type for slot in used.values()}
    pattern, extras = worded(
        run,
        {slot.span: names[slot.name] for slot in used.values()},
        {span: names[slot] for span, slot in slots.again(used).items()},
        types,
        frozenset({*names.values(), *taken_names(words), name}),
    )
    return ProcedureDef(
        name=name,
        patterns=(pattern,),
        parameters=(*(Parameter(name=names[n], type=used[n].type) for n in names if n in used), *extras),
        body=tuple(_with_names(statement, names) for statement in body),
    )


def _with_names(statement: Statement, names: Mapping[str, str]) -> Statement:
    def change(part: Expression) -> Expression:
        return attrs.evolve(part, name=names[part.name]) if isinstance(part, Name) else part

    changed: Statement = rewrite(statement, change, bind=lambda name: names[name])
    return changed
