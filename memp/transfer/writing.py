"""Writing an export, line by line: memory stays flat however long the log is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from memp.errors import InvalidInputError
from memp.log.base import EventLog
from memp.log.files import disk_errors, sync_folder
from memp.record import Head
from memp.transfer.lines import FORMAT, Header, Trailer, encode, record_line, vector_line
from memp.transfer.streams import packed

LINES_PER_REPORT = 1_000
"""Lines between two words about progress."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is; 0 if not known."""


@attrs.frozen(kw_only=True)
class ExportReport:
    """
    What an export holds.

    Attributes:
        head: Where the log ended.

        records: How many records.

        vectors: How many captured embeddings.

        sha256: Hex digest of all lines but the last, unpacked.
    """

    head: Head
    records: int
    vectors: int
    sha256: str


def export_log(log: EventLog, path: str | Path, *, progress: Progress | None = None) -> ExportReport:
    """
    Write all of *log*, to which nobody appends meanwhile, to *path*.

    Args:
        log: The log.

        path: The file, which must not be there; ``.zst`` and ``.gz`` are packed.

        progress: Called as work goes on.

    Raises:
        InvalidInputError: There is something at *path*, or no folder for it.

        StorageError: The disk did not take it.
    """
    target = Path(path)
    if target.exists():
        raise InvalidInputError(f"An export never replaces a file, and {str(target)!r} is there. Name another.")
    if not target.parent.is_dir():
        raise InvalidInputError(f"There is no folder {str(target.parent)!r} for the export.")
    temporary = target.with_name(target.name + ".writing")
    with disk_errors(target, "be written"):
        try:
            with temporary.open("wb") as file:
                with packed(file, target.name) as stream:
                    lines = _Lines(log, progress)
                    for line in lines:
                        stream.write(line)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(target)
            sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)
    log.note_copy("export", target, lines.report.head)
    return lines.report


class _Lines:
    """The lines of an export; once they were all given out, ``report`` says what they were."""

    report: ExportReport

    def __init__(self, log: EventLog, progress: Progress | None) -> None:
        self._log = log
        self._progress = progress

    def __iter__(self) -> Iterator[bytes]:
        log, head, digest = self._log, self._log.head, hashlib.sha256()
        header = Header(format=FORMAT, log_id=log.log_id, head=str(head), embedders=tuple(log.embedders()))
        records = vectors = 0
        for line in self._before_trailer(header, head):
            records += line.startswith(b'{"kind":"record"')
            vectors += line.startswith(b'{"kind":"vector"')
            digest.update(line)
            yield line
        self.report = ExportReport(head=head, records=records, vectors=vectors, sha256=digest.hexdigest())
        yield encode(Trailer(records=records, vectors=vectors, head=str(head), sha256=digest.hexdigest()))

    def _before_trailer(self, header: Header, head: Head) -> Iterator[bytes]:
        yield encode(header)
        for record in self._log.read(until=head.position):
            yield encode(record_line(record))
            self._say("records", record.position, head.position)
        for embedder in header.embedders:
            for number, (text, vector) in enumerate(self._log.vectors(embedder), 1):
                yield encode(vector_line(embedder, text, vector))
                self._say("vectors", number, 0)

    def _say(self, what: str, done: int, total: int) -> None:
        if self._progress is not None and (done % LINES_PER_REPORT == 0 or done == total):
            self._progress(what, done, total)
