"""
Procedures that a model wrote: what it must keep to, and how its answers become drafts.

Nothing here asks anybody. The answers come as an argument, so that building stays a pure function of what it is given,
and a store can be built again from the answers on record without the model. A run to which there is no answer is kept
as it is.

A script may say nothing but what the toolset knows: a step in words (``do``) beside a toolset would be a way for a
recorded text to put its own words into every later prompt. Without a toolset there is nothing but words, and then
nothing may be called.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import attrs

from memp.build.base import Draft, SourcedRun, better_run
from memp.build.canonical import is_writable
from memp.build.verbatim import Verbatim, without_extras
from memp.build.written import contents_of
from memp.errors import InvalidInputError, NotFoundError, ScriptError
from memp.model import Content, Trajectory, TrajectoryId, canonical_bytes, content_digest
from memp.rendering.plain import one_line
from memp.retrieval.patterns import normal_pattern, task_pattern
from memp.script.formatter import format_script
from memp.script.forms import FormError, slot_names
from memp.script.nodes import Act, Do, ProcedureDef, Script
from memp.script.parser import parse_script
from memp.script.skeleton import skeleton_digest
from memp.script.toolset import Toolset
from memp.script.walk import called_names, iter_statements

FORM = "distilled-1"
"""Version of what makes two answers the same procedure; part of every key."""

DISTIL = "distil"
"""The builder's name where scripts alone are kept."""

DISTIL_BOTH = "distil+run"
"""Its name where the best run is kept beside each script."""

DISTILLERS = frozenset({DISTIL, DISTIL_BOTH})
"""The names of procedures' builders that a model stands behind."""

FACTS_MAX = 8
"""Facts of one procedure: each is another way to find it, and more of them find it for what it is not."""

FACT_CHARACTERS_MAX = 200
"""Characters of a fact; what is longer is a story."""

PATTERNS_MAX = 12
"""Wordings of one procedure that a model may give."""

_FENCE = re.compile(r"\A\s*```[a-zA-Z]*\n(.*?)\n?```\s*\Z", re.DOTALL)


class NotUsableError(InvalidInputError):
    """An answer cannot become a procedure; the message is for the model that gave it."""


@attrs.frozen(kw_only=True)
class Written:
    """
    A procedure that a model wrote, checked.

    Attributes:
        name: What the script calls it.

        content: What it says, without a run.

        skeleton: What is done, names and literals apart.

        toolset: The toolset that it speaks; None if untyped.
    """

    name: str
    content: Content
    skeleton: str
    toolset: Toolset | None


def written(
    script: str,
    *,
    toolset: Toolset | None,
    patterns: Iterable[str] = (),
    facts: Iterable[str] = (),
    older: Iterable[str] = (),
) -> Written:
    """
    Check what a model wrote and return it in canonical form.

    Args:
        script: Its source; a block of Markdown around it is taken off.

        toolset: The words that it must speak; None for steps in words alone.

        patterns: Further wordings of the task.

        facts: Short statements about when it applies; what is too long or too many is left out.

        older: Wordings of a procedure that this one mends; those that name just its parameters are kept.

    Raises:
        ScriptError: The source, or a wording, has mistakes; carries all of them.

        NotUsableError: It says what it may not say, or nothing.
    """
    fenced = _FENCE.match(script)
    parsed = parse_script(fenced[1] if fenced else script, toolset, path="answer", resolve=_nothing)
    node = parsed.procedures[0]
    slots = set(slot_names(node.patterns[0]))
    node = _with_patterns(node, (*patterns, *(pattern for pattern in older if _slots_of(pattern) == slots)))
    whole = attrs.evolve(
        parsed,
        toolset=None if toolset is None else toolset.name,
        procedures=(node, *parsed.procedures[1:]),
    )
    if node is not parsed.procedures[0]:
        whole = parse_script(format_script(whole), toolset, path="answer with its patterns", resolve=_nothing)
    _check_means(whole, toolset)
    name, content = contents_of(whole)[0]
    assert content.script is not None
    return Written(
        name=name,
        content=attrs.evolve(content, facts=tidy_facts(facts)),
        skeleton=_skeleton(content.script, toolset),
        toolset=toolset,
    )


