"""What learning reports, whoever built the procedures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from memp.events import ProcedureAdded, TrajectoryRecorded
from memp.model import Trajectory
from memp.operations.retries import same_runs
from memp.record import Record


@attrs.frozen(kw_only=True)
class LearnReport:
    """
    What ``learn`` did.

    Attributes:
        runs: How many runs it was given.

        recorded: How many of them were new and are now on record.

        known: How many were on record already and were left alone.

        unbuilt: How many of the recorded ones no procedure was built from, by the policy.

        added: Names of the new procedures.

        generalised: Names of the procedures that further runs now support.

        waiting: How many runs wait in the queue, because the model could not be asked; ``drain`` learns from them.

        problems: What went wrong with the model, one sentence each, in the order of the runs.

        events: The records that were written, oldest first; empty if there was nothing new.
    """

    runs: int
    recorded: int
    known: int
    unbuilt: int
    added: tuple[str, ...]
    generalised: tuple[str, ...]
    waiting: int = 0
    problems: tuple[str, ...] = ()
    events: tuple[Record, ...] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class FactsReport:
    """
    What looking for facts did.

    Attributes:
        changed: Names of the procedures that say more now.

        problems: What went wrong with the model, one sentence each, in the order of the procedures.

        left: How many procedures nothing was found out about, because an endpoint failed; ask again later.

        events: The records that were written, oldest first.
    """

    changed: tuple[str, ...]
    problems: tuple[str, ...]
    left: int = 0
    events: tuple[Record, ...] = attrs.field(repr=False)


def learned_before(
    runs: Sequence[Trajectory], records: Sequence[Record], key: str, *, known: Iterable[str]
) -> LearnReport:
    """
    Return the report of the learning that *records* are.

    Args:
        runs: What the caller hands over now.

        records: The batch that holds the retry key.

        key: The retry key.

        known: Content digests of the runs that were on record before; read only if some run is not in the batch.

    Raises:
        RetryKeyError: The records are of another operation, or of other runs.
    """
    bodies = same_runs(records, key, {run.digest for run in runs}, type=TrajectoryRecorded.TYPE, known=known)
    recorded = sum(1 for record in records if record.type == TrajectoryRecorded.TYPE)
    return LearnReport(
        runs=len(runs),
        recorded=recorded,
        known=len(runs) - recorded,
        unbuilt=0,
        added=tuple(
            str(body["name"])
            for record, body in zip(records, bodies, strict=True)
            # What was purged since has no name any more.
            if record.type == ProcedureAdded.TYPE and body
        ),
        generalised=(),
        events=tuple(records),
    )
