"""
How plans stand with each constraint, and how far our verdicts agree with those that were published for them.

The constraints were written from their definitions, and definitions leave room. So they are held against stored
verdicts: by constraint, because a total of thousands of checks would hide one that is always wrong.
"""

from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import msgspec

from memp.errors import InvalidInputError
from memp.evaluation.travelplanner.commonsense import Verdict
from memp.evaluation.travelplanner.hard import check_hard
from memp.evaluation.travelplanner.judge import judge
from memp.evaluation.travelplanner.plan import Day, read_plan
from memp.evaluation.travelplanner.request import Request
from memp.evaluation.travelplanner.tables import Tables


@attrs.frozen(kw_only=True)
class ConstraintCount:
    """
    One constraint over many plans.

    Attributes:
        name: The constraint.

        kept: Plans that keep it.

        asked: Plans to which it applies.

        agreed: Stored verdicts that are the same as ours.

        stored: Stored verdicts; 0 if the plans came without.
    """

    name: str
    kept: int
    asked: int
    agreed: int
    stored: int


@attrs.frozen(kw_only=True)
class Agreement:
    """
    A file of plans, judged.

    Attributes:
        plans: How many were judged.

        skipped: How many were not, because their task is not among those given.

        succeeded: How many keep every constraint that applies.

        reward: Their mean reward, 0 to 1.

        constraints: One count for each constraint.
    """

    plans: int
    skipped: int
    succeeded: int
    reward: float
    constraints: tuple[ConstraintCount, ...]

    @property
    def agreed(self) -> int:
        """Stored verdicts that are the same as ours, over all constraints."""
        return sum(count.agreed for count in self.constraints)

    @property
    def stored(self) -> int:
        """Stored verdicts over all constraints."""
        return sum(count.stored for count in self.constraints)

    def table(self) -> str:
        """Return the counts as text, one constraint a line."""
        head = f"{'constraint':32}{'kept':>7}{'of':>7}{'share':>8}"
        head += f"{'agreed':>9}{'of':>7}{'share':>9}" if self.stored else ""
        lines = [head, *(_line(count) for count in self.constraints)]
        if self.stored:
            lines.append(f"{'all':54}{self.agreed:>9}{self.stored:>7}{self.agreed / self.stored:>9.2%}")
        skipped = f", {self.skipped} of unknown tasks left out" if self.skipped else ""
        lines.append(f"{self.plans} plans{skipped}: {self.succeeded} keep everything, mean reward {self.reward:.3f}")
        return "\n".join(lines)


def _line(count: ConstraintCount) -> str:
    share = f"{count.kept / count.asked:>8.1%}" if count.asked else f"{'-':>8}"
    line = f"{count.name:32}{count.kept:>7}{count.asked:>7}{share}"
    if count.stored:
        line += f"{count.agreed:>9}{count.stored:>7}{count.agreed / count.stored:>9.2%}"
    return line


def judge_plans(
    rows: Iterable[Mapping[str, Any]], tables: Tables, requests: Iterable[Request], *, strict: bool = False
) -> Agreement:
    """
    Judge every plan of *rows* whose task is among *requests*.

    Args:
        rows: ``task_id``, ``steps`` with an ``action`` each, and under ``evaluator`` the stored verdicts, if any.

        tables: The closed world.

        requests: What was asked for; plans of other tasks are counted and left out, because the flights of a task are
            only known with it.

        strict: As for ``judge``.
    """
    known = {request.id: request for request in requests}
    kept, asked, agreed, stored = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    names: dict[str, None] = {}
    plans = skipped = succeeded = 0
    reward = 0.0
    for row in rows:
        request = known.get(row.get("task_id", ""))
        if request is None:
            skipped += 1
            continue
        plan = read_plan(step["action"] for step in row["steps"])
        found = judge(request, plan, tables, strict=strict)
        plans, succeeded, reward = plans + 1, succeeded + found.success, reward + found.reward
        for verdict in found.verdicts:
            names.setdefault(verdict.constraint)
            kept[verdict.constraint] += verdict.kept is True
            asked[verdict.constraint] += verdict.kept is not None
        # Whether the hard constraints are asked follows from two others; a disagreement there is counted there alone.
        ours = {verdict.constraint: verdict.kept for verdict in (*found.verdicts, *_hard(request, plan, tables))}
        for name, published in _published(row):
            stored[name] += 1
            agreed[name] += published == ours.get(name)
    counts = [
        ConstraintCount(name=name, kept=kept[name], asked=asked[name], agreed=agreed[name], stored=stored[name])
        for name in names
    ]
    return Agreement(
        plans=plans,
        skipped=skipped,
        succeeded=succeeded,
        reward=reward / plans if plans else 0.0,
        constraints=tuple(counts),
    )


def _hard(request: Request, plan: tuple[Day, ...], tables: Tables) -> tuple[Verdict, ...]:
    return check_hard(request, plan[: request.days], tables)


def _published(row: Mapping[str, Any]) -> Iterator[tuple[str, bool | None]]:
    for group in (row.get("evaluator") or {}).values():
        for name, (kept, _) in (group or {}).items():
            yield name, kept


def read_rows(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """
    Yield the plans in *path*, JSON lines, packed as ``.gz`` or not.

    Raises:
        InvalidInputError: There is no such file, or a line is no plan; names it.
    """
    file = Path(path)
    if not file.is_file():
        raise InvalidInputError(f"The plans must be in a file (got {os.fspath(path)!r}).")
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = msgspec.json.decode(line)
            except msgspec.DecodeError as error:
                raise InvalidInputError(f"Line {number} of {os.fspath(path)!r} is no JSON ({error}).") from error
            if not isinstance(row, dict) or not isinstance(row.get("steps"), list):
                raise InvalidInputError(f"Line {number} of {os.fspath(path)!r} is no plan: it must have 'steps'.")
            yield row