def _nothing(name: str) -> Toolset:
    raise NotFoundError(f"an answer imports nothing (it asks for {name!r}).")


def _slots_of(pattern: str) -> set[str] | None:
    try:
        return set(slot_names(pattern))
    except FormError:
        return None


def _with_patterns(node: ProcedureDef, patterns: Iterable[str]) -> ProcedureDef:
    more = (" ".join(one_line(pattern).split()) for pattern in patterns)
    every = tuple(dict.fromkeys((*node.patterns, *filter(None, more))))[:PATTERNS_MAX]
    return node if every == node.patterns else attrs.evolve(node, patterns=every)


def _check_means(script: Script, toolset: Toolset | None) -> None:
    """
    Refuse what a toolset does not know, and a script that does nothing.

    Raises:
        NotUsableError: It says what it may not say, or nothing.
    """
    statements = list(iter_statements(script))
    if not any(isinstance(statement, Act | Do) for statement in statements):
        raise NotUsableError("The script does nothing: it needs at least one action.")
    if not all(is_writable(procedure.body) for procedure in script.procedures):
        raise NotUsableError("The script is too long: say it with fewer or shorter statements.")
    if toolset is not None:
        if any(isinstance(statement, Do) for statement in statements):
            raise NotUsableError(
                f"A step in words is not allowed here: 'do(…)' must become actions of the toolset {toolset.name!r}."
            )
        return
    own = {procedure.name for procedure in script.procedures}
    foreign = sorted(set(called_names(script)) - own)
    if foreign:
        raise NotUsableError(
            f'There is no toolset, so nothing can be called (got {", ".join(foreign)}): write steps as do("…").'
        )


def tidy_facts(facts: Iterable[str]) -> tuple[str, ...]:
    """Return *facts* on one line each, without those that are too long, and not too many."""
    lines = (" ".join(one_line(fact).split()) for fact in facts)
    kept = (line for line in lines if 0 < len(line) <= FACT_CHARACTERS_MAX)
    return tuple(dict.fromkeys(kept))[:FACTS_MAX]


@functools.lru_cache(maxsize=4096)
def _skeleton(script: str, toolset: Toolset | None) -> str:
    parsed = parse_script(script, toolset, resolve=_nothing)
    return content_digest([FORM, skeleton_digest(parsed, toolset)])


def same_steps(one: str | None, other: str | None, toolset: Toolset | None) -> bool:
    """Whether two scripts do the same with the same parameters, wordings and remarks about themselves apart."""
    if one is None or other is None:
        return one == other
    try:
        scripts = [parse_script(text, toolset, resolve=_nothing) for text in (one, other)]
    except ScriptError:
        return one == other
    told = [[(part.name, part.parameters, part.body) for part in script.procedures[1:]] for script in scripts]
    first = [(script.procedures[0].parameters, script.procedures[0].body) for script in scripts]
    return first[0] == first[1] and told[0] == told[1]


def kinds(runs: Sequence[Trajectory], *, together: int) -> list[tuple[Trajectory, ...]]:
    """
    Return *runs* in groups of one kind of task, at most *together* in each, in the order in which kinds come first.

    Which kind a run is of goes by the wording of its task without what it names.
    """
    found: dict[str, list[Trajectory]] = {}
    for run in runs:
        found.setdefault(kind_of_task(run), []).append(run)
    return [tuple(of[at : at + together]) for of in found.values() for at in range(0, len(of), together)]


def kind_of_task(run: Trajectory) -> str:
    """Return what the task of *run* has in common with others of its kind."""
    return normal_pattern(task_pattern(run))


