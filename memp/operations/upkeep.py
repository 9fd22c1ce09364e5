"""
What a user does with a memory as a whole: copy it, carry it elsewhere, remove what must not be kept.

None of this is about what the memory knows; it is here so that ``memp.memory`` can be about that alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from memp.errors import InvalidInputError, ProcedureNotFoundError, ProcedurePurgedError
from memp.history.purge import PurgePlan, PurgeReport
from memp.history.purge import plan as plan_purge
from memp.index.quality import SearchQuality, search_quality
from memp.lookup import find_procedure
from memp.model import ProcedureId, TrajectoryId
from memp.operations.reembedding import Reembedding
from memp.operations.versions import as_invalid_input
from memp.snapshot.keeping import Snapshot
from memp.store import Progress
from memp.transfer import ExportReport, export_log


class Upkeep(Reembedding):
    """The operations on a store as a whole."""

    def export(self, path: str | Path, *, progress: Progress | None = None) -> ExportReport:
        """
        Write all events and vectors to *path* in an open format; ``memp.import_store`` makes a store of it again.

        Args:
            path: The file, which must not be there. One that ends in ``.zst`` or ``.gz`` is compressed.

            progress: Called as work goes on.

        Raises:
            InvalidInputError: There is something at *path*, or no folder for it.

            StorageError: The disk did not take it.
        """
        with self._store.settled():
            return export_log(self._store.log, path, progress=progress)

    def snapshot(self) -> Snapshot:
        """
        Keep all that was folded from the log beside the store, so that the next opening folds only what comes after.

        It may be deleted at any time, and no answer depends on it. One is written by itself when a memory is closed
        that grew by much since the last. Other threads wait meanwhile.

        Raises:
            InvalidInputError: The memory is open for reading only, or is in no file.

            StorageError: The disk did not take it; an older snapshot is still there.
        """
        with self._store.settled():
            return self._store.snapshot()

    def search_quality(self, *, timeout_seconds: float | None = None) -> tuple[SearchQuality, ...]:
        """
        Measure, for each kind of text, how often a search finds what exact search finds.

        Args:
            timeout_seconds: How long to wait for graphs that are being built; None waits for all of them.
        """
        with self._store.settled():
            space = self._store.space(self._state)
            return tuple(
                search_quality(kind, space.indexes[kind], live, timeout_seconds=timeout_seconds)
                for kind, live in self._store.catalogue.findable(space).items()
            )

    def plan_purge(
        self,
        *,
        procedure_ids: Sequence[str] = (),
        trajectory_ids: Sequence[str] = (),
        derived: bool = False,
        sources: bool = False,
    ) -> PurgePlan:
        """
        Work out what ``purge`` with the same arguments would remove; nothing is written.

        Raises:
            InvalidInputError: Nothing was named.

            NotFoundError: There never was such a procedure or run.

            ConflictError: All of it was purged before.
        """
        for name, ids in (("procedure_ids", procedure_ids), ("trajectory_ids", trajectory_ids)):
            if isinstance(ids, str):
                raise InvalidInputError(f"{name!r} must be a list of ids (got the text {ids!r}).")
        with self._store.settled():
            return plan_purge(
                self._store.log.read(),
                procedures=[self._procedure_id(id) for id in procedure_ids],
                trajectories=[TrajectoryId(id) for id in trajectory_ids],
                derived=derived,
                sources=sources,
                copies=self._store.log.copies(),
            )

    def _procedure_id(self, wanted: str) -> ProcedureId:
        """Return the id of a procedure, which need not be seen here: it may be undone, or on another branch."""
        try:
            return find_procedure(self._state, wanted).id
        except ProcedurePurgedError:
            return ProcedureId(wanted)
        except ProcedureNotFoundError:
            if ProcedureId(wanted) not in self._store.history.born:
                raise
            return ProcedureId(wanted)

    def purge(
        self,
        *,
        procedure_ids: Sequence[str] = (),
        trajectory_ids: Sequence[str] = (),
        derived: bool = False,
        sources: bool = False,
        reason: str,
    ) -> PurgeReport:
        """
        Remove content for good, from every version and branch and from every file of the store.

        What is left is the chain and the fact that something stood there. It cannot be undone. Backups and exports
        cannot be reached from here; those that are known are in the report. A disk may keep blocks of the old file
        until it uses them for something else.

        Args:
            procedure_ids: Procedures of which nothing may be left, by id; a name does as well.

            trajectory_ids: Recorded runs of which nothing may be left, by id; other recordings of the same run go too.

            derived: Also remove what was made from that: procedures built from a run, and what was merged from them.

            sources: Also remove what it was made from: the runs behind a procedure.

            reason: On whose demand. It stays for ever: say ``request 4711``, not who asked for what.

        Raises:
            InvalidInputError: Nothing was named, the reason is empty, or the memory is open for reading only.

            NotFoundError: There never was such a procedure or run.

            ConflictError: All of it was purged before.

            StorageError: The disk did not take it; everything is as before unless the error says that it is in doubt.
        """
        with self._store.settled(), as_invalid_input():
            plan = self.plan_purge(
                procedure_ids=procedure_ids, trajectory_ids=trajectory_ids, derived=derived, sources=sources
            )
            return PurgeReport(plan=plan, record=self._store.purge(plan, reason, actor=self._actor))
