"""
The run as it is: one procedure for each way in which a task was done.

It is the paper's "trajectory" memory, the yardstick for every builder that abstracts, and what remains when no toolset
knows the actions. Two recordings of the same task with the same actions are one procedure with two runs behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import attrs

from memp.build.base import Draft, SourcedRun, better_run
from memp.model import Content, Step, Trajectory, content_digest
from memp.retrieval.patterns import task_pattern
from memp.script.toolset import Toolset


@attrs.frozen
class Verbatim:
    """Keeps each run, without the source's extra fields, which stay in the recorded trajectory."""

    name: str = "verbatim"

    speaks: ClassVar[bool] = False
    toolsets: ClassVar[tuple[Toolset, ...]] = ()

    def speaking(self, toolsets: Sequence[Toolset], *, given: bool) -> Verbatim:  # noqa: ARG002 - it has no use for them
        """See ``Builder.speaking``: it keeps runs as they are."""
        return self

    def resembles(self, content: Content, draft: Draft) -> bool:  # noqa: ARG002 - scripts are not its matter
        """See ``Builder.resembles``: a run resembles no script."""
        return False

    def build(self, runs: Sequence[SourcedRun]) -> list[Draft]:
        """See ``Builder.build``."""
        drafts: dict[tuple[str, str], Draft] = {}
        for run in runs:
            draft = self._draft(run)
            same = drafts.get((draft.pattern, draft.skeleton))
            if same is not None:
                content = self.join(same.content, draft.content)
                draft = attrs.evolve(same, content=content, sources=(*same.sources, *draft.sources))
            drafts[draft.pattern, draft.skeleton] = draft
        return list(drafts.values())

    def join(self, one: Content, other: Content) -> Content:
        """See ``Builder.join``: the better of the two runs."""
        return attrs.evolve(one, run=better_run(one.run, other.run))

    def _draft(self, run: SourcedRun) -> Draft:
        kept = without_extras(run.trajectory)
        return Draft(
            builder=self.name,
            pattern=kept.task,
            skeleton=content_digest(kept.actions),
            content=Content(task=kept.task, patterns=(task_pattern(kept),), run=kept),
            sources=(run.id,),
        )


def without_extras(run: Trajectory) -> Trajectory:
    """Return *run* with what a reader of the procedure needs: no source's extra fields."""
    steps = tuple(Step(action=s.action, observation=s.observation, thought=s.thought) for s in run.steps)
    return attrs.evolve(run, steps=steps, extra={})