@attrs.frozen(kw_only=True)
class Distil:
    """
    Makes drafts of answers.

    Attributes:
        answers: Content digest of a run to what a model wrote of it, alone or with others.

        kept: The recording of a run to the content that was once made of it; asked where there is no answer.

        toolsets: The toolsets that a run may be told in.

        keep_run: Whether the best run is kept beside the script.
    """

    answers: Mapping[str, Written] = attrs.field(factory=dict)
    kept: Mapping[TrajectoryId, Content] = attrs.field(factory=dict)
    toolsets: tuple[Toolset, ...] = ()
    keep_run: bool = False

    speaks: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """See ``Builder.name``."""
        return DISTIL_BOTH if self.keep_run else DISTIL

    def speaking(self, toolsets: Sequence[Toolset], *, given: bool) -> Distil:  # noqa: ARG002 - the answers say it
        """See ``Builder.speaking``."""
        return attrs.evolve(self, toolsets=tuple(toolsets))

    def build(self, runs: Sequence[SourcedRun]) -> list[Draft]:
        """See ``Builder.build``; runs to which there is no answer are kept as they are."""
        drafts: dict[tuple[str | None, str, str], Draft] = {}
        left: list[SourcedRun] = []
        for run in runs:
            answer = self.answers.get(run.trajectory.digest) or self._once(run)
            if answer is None:
                left.append(run)
                continue
            draft = self._draft(run, answer)
            key = (draft.toolset, draft.pattern, draft.skeleton)
            same = drafts.get(key)
            if same is not None:
                content = self.join(same.content, draft.content)
                draft = attrs.evolve(same, content=content, sources=(*same.sources, *draft.sources))
            drafts[key] = draft
        return [*drafts.values(), *Verbatim().build(left)]

    def join(self, one: Content, other: Content) -> Content:
        """
        See ``Builder.join``: of two scripts that do the same, the one that comes first by its canonical bytes.

        Mixing them would give a script that no model wrote and nobody checked.
        """
        if one.script is None and other.script is None:
            return Verbatim().join(one, other)
        first = min((attrs.evolve(content, run=None) for content in (one, other)), key=canonical_bytes)
        return attrs.evolve(first, run=better_run(one.run, other.run))

    def resembles(self, content: Content, draft: Draft) -> bool:
        """See ``Builder.resembles``: the same skeleton."""
        toolset = next((known for known in self._spoken() if known.digest == draft.toolset), None)
        if toolset is None or content.script is None or draft.pattern:
            return False
        try:
            return _skeleton(content.script, toolset) == draft.skeleton
        except ScriptError:
            return False

    def _spoken(self) -> Iterable[Toolset]:
        return (*self.toolsets, *(answer.toolset for answer in self.answers.values() if answer.toolset is not None))

    def _draft(self, run: SourcedRun, answer: Written) -> Draft:
        best = without_extras(run.trajectory) if self.keep_run else None
        tells = answer.toolset is not None and "{" in answer.content.patterns[0]
        return Draft(
            builder=self.name,
            toolset=None if answer.toolset is None else answer.toolset.digest,
            pattern="" if tells else normal_pattern(answer.content.patterns[0]),
            skeleton=answer.skeleton,
            content=attrs.evolve(answer.content, run=best),
            sources=(run.id,),
            name=answer.name,
        )

    def _once(self, run: SourcedRun) -> Written | None:
        """Return what was once written of *run*; None if nothing was, or its toolset is not here any more."""
        content = self.kept.get(run.id)
        if content is None or content.script is None:
            return None
        imported = re.search(r"^from (\w+) import \*$", content.script, re.MULTILINE)
        toolset = next((known for known in self.toolsets if imported and known.name == imported[1]), None)
        try:
            parsed = parse_script(content.script, toolset, resolve=_nothing)
        except ScriptError:
            return None
        return Written(
            name=parsed.procedures[0].name,
            content=attrs.evolve(content, run=None),
            skeleton=_skeleton(content.script, toolset),
            toolset=toolset,
        )
