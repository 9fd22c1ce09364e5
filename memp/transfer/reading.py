"""
Making a store of an export, after every line of it was checked.

Records are taken as they are, ids, times and digests included, so the store is the same log and not one like it. All is
written to a store that has no name yet; whatever is wrong with a line, nothing is left behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NoReturn

import attrs
import msgspec

from memp import codec
from memp.errors import BodyError, ExportFormatError, InvalidInputError, NotFoundError, StreamGapError
from memp.events import ContentPurged
from memp.log.files import StoreFiles
from memp.log.identity import Identity
from memp.log.lock import StoreLock
from memp.log.opening import EMPTY
from memp.log.rewrite import NewStore
from memp.log.sequencer import Sequencer
from memp.log.witness import read_witness
from memp.record import Head, Record, digest_of_body, digest_of_record
from memp.retrieval.catalogue import NAMING_VECTORS, text_digest
from memp.transfer.lines import FORMAT, Header, Line, RecordLine, Trailer, VectorLine, decode, record_of, vector_of
from memp.transfer.streams import UNREADABLE, unpacked

LINES_PER_BATCH = 2_000
"""Lines that are stored at a time: enough for the bulk appender, and some megabytes."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is; 0 if not known."""


@attrs.frozen(kw_only=True)
class ImportReport:
    """
    What an import made.

    Attributes:
        log_id: The log, which is the one that was exported.

        head: Where it ends.

        records: How many records.

        vectors: How many captured embeddings.
    """

    log_id: str
    head: Head
    records: int
    vectors: int


def import_store(
    path: str | Path, store: str | Path, *, progress: Progress | None = None, identity: Identity | None = None
) -> ImportReport:
    """
    Make a store of an export.

    Args:
        path: The export: plain, gzip or zstd, whatever its name.

        store: The store; nothing of it may be there.

        progress: Called as work goes on.

        identity: The clock; None takes the system's.

    Raises:
        NotFoundError: There is no such file.

        InvalidInputError: There is a store already, or the witness of one, or no folder for it.

        ExportFormatError: The file is no export, is damaged or not whole; carries the line.

        UnknownEventTypeError: A newer version of memp wrote it.

        StorageError: The disk did not take it.
    """
    source, files = Path(path), StoreFiles(Path(store))
    if not source.is_file():
        raise NotFoundError(f"There is no export {str(path)!r}.")
    if not files.database.parent.is_dir():
        raise InvalidInputError(f"There is no folder {str(files.database.parent)!r} for the store.")
    if files.present() or files.database.exists():
        raise InvalidInputError(f"An import makes a store, and {str(store)!r} is there. Name another.")
    testimony = read_witness(files.witness).newest
    if testimony is not None and testimony.head != EMPTY:
        raise InvalidInputError(
            f"{str(files.witness)!r} says that a store was here, up to position {testimony.head.position}. "
            "Look for it, or move the witness away."
        )
    now = (identity or Identity()).clock()
    lock = StoreLock(files, shared=False, now=now)
    try:
        with unpacked(source) as stream:
            return _Import(_Reader(stream, str(path)), files, now, progress).run()
    except OSError as error:
        raise NotFoundError(f"The export {str(path)!r} cannot be read: {error.strerror or error}.") from error
    finally:
        lock.release()


class _Reader:
    """
    The lines of an export, and where one is.

    Args:
        stream: The bytes, unpacked.

        path: How errors call the file.
    """

    def __init__(self, stream: BinaryIO, path: str) -> None:
        self._stream = stream
        self._path = path
        self._digest = hashlib.sha256()
        self.line = 0
        self.sha256 = self._digest.hexdigest()

    def refuse(self, message: str) -> NoReturn:
        """Raise the error that says what is wrong with this line."""
        raise ExportFormatError(message, path=self._path, line=self.line)

    def next(self) -> Line:
        """Return the next line; ``sha256`` is then the digest of all lines before it."""
        raw = self._raw()
        if not raw.endswith(b"\n"):
            self.refuse("The file ends here: it is not whole.")
        try:
            line = decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._refuse_unknown(raw, error)
        self.sha256 = self._digest.hexdigest() if isinstance(line, Trailer) else ""
        self._digest.update(raw)
        return line

    def _raw(self) -> bytes:
        self.line += 1
        try:
            return self._stream.readline()
        except UNREADABLE as error:
            self.refuse(f"The file cannot be unpacked from here on: {error}.")

    def _refuse_unknown(self, raw: bytes, error: Exception) -> NoReturn:
        try:
            said = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            said = None
        if isinstance(said, dict) and isinstance(said.get("format"), int) and said["format"] > FORMAT:
            self.refuse(f"A newer version of memp wrote this (form {said['format']}, this version knows {FORMAT}).")
        self.refuse(f"This is no line of an export: {error}.")

    def end(self) -> None:
        """Check that nothing follows."""
        if self._raw():
            self.refuse("Nothing may follow the last line of an export.")


