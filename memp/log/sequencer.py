"""
What every log does before it stores: hand out positions, versions and times, and chain the digests.

It holds the head in memory. Asking the database for it in each transaction would cost 1.7 times the commit, and
whoever appends holds the only right to write, so what is in memory is what is stored.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise

import attrs

from memp.errors import InvalidInputError, RetryKeyError, StreamGapError, VersionConflictError
from memp.log.base import Pending
from memp.log.identity import Identity
from memp.model import Position, Version
from memp.record import GENESIS, SALT_BYTES, Head, Record, digest_of_body, digest_of_record

CLOCK_JUMP_WARNING_US = 3_600_000_000
"""A clock that stands this far behind the last record (one hour) is not drift: somebody set it, now or before."""


@attrs.define
class Streams:
    """
    What the next record must connect to, beside the head.

    Attributes:
        versions: (branch, stream) to the version it is at.

        keys: (branch, retry key) to the position that holds it.
    """

    versions: dict[tuple[str, str], int] = attrs.field(factory=dict)
    keys: dict[tuple[str, str], Position] = attrs.field(factory=dict)


class Sequencer:
    """
    The end of a log: what the next record must connect to.

    Args:
        log_id: The log.

        identity: Times and salts.

        load: Returns the record at a position; asked only when a retry key is seen again.
    """

    def __init__(self, log_id: str, *, identity: Identity, load: Callable[[Position], Record]) -> None:
        self.log_id = log_id
        self.head = Head(Position(0), GENESIS)
        self._identity = identity
        self._load = load
        self._recorded_at = 0
        self._there = Streams()
        self._look: Callable[[], Streams] | None = None

    def restore(self, head: Head, *, recorded_at: int, look: Callable[[], Streams]) -> None:
        """
        Take up where a stored log ends.

        Args:
            head: Its last position and digest.

            recorded_at: The latest time in it, microseconds.

            look: Returns what stands in it up to there. Called when it is first needed, which for whoever only reads
                is never.
        """
        self.head = head
        self._recorded_at = recorded_at
        self._look = look

    @property
    def _streams(self) -> Streams:
        if self._look is not None:
            self._there, self._look = self._look(), None
        return self._there

    def follow(self, record: Record) -> None:
        """
        Take *record*, which is stored, as the new end.

        Raises:
            StreamGapError: Its position or its version is not the next one.
        """
        stream = (record.branch, record.stream)
        expected = self._streams.versions.get(stream, 0) + 1
        if record.position != self.head.position + 1:
            raise StreamGapError("Position", expected=self.head.position + 1, found=record.position)
        if record.version != expected:
            raise StreamGapError(f"Version of stream {record.stream!r}", expected=expected, found=record.version)
        self._streams.versions[stream] = record.version
        if record.key is not None:
            self._streams.keys[record.branch, record.key] = record.position
        self._recorded_at = max(self._recorded_at, record.recorded_at)
        self.head = Head(record.position, record.digest)

    def version(self, branch: str, stream: str) -> Version:
        """Return the version that *stream* is at; 0 if it has no events."""
        return Version(self._streams.versions.get((branch, stream), 0))

    def position_of(self, key: str, *, branch: str) -> Position | None:
        """Return where the event stands that holds the retry key; None if there is none."""
        return self._streams.keys.get((branch, key))

    def said_before(self, pending: Sequence[Pending], *, branch: str) -> tuple[Record, ...] | None:
        """
        Return the records that *pending* already is, by its retry keys; None if it is new.

        Raises:
            RetryKeyError: A key stands for something else, or only a part of the batch stands.
        """
        keys = self._streams.keys
        known = [(p, keys[branch, p.key]) for p in pending if p.key is not None and (branch, p.key) in keys]
        if not known:
            return None
        records = [(p, self._load(position)) for p, position in known]
        for p, record in records:
            if (p.stream, p.type, p.schema, p.body) != (record.stream, record.type, record.schema, record.body):
                raise RetryKeyError(str(p.key), position=record.position)
        if len(known) < len(pending):
            raise RetryKeyError(str(known[0][0].key), position=known[0][1])
        return tuple(record for _, record in records)

    def sequence(self, pending: Sequence[Pending], *, actor: str, branch: str) -> tuple[Record, ...]:
        """
        Return the records that *pending* becomes; nothing in the sequencer changes until they are followed.

        Raises:
            VersionConflictError: A stream is not at its expected version.

            InvalidInputError: There is nothing to append, nobody who appends, or a retry key stands twice.
        """
        self._check(pending, actor=actor)
        clock_at = self._identity.clock()
        recorded_at = self._time(clock_at)
        batch = self._identity.random_id()
        salts = self._identity.entropy(SALT_BYTES * len(pending))
        versions: dict[str, int] = {}
        previous, records = self.head.digest, []
        for offset, p in enumerate(pending):
            current = versions.get(p.stream, self.version(branch, p.stream))
            if p.expected_version is not None and p.expected_version != current:
                raise VersionConflictError(p.stream, expected=p.expected_version, found=current)
            versions[p.stream] = current + 1
            salt = salts[offset * SALT_BYTES : (offset + 1) * SALT_BYTES]
            hashed = (
                self.log_id,
                Position(self.head.position + 1 + offset),
                p.event_id,
                branch,
                p.stream,
                Version(current + 1),
                p.type,
                p.schema,
                recorded_at,
                clock_at,
                actor,
                p.cause,
                p.key,
                tuple(p.derived_from),
                tuple(p.read),
                batch,
                len(pending),
                digest_of_body(salt, p.body),
                previous,
            )
            previous = digest_of_record(hashed)
            records.append(Record(*hashed, previous, salt, p.body))
        return tuple(records)

    def _check(self, pending: Sequence[Pending], *, actor: str) -> None:
        if not pending:
            raise InvalidInputError("A batch must hold at least one event (got none).")
        if not actor:
            raise InvalidInputError("'actor' must name who writes (got an empty string).")
        keys = sorted(p.key for p in pending if p.key is not None)
        for one, other in pairwise(keys):
            if one == other:
                raise InvalidInputError(f"The retry key {one!r} stands twice in one batch; each event needs its own.")

    def _time(self, clock_at: int) -> int:
        if self._recorded_at - clock_at > CLOCK_JUMP_WARNING_US:
            hours = (self._recorded_at - clock_at) / 3_600_000_000
            warnings.warn(
                f"The clock stands {hours:.1f} hours before the last record. Events keep their order and are recorded "
                "with the last record's time until the clock has caught up; the raw clock is kept beside it.",
                RuntimeWarning,
                stacklevel=5,
            )
        return max(clock_at, self._recorded_at)
