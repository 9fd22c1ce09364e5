"""
Every exception that ``memp`` raises on purpose, grouped by who can act on it.

::

    MempError
      InvalidInputError (ValueError)     the caller can fix it
        TrajectoryFormatError              a line of a run file cannot be read
        ScriptError                        a script or toolset has mistakes; carries all of them
        TemplateError                      a template does not render
        DimensionError                     a vector has another length than the index
      NotFoundError (LookupError)        there is no such thing
        StoreNotFoundError                 no store at that path
        ProcedureNotFoundError             no procedure of that id or name
        ProcedurePurgedError               its content was removed for good
        EventNotFoundError                 no event of that id
        PositionNotFoundError              the log does not reach that far
      ConflictError                      read again and retry
        VersionConflictError               another writer was first in the stream
        DependentsError                    what is to be undone was built upon
        PromotionConflictError             both branches changed the same
        RetryKeyError                      the retry key was used for something else
        StoreLockedError                   another process is writing
      CorruptStoreError                  stop and look
        ExportFormatError                  a line of an export is not what was exported
        ChainError                         a record does not fit the chain
        StreamGapError                     positions or versions are missing
        TailLostError                      events that were acknowledged are no longer there
        WitnessError                       nothing beside the store says where it must end
        NewerStoreError                    the file was written by a newer version
        UnknownEventTypeError              the log was written by a newer version
        MissingUpcastError                 an old record has no way to the current form
        BodyError                          a stored body is not what its type says
      ServiceError                       something outside failed; later may work
        StorageError                       the disk did not take what was to be written
        EmbeddingError                     the embedder failed
        ModelError                         a language model could not be asked, or answered nothing of use
          ModelTimeoutError                  it took too long
          ModelBusyError                     it has too much to do; says when to come back
          ModelUnavailableError              it was not reached, failed, or broke off
          ModelKeyError                      the key is wrong or may not do this
          ModelRequestError                  the endpoint does not take such a request
          ContextTooLongError                the question is longer than the model reads
          ModelRefusedError                  it would not answer
          ModelAnswerError                   the answer is not what was asked for

The groups are what callers catch: exit codes and HTTP statuses are tables over them. A message says what
was expected, what came and the way out; the same pieces are attributes of the exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memp.record import Head

__all__ = [
    "BodyError",
    "ChainError",
    "ConflictError",
    "ContextTooLongError",
    "CorruptStoreError",
    "DependentsError",
    "DimensionError",
    "EmbeddingError",
    "EventNotFoundError",
    "ExportFormatError",
    "InvalidInputError",
    "MempError",
    "MissingUpcastError",
    "ModelAnswerError",
    "ModelBusyError",
    "ModelError",
    "ModelKeyError",
    "ModelRefusedError",
    "ModelRequestError",
    "ModelTimeoutError",
    "ModelUnavailableError",
    "NewerStoreError",
    "NotFoundError",
    "PositionNotFoundError",
    "ProcedureNotFoundError",
    "ProcedurePurgedError",
    "PromotionConflictError",
    "RetryKeyError",
    "ScriptError",
    "ServiceError",
    "StorageError",
    "StoreLockedError",
    "StoreNotFoundError",
    "StreamGapError",
    "TailLostError",
    "TemplateError",
    "TrajectoryFormatError",
    "UnknownEventTypeError",
    "VersionConflictError",
    "WitnessError",
]


class MempError(Exception):
    """The root of every exception that ``memp`` raises on purpose."""


class InvalidInputError(MempError, ValueError):
    """What the caller passed cannot be used; the message says what would be."""


class TrajectoryFormatError(InvalidInputError):
    """
    A line of a run file is not a run.

    Attributes:
        path: The file as it was named.

        line: Line number, from 1.

        expected: What would have been accepted.
    """

    def __init__(self, message: str, *, path: str, line: int, expected: str) -> None:
        super().__init__(f"{path}:{line}: {message} Expected {expected}.")
        self.path = path
        self.line = line
        self.expected = expected


class ScriptError(InvalidInputError):
    """
    A script or a toolset has mistakes.

    Attributes:
        mistakes: All of them, in source order; each has ``path``, ``line`` and ``column`` (from 1), ``message``,
            ``source`` (the line), ``expected`` and ``suggestion`` (either may be None).
    """

    def __init__(self, mistakes: Sequence[object]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n\n".join(str(mistake) for mistake in self.mistakes))


class TemplateError(InvalidInputError):
    """
    A template does not compile, names an unknown value, or asks for what the sandbox refuses.

    Attributes:
        template: Its name, such as ``prompt_steps.j2``.

        line: Line number, from 1; None if the mistake has no place in the text.
    """

    def __init__(self, message: str, *, template: str, line: int | None = None) -> None:
        place = "" if line is None else f", line {line}"
        super().__init__(f"Template {template!r}{place}: {message}")
        self.template = template
        self.line = line


class DimensionError(InvalidInputError):
    """
    A vector has another length than its index.

    Attributes:
        expected: Length that the index holds.

        found: Length that came.
    """

    def __init__(self, *, expected: int, found: int) -> None:
        super().__init__(
            f"A vector must have the length {expected} (got {found}). Open the store with the embedder that filled it."
        )
        self.expected = expected
        self.found = found


class NotFoundError(MempError, LookupError):
    """There is no such thing in this store or on this disk."""


class StoreNotFoundError(NotFoundError):
    """
    There is no store at the path.

    Attributes:
        path: The path as it was named.
    """

    def __init__(self, path: str) -> None:
        super().__init__(
            f"There is no store at {path!r}. Create one with 'memp learn {path} RUNS' or memp.open({path!r})."
        )
        self.path = path


class ProcedureNotFoundError(NotFoundError):
    """
    No procedure has that id or name in this view.

    Attributes:
        wanted: The id or name as it was given.
    """

    def __init__(self, wanted: str, *, hint: str = "'memp list' shows what there is.") -> None:
        super().__init__(f"There is no procedure {wanted!r}: {hint}")
        self.wanted = wanted


class ProcedurePurgedError(ProcedureNotFoundError):
    """
    The content of the procedure was removed for good; only that it was there is still known.

    Attributes:
        positions: Where its events stand, rising.

        purged_at: The position of the event that says why; None if none does.
    """

    def __init__(self, wanted: str, *, positions: Sequence[int], purged_at: int | None) -> None:
        says = "no event says why, see 'memp verify'" if purged_at is None else f"event {purged_at} says why"
        super().__init__(wanted, hint=f"its content was purged for good ({says}).")
        self.positions = tuple(positions)
        self.purged_at = purged_at


class EventNotFoundError(NotFoundError):
    """
    No event has that id in this log.

    Attributes:
        event_id: The id as it was given.
    """

    def __init__(self, event_id: str) -> None:
        super().__init__(f"There is no event {event_id!r} in this log. 'memp log' lists event ids.")
        self.event_id = event_id


class PositionNotFoundError(NotFoundError):
    """
    The log does not reach that position.

    Attributes:
        position: The position that was asked for.

        head: The last position there is; 0 for an empty log.
    """

    def __init__(self, position: int, *, head: int) -> None:
        super().__init__(f"Position {position} is not in this log, which ends at {head}.")
        self.position = position
        self.head = head


class ConflictError(MempError):
    """The store is not as the caller assumed; read again and decide anew."""


class VersionConflictError(ConflictError):
    """
    Another writer was first in the stream; nothing was written.

    Attributes:
        stream: The stream that both wrote to.

        expected: The version that the caller had read.

        found: The version that the stream is at.
    """

    def __init__(self, stream: str, *, expected: int, found: int) -> None:
        super().__init__(
            f"Stream {stream!r} is at version {found}, expected {expected}: another writer was first. "
            "Read again and retry."
        )
        self.stream = stream
        self.expected = expected
        self.found = found


class DependentsError(ConflictError):
    """
    Events in force were made from what is to be undone; nothing was written.

    Attributes:
        events: What was to be undone.

        dependents: What was made from it, oldest first.
    """

    def __init__(self, events: Sequence[str], *, dependents: Sequence[str]) -> None:
        super().__init__(
            f"{len(dependents)} events in force were made from what is to be undone: {', '.join(dependents)}. "
            "Undo them too (cascade), or keep them marked (taint)."
        )
        self.events = tuple(events)
        self.dependents = tuple(dependents)


class PromotionConflictError(ConflictError):
    """
    Both branches changed the same since the fork; nothing was written.

    Attributes:
        source: The fork.

        conflicts: One phrase for each conflict, naming what conflicts.
    """

    def __init__(self, source: str, *, conflicts: Sequence[str]) -> None:
        super().__init__(
            f"The branch {source!r} cannot be promoted: {'; '.join(conflicts)}. "
            "Undo one side of each, or fork anew from here."
        )
        self.source = source
        self.conflicts = tuple(conflicts)


class RetryKeyError(ConflictError):
    """
    The retry key was already used for another operation; nothing was written.

    Attributes:
        key: The key.

        position: Where the event that holds the key stands.
    """

    def __init__(self, key: str, *, position: int) -> None:
        super().__init__(
            f"The retry key {key!r} already stands at position {position} with another content. "
            "A key belongs to one operation: retry with the same arguments, or use a new key."
        )
        self.key = key
        self.position = position


class StoreLockedError(ConflictError):
    """
    Another process has the store open.

    Attributes:
        path: The store.

        holder: What is known of the other process, as one phrase.

        pid: Its id; None if that is not known.

        host: The machine that it runs on; None if that is not known.

        since: When it opened the store, UTC, as text; None if that is not known.
    """

    def __init__(
        self, path: str, *, holder: str, pid: int | None = None, host: str | None = None, since: str | None = None
    ) -> None:
        super().__init__(
            f"The store {path!r} is open already ({holder}). An embedded store has one process that writes, and while "
            "it does, no other can open it. Close it there, or read a copy that 'memory.backup' makes there."
        )
        self.path = path
        self.holder = holder
        self.pid = pid
        self.host = host
        self.since = since


class CorruptStoreError(MempError):
    """What is stored is not what was written; nothing is repaired silently."""


class ExportFormatError(CorruptStoreError):
    """
    A file is no export, or a line of it is not what was exported; nothing of it was taken in.

    Attributes:
        path: The file.

        line: Line number in the uncompressed text, from 1.
    """

    def __init__(self, message: str, *, path: str, line: int) -> None:
        super().__init__(f"{path}:{line}: {message} Nothing was imported.")
        self.path = path
        self.line = line


class ChainError(CorruptStoreError):
    """
    A record does not fit the hash chain.

    Attributes:
        position: The first position that does not fit.
    """

    def __init__(self, message: str, *, position: int) -> None:
        super().__init__(f"Position {position}: {message}")
        self.position = position


class StreamGapError(CorruptStoreError):
    """
    A position or a version is missing or stands twice.

    Attributes:
        expected: The number that should have come.

        found: The number that came.
    """

    def __init__(self, what: str, *, expected: int, found: int) -> None:
        super().__init__(f"{what}: {expected} was expected, {found} came. The log has a gap.")
        self.expected = expected
        self.found = found


class TailLostError(CorruptStoreError):
    """
    Events that were acknowledged are no longer in the store; nothing was changed.

    Attributes:
        path: The store.

        expected: Where the log ended when an event was acknowledged last.

        found: Where it ends now.

        first: The first position that is lost, or that may be another event than was acknowledged.

        last: The last such position.

        quarantine: The folder with copies of what was found; None if none were made.
    """

    def __init__(
        self, path: str, message: str, *, expected: Head, found: Head, first: int, last: int, quarantine: Path | None
    ) -> None:
        kept = "" if quarantine is None else f" Copies of what was found are in {str(quarantine)!r}."
        super().__init__(
            f"{message}{kept} Nothing was changed. Read what is there with read_only, put a backup in its place with "
            "'memp restore-backup', or go on without what is lost with 'memp doctor --adopt'."
        )
        self.path = path
        self.expected = expected
        self.found = found
        self.first = first
        self.last = last
        self.quarantine = quarantine


class WitnessError(CorruptStoreError):
    """
    The file beside the store that says where its log must end is missing or unreadable.

    Attributes:
        path: The store.

        witness: The file.
    """

    def __init__(self, path: str, *, witness: str) -> None:
        super().__init__(
            f"No valid witness stands beside {path!r} (looked for in {witness!r}), so nobody can tell whether its last "
            "events are missing. It can be read with read_only. A copy made by hand needs the file next to it; "
            "to go on with what is there, use 'memp doctor --adopt'."
        )
        self.path = path
        self.witness = witness


class NewerStoreError(CorruptStoreError):
    """
    The file has tables that this version does not know.

    Attributes:
        found: Number of the newest migration in the file.

        known: Number of the newest migration that this version ships.
    """

    def __init__(self, *, found: int, known: int) -> None:
        super().__init__(
            f"The store was written by a newer version of memp (tables of form {found}, this version knows {known}). "
            "Upgrade memp; nothing was changed."
        )
        self.found = found
        self.known = known


class UnknownEventTypeError(CorruptStoreError):
    """
    The log holds a type or schema that this version does not know.

    Attributes:
        type: The stored tag.

        schema: The stored version of the body's form.

        position: Where it stands; None if that is not known.
    """

    def __init__(self, type: str, *, schema: int, position: int | None = None) -> None:
        where = "" if position is None else f" at position {position}"
        super().__init__(
            f"Event type {type!r} (schema {schema}){where} is not known to this version of memp: "
            "the log was written by a newer one. Upgrade memp; nothing was changed."
        )
        self.type = type
        self.schema = schema
        self.position = position


class MissingUpcastError(CorruptStoreError):
    """
    An old record has no function that brings it to the current form.

    Attributes:
        type: The stored tag.

        schema: The version for which the step to the next is missing.
    """

    def __init__(self, type: str, *, schema: int) -> None:
        super().__init__(
            f"There is no upcast for {type!r} from schema {schema}. This is a mistake in memp: please report it."
        )
        self.type = type
        self.schema = schema


class BodyError(CorruptStoreError):
    """
    A stored body is not what its type says it is.

    Attributes:
        position: Where it stands; None if that is not known.
    """

    def __init__(self, message: str, *, position: int | None = None) -> None:
        super().__init__(message if position is None else f"Position {position}: {message}")
        self.position = position


class ServiceError(MempError):
    """Something outside this process failed; the same call may work later."""


class StorageError(ServiceError):
    """
    The disk did not take what was to be written.

    Attributes:
        in_doubt: False if nothing of it is there; true if it may be there all the same, although nobody was told so.
    """

    def __init__(self, message: str, *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt


class EmbeddingError(ServiceError):
    """The embedder failed or answered with something that is not a vector."""


class ModelError(ServiceError):
    """
    A language model could not be asked, or answered nothing of use.

    Attributes:
        model: What the endpoint calls the model.
    """

    def __init__(self, message: str, *, model: str) -> None:
        super().__init__(message)
        self.model = model


class ModelTimeoutError(ModelError):
    """The model took longer than was allowed."""


class ModelBusyError(ModelError):
    """
    The endpoint takes no more requests for now.

    Attributes:
        retry_after_s: When it wants to be asked again, in seconds; None if it did not say.
    """

    def __init__(self, message: str, *, model: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, model=model)
        self.retry_after_s = retry_after_s


class ModelUnavailableError(ModelError):
    """
    The endpoint was not reached, failed, or broke off in the middle of an answer.

    Attributes:
        retry_after_s: When it wants to be asked again, in seconds; None if it did not say.
    """

    def __init__(self, message: str, *, model: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, model=model)
        self.retry_after_s = retry_after_s


class ModelKeyError(ModelError):
    """The key is missing, wrong, or does not allow this."""


class ModelRequestError(ModelError):
    """
    The endpoint does not take such a request: it has no such model, or does not know a parameter.

    Attributes:
        status: The HTTP status.

        parameter: The parameter that it does not take; None if it did not say.
    """

    def __init__(self, message: str, *, model: str, status: int, parameter: str | None = None) -> None:
        super().__init__(message, model=model)
        self.status = status
        self.parameter = parameter


class ContextTooLongError(ModelError):
    """The question is longer than the model reads."""


class ModelRefusedError(ModelError):
    """The model, or a filter before it, would not answer."""


class ModelAnswerError(ModelError):
    """
    The model answered, and the answer is not what was asked for.

    Attributes:
        answer: What it said.

        complaint: What is wrong with it.

        formed: Whether it came in the form that was asked for, so that only what stands in it is wrong.
    """

    def __init__(self, message: str, *, model: str, answer: str, complaint: str, formed: bool = True) -> None:
        super().__init__(message, model=model)
        self.answer = answer
        self.complaint = complaint
        self.formed = formed
