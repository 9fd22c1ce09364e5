"""
What a model is used for: write a procedure, mend one, judge a run, say when a procedure applies.

Each is a template, a form and a check, joined by ``memp.llm.dialogue``. What comes back is checked before anybody sees
it: a script by the parser and the toolset, a verdict by the steps that it cites.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from memp.build.distil import NotUsableError, Written, tidy_facts, written
from memp.llm.answers import Distilled, Found, Reflected, Verdict
from memp.llm.client import Client, Talk
from memp.llm.dialogue import ROUNDS_MAX, agreed
from memp.llm.questions import question, told_run, told_runs, told_script, told_toolset
from memp.masking import mask
from memp.model import Content, Procedure, Trajectory
from memp.rendering.plain import one_line
from memp.script.toolset import Toolset

SUCCESSES_SHOWN = 2
"""Runs that won that a reflection is shown: what must not break is seen in one, and what may vary in a second."""

REASONS_MAX = 8
"""Reasons of a verdict that are kept."""


@attrs.frozen(kw_only=True)
class Workers:
    """
    Uses one model; made for one conversation, whose requests it notes.

    Attributes:
        client: Whom to ask.

        talk: Where the requests are noted.

        rounds: How often one question is asked at most, complaints included.
    """

    client: Client
    talk: Talk
    rounds: int = ROUNDS_MAX

    def distil(self, runs: Sequence[Trajectory], *, toolset: Toolset | None) -> Distilled:
        """See ``memp.llm.base.Distiller``."""
        from memp.llm.shapes import ProcedureAnswer

        asked = question("distil", {"toolset": told_toolset(toolset), "runs": told_runs(runs)})

        def check(answer: ProcedureAnswer) -> Distilled:
            return Distilled(
                written=self._written(answer.script, toolset, patterns=answer.patterns, facts=answer.facts)
            )

        return agreed(self.client, asked, ProcedureAnswer, check, self.talk, rounds=self.rounds)

    def reflect(
        self, procedure: Procedure, failed: Trajectory, *, successes: Sequence[Trajectory], toolset: Toolset | None
    ) -> Reflected:
        """See ``memp.llm.base.Reflector``."""
        from memp.llm.shapes import MendedAnswer

        content = procedure.revision.content
        asked = question(
            "reflect",
            {
                "toolset": told_toolset(toolset),
                "procedure": told_script(content.script if content.script is not None else _told_content(content)),
                "failed": told_run(failed),
                "successes": [told_run(run) for run in successes[:SUCCESSES_SHOWN]],
            },
        )

        def check(answer: MendedAnswer) -> Reflected:
            critique = " ".join(one_line(self._masked(answer.critique)).split())
            if not critique:
                raise NotUsableError("The critique is empty: say what was wrong with the procedure.")
            return Reflected(critique=critique, written=self._written(answer.script, toolset, older=content.patterns))

        return agreed(self.client, asked, MendedAnswer, check, self.talk, rounds=self.rounds)

    def score(self, run: Trajectory, *, rubric: Sequence[str]) -> Verdict:
        """
        Return how well *run* did its task by *rubric*, lines of text.

        Raises:
            ModelError: The model could not be asked, or never gave a verdict that cites steps that exist.
        """
        from memp.llm.shapes import VerdictAnswer

        asked = question("judge", {"rubric": list(rubric), "run": told_run(run, outcome=False)})

        def check(answer: VerdictAnswer) -> Verdict:
            return self._verdict(run, answer.score, answer.reasons, answer.steps)

        return agreed(self.client, asked, VerdictAnswer, check, self.talk, rounds=self.rounds)

    def facts(self, procedure: Procedure, runs: Sequence[Trajectory]) -> Found:
        """
        Return when *procedure* applies, and further wordings of its task.

        Raises:
            ModelError: The model could not be asked, or never gave an answer that checks.
        """
        from memp.llm.shapes import FactsAnswer
        from memp.script.forms import FormError, slot_names

        content = procedure.revision.content
        parameters = set() if content.script is None else set(slot_names(content.patterns[0]))
        asked = question(
            "facts",
            {
                "procedure": told_script(content.script),
                "parameters": ", ".join(sorted(parameters)),
                "runs": [told_run(run) for run in runs[:SUCCESSES_SHOWN]],
            },
        )

        def check(answer: FactsAnswer) -> Found:
            facts = tidy_facts(self._masked(fact) for fact in answer.facts)
            if not facts:
                raise NotUsableError("There are no facts: give three to six statements of at most twelve words.")
            patterns = tuple(" ".join(one_line(self._masked(pattern)).split()) for pattern in answer.patterns)
            for pattern in patterns:
                try:
                    named = set(slot_names(pattern))
                except FormError as error:
                    raise NotUsableError(f"The wording {pattern!r} cannot be read: {error}") from error
                if named != parameters:
                    wanted = ", ".join(f"{{{name}}}" for name in sorted(parameters)) or "nothing in braces"
                    raise NotUsableError(f"The wording {pattern!r} must have just {wanted}.")
            return Found(facts=facts, patterns=patterns)

        return agreed(self.client, asked, FactsAnswer, check, self.talk, rounds=self.rounds)

    def _written(
        self,
        script: str,
        toolset: Toolset | None,
        *,
        patterns: Sequence[str] = (),
        facts: Sequence[str] = (),
        older: Sequence[str] = (),
    ) -> Written:
        return written(
            self._masked(script),
            toolset=toolset,
            patterns=[self._masked(pattern) for pattern in patterns],
            facts=[self._masked(fact) for fact in facts],
            older=older,
        )

    def _masked(self, text: str) -> str:
        return mask(text) if self.client.model.mask else text

    def _verdict(self, run: Trajectory, score: float, reasons: Sequence[str], steps: Sequence[int]) -> Verdict:
        if not (math.isfinite(score) and 0.0 <= score <= 1.0):
            raise NotUsableError(f"'score' must be from 0 to 1 (got {score!r}).")
        kept = tuple(filter(None, (" ".join(one_line(self._masked(reason)).split()) for reason in reasons)))
        if not kept:
            raise NotUsableError("There are no reasons: give at least one sentence.")
        there = len(run.steps)
        missing = sorted({number for number in steps if not 1 <= number <= there})
        if missing:
            raise NotUsableError(
                f"The steps {', '.join(map(str, missing))} do not exist: the run has the steps 1 to {there}."
                if there
                else "The run has no steps, so none can be cited."
            )
        if there and not steps:
            raise NotUsableError("No step is cited: name the steps that the reasons rest on.")
        return Verdict(score=float(score), reasons=kept[:REASONS_MAX], steps=tuple(sorted(set(steps))))


def _told_content(content: Content) -> str:
    """Return what a procedure without a script says: the actions of its run."""
    actions = () if content.run is None else content.run.actions
    return "\n".join((f"# {one_line(content.task)}", *(f"{n}. {one_line(a)}" for n, a in enumerate(actions, start=1))))