class _Import:
    """One run through an export."""

    def __init__(self, reader: _Reader, files: StoreFiles, now: int, progress: Progress | None) -> None:
        self._reader = reader
        self._files = files
        self._now = now
        self._progress = progress
        self._missing: dict[int, int] = {}
        self._named: dict[tuple[str, bytes], tuple[str, int]] = {}
        self._records: list[Record] = []
        self._vectors: list[tuple[str, bytes, bytes]] = []
        self._counts = {"records": 0, "vectors": 0}

    def run(self) -> ImportReport:
        header = self._reader.next()
        if not isinstance(header, Header):
            self._reader.refuse("The first line of an export must be its header.")
        if header.format > FORMAT:
            self._reader.refuse(
                f"A newer version of memp wrote this (form {header.format}, this version knows {FORMAT})."
            )
        total = self._head(header.head).position
        self._log = Sequencer(header.log_id, identity=Identity(), load=_never)
        with NewStore(self._files, log_id=header.log_id, now=self._now) as store:
            trailer = self._take_lines(store, total)
            self._check_end(header, trailer)
            head = self._log.head
            store.install(head)
        return ImportReport(log_id=header.log_id, head=head, **self._counts)

    def _head(self, said: str) -> Head:
        try:
            return Head.parse(said)
        except InvalidInputError as error:
            self._reader.refuse(str(error))

    def _take_lines(self, store: NewStore, total: int) -> Trailer:
        while True:
            line = self._reader.next()
            match line:
                case RecordLine():
                    self._take_record(line)
                case VectorLine():
                    self._take_vector(line)
                case Trailer():
                    self._store(store, total)
                    return line
                case _:
                    self._reader.refuse("A second header: two exports cannot be joined.")
            if len(self._records) + len(self._vectors) >= LINES_PER_BATCH:
                self._store(store, total)

    def _store(self, store: NewStore, total: int) -> None:
        store.add(self._records, self._vectors)
        self._records, self._vectors = [], []
        if self._progress is not None:
            self._progress("records", self._counts["records"], total)
            if self._counts["vectors"]:
                self._progress("vectors", self._counts["vectors"], 0)

    def _take_record(self, line: RecordLine) -> None:
        refuse = self._reader.refuse
        try:
            record = record_of(line)
            # A hashed array with a lone surrogate has no bytes.
            fits = digest_of_record(record.hashed) == record.digest
        except ValueError as error:
            refuse(f"The record cannot be read: {error}.")
        if not fits:
            refuse(f"Position {record.position} is not as it was written: its digest is another.")
        if record.log_id != self._log.log_id:
            refuse(f"Position {record.position} is of another log, {record.log_id!r}.")
        if record.previous != self._log.head.digest:
            refuse(f"Position {record.position} does not follow the line before.")
        try:
            self._log.follow(record)
        except StreamGapError as error:
            refuse(str(error))
        self._counts["records"] += 1
        self._records.append(record)
        self._take_body(record)

    def _take_body(self, record: Record) -> None:
        if record.body is None or record.salt is None:
            if record.body is not None or record.salt is not None:
                self._reader.refuse(f"Position {record.position} has a body without a salt, or a salt without a body.")
            self._missing[record.position] = self._reader.line
            return
        if digest_of_body(record.salt, record.body) != record.body_digest:
            self._reader.refuse(f"The body of position {record.position} is not as it was written.")
        try:
            event = codec.decode(record.type, record.schema, record.body, position=record.position)
        except BodyError as error:
            self._reader.refuse(str(error))
        if isinstance(event, NAMING_VECTORS):
            for ref in event.vectors:
                self._named.setdefault((ref.embedder, text_digest(ref.text)), (ref.digest, self._reader.line))
        if isinstance(event, ContentPurged):
            for position in event.positions:
                self._missing.pop(position, None)

    def _take_vector(self, line: VectorLine) -> None:
        try:
            embedder, text, vector = vector_of(line)
        except ValueError as error:
            self._reader.refuse(f"The vector cannot be read: {error}.")
        # Taken out, so that what is left in the end is what is missing, and a second one is named by nobody.
        wanted, _ = self._named.pop((embedder, text), ("", 0))
        if hashlib.sha256(vector).hexdigest() != wanted:
            said = "is not as it was written" if wanted else "is named by no event, or stands twice"
            self._reader.refuse(f"The vector of text {text.hex()[:16]} {said}.")
        self._counts["vectors"] += 1
        self._vectors.append((embedder, text, vector))

    def _check_end(self, header: Header, trailer: Trailer) -> None:
        reader = self._reader
        found = {**self._counts, "head": str(self._log.head), "sha256": reader.sha256}
        said = {
            "records": trailer.records,
            "vectors": trailer.vectors,
            "head": trailer.head,
            "sha256": trailer.sha256,
        }
        for name, value in said.items():
            if value != found[name]:
                reader.refuse(f"The last line says {name} {value!r}, and {found[name]!r} came.")
        if header.head != trailer.head:
            reader.refuse(f"The first line says head {header.head!r}, and {trailer.head!r} came.")
        reader.end()
        for position, line in self._missing.items():
            reader.line = line
            reader.refuse(f"Position {position} has no body, and no event says that it was purged.")
        for embedder, text in self._named:
            reader.line = self._named[embedder, text][1]
            reader.refuse(f"The vector {embedder} of text {text.hex()[:16]}, which this line names, is not there.")


def _never(position: int) -> Record:
    raise AssertionError(f"an import asks for no record again (asked for {position})")
