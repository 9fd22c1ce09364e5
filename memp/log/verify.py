"""
Going through a whole log and naming everything that is not as it was written.

Pure: rows come in, problems go out, and the same code checks every kind of log. It is meant to be run often, over all
that there is. So it hashes what is stored as it is stored, and decodes neither headers nor bodies as long as all is
well, except for the vectors that a body names: a body whose digest fits is what was written, whatever it says.
"""

from __future__ import annotations

import contextlib
import hashlib
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import attrs
import msgspec

from memp.errors import CorruptStoreError
from memp.log.witness import WitnessSlots
from memp.record import GENESIS, RECORD_FORMAT, SALT_BYTES, Head, Record, digest_of_body, from_header

EVENTS_PER_READ = 8_000
"""Rows that are asked for at a time: enough to be quick, and 20 MB of common events."""

Excuse = Callable[[bytes], Iterable[int]]
"""Takes the body of an event and returns the positions whose bodies it says were taken away."""

StoredRow = tuple[int, str, bytes, int | None, bytes | None, bytes | None]
"""A record as it is stored: position, header, digest; then position, salt and body of its body, None if it has none."""


class _Purged(msgspec.Struct, frozen=True):
    positions: tuple[int, ...]


def _purged(body: bytes) -> tuple[int, ...]:
    return msgspec.json.decode(body, type=_Purged).positions


EXCUSES: Mapping[str, Excuse] = {"content-purged": _purged}
"""Type of event to what it excuses: a body may be missing only where such an event names its position."""


@attrs.frozen
class Problem:
    """
    One thing that is not as it was written.

    Attributes:
        position: Where; 0 if it has no place in the log.

        what: ``record``, ``previous``, ``log``, ``missing``, ``twice``, ``body``, ``vector``, ``witness``, ``expected``
            or ``unreadable``.

        expected: What should be there.

        found: What is.
    """

    position: int
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"position {self.position}: {self.what}: expected {self.expected}, found {self.found}"


@attrs.frozen(kw_only=True)
class VerifyReport:
    """
    What a verification found.

    Attributes:
        position: The last position there is.

        digest: Hex digest of the record there.

        events: How many events were checked.

        vectors: How many captured embeddings were checked.

        problems: What is not as it was written, in the order of the log.
    """

    position: int
    digest: str
    events: int
    vectors: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether everything is as it was written."""
        return not self.problems


class Rows(Protocol):
    """The rows of a log, all of one moment. Each method raises ``CorruptStoreError`` for what cannot be read."""

    def positions(self) -> tuple[int, int]:
        """Return the first and the last position; 0 and 0 for an empty log."""
        ...

    def next_position(self, after: int) -> int | None:
        """Return the lowest position over *after*; None if there is none."""
        ...

    def stream(self) -> Iterator[Sequence[StoredRow]]:
        """
        Yield all records as fast as they can be read, many at a time.

        They come in the order in which they were stored, as bodies do, and a body is given beside the record that was
        stored in the same place. That is the order of the log unless somebody changed it, so whoever asks must look.
        """
        ...

    def rows(self, after: int, until: int) -> Sequence[StoredRow]:
        """Return the records with ``after < position <= until``, in the order of their positions."""
        ...

    def stray_bodies(self) -> Sequence[int]:
        """Return the positions of bodies that belong to no record."""
        ...

    def vectors(self) -> Iterator[Sequence[tuple[str, bytes, bytes]]]:
        """Yield embedder, digest of the text and bytes of every captured embedding, many at a time."""
        ...


def verify_rows(
    rows: Rows,
    *,
    log_id: str,
    testimony: WitnessSlots | None,
    expect: Head | None,
    excuses: Mapping[str, Excuse] = EXCUSES,
) -> VerifyReport:
    """
    Check *rows* against their own chain, the witness and a head that was kept elsewhere.

    Args:
        rows: The log.

        log_id: Whose it must be.

        testimony: What the witness says; None where a log has none.

        expect: A head that the log must have, at its end or before; None expects nothing.

        excuses: What allows a body to be missing.
    """
    return _Verification(rows, log_id, testimony, expect, excuses).run()


_VECTORS, _NEXT_VECTOR, _END = b'"vectors":[{"digest":"', b'},{"digest":"', b"}]}"
"""
What stands before, between and after the vectors that a body names: keys are sorted, and no event has one that comes
after. Inside a text none of them can stand, because the quotes would be escaped.
"""


class _Ref(msgspec.Struct, frozen=True, gc=False):
    text: str
    embedder: str
    digest: str


_decode_refs = msgspec.json.Decoder(list[_Ref]).decode


def _refs(names: Sequence[bytes]) -> list[_Ref | None]:
    """Return what each of *names* says; None for one that is no name of a vector, whatever calls it so."""
    if not names:
        return []
    with contextlib.suppress(msgspec.MsgspecError):
        refs: list[_Ref | None] = [*_decode_refs(b'[{"digest":"%b}]' % _NEXT_VECTOR.join(names))]
        if len(refs) == len(names):
            return refs
    middle = len(names) // 2
    return _refs(names[:middle]) + _refs(names[middle:]) if middle else [None]


def _tail(previous: bytes) -> bytes:
    """Return what follows the digest of the body in a header."""
    return b'","' + b2a_base64(previous, newline=False) + b'"]'


def _short(digest: bytes) -> str:
    return digest.hex()[:16]


class _Verification:
    """One run through a log."""

    def __init__(
        self,
        rows: Rows,
        log_id: str,
        testimony: WitnessSlots | None,
        expect: Head | None,
        excuses: Mapping[str, Excuse],
    ) -> None:
        self._rows = rows
        self._log_id = log_id
        self._testimony = testimony
        self._expect = expect
        self._excuses = excuses
        heads = [slot.head for slot in testimony.valid] if testimony is not None else []
        self._watched = {head.position for head in (*heads, *([expect] if expect else []))}
        self._header_begin = msgspec.json.encode((RECORD_FORMAT, log_id))[:-1].decode() + ","
        self._excusing = [f'"{type}"' for type in excuses]
        self._begin()

    def _begin(self) -> None:
        """Forget all that was found."""
        self._problems: list[Problem] = []
        self._last = 0
        self._previous = GENESIS
        self._events = 0
        self._vectors = 0
        self._bodiless: list[int] = []
        self._excused: set[int] = set()
        self._names: dict[bytes, int] = {}
        self._digests: dict[int, bytes] = {0: GENESIS}

    def run(self) -> VerifyReport:
        try:
            self._run_events()
            self._run_bodies()
            self._run_vectors()
        except CorruptStoreError as error:
            self._add(self._last, "unreadable", "rows that can be read", str(error))
        self._compare_heads()
        return VerifyReport(
            position=self._last,
            digest=self._previous.hex(),
            events=self._events,
            vectors=self._vectors,
            problems=tuple(sorted(self._problems, key=lambda problem: problem.position)),
        )

    def _add(self, position: int, what: str, expected: str, found: str) -> None:
        self._problems.append(Problem(position, what, expected, found))

    def _run_events(self) -> None:
        if not all(self._check_whole(chunk) for chunk in self._rows.stream()):
            self._begin()
            self._run_ranges()

    def _run_ranges(self) -> None:
        """Go through all records in the order of their positions, and name what is wrong."""
        first, last = self._rows.positions()
        after = min(first - 1, 0)
        self._last = after
        while after < last:
            chunk = self._rows.rows(after, after + EVENTS_PER_READ)
            self._check_each(chunk)
            after += EVENTS_PER_READ
            if not chunk:
                # A hole: go on behind it instead of asking for every range within.
                found = self._rows.next_position(after)
                after = last if found is None else found - 1
        self._last = max(self._last, 0)

    def _check_whole(self, chunk: Sequence[StoredRow]) -> bool:
        """
        Check records as a whole and return whether everything is as it was written.

        No header is decoded: what it must begin and end with is compared as text, and its digest covers the rest.
        """
        sha256, base64, begin, excusing = hashlib.sha256, b2a_base64, self._header_begin, self._excusing
        last, tail, watched = self._last, _tail(self._previous), self._watched
        for position, header, digest, body_position, salt, body in chunk:
            hashed = header.encode()
            if position != last + 1 or not header.startswith(f"{begin}{position},"):
                return False
            if body is None or salt is None:
                self._bodiless.append(position)
                fits = hashed.endswith(tail)
            else:
                said = b',"%b%b' % (base64(sha256(salt + body).digest(), newline=False), tail)
                fits = body_position == position and len(salt) == SALT_BYTES and hashed.endswith(said)
            if not fits or sha256(hashed).digest() != digest:
                return False
            if body is not None:
                # Only now: a body that is not what was written may be anything.
                if body.endswith(_END):
                    self._note_vectors(position, body)
                for type in excusing:
                    if type in header:
                        self._note_excuse(from_header(header, digest, salt, body))
            if position in watched:
                self._digests[position] = digest
            last = position
            tail = b'","%b"]' % base64(digest, newline=False)  # ``_tail``, without a call for each
        if chunk:
            self._last, self._previous = last, chunk[-1][2]
        self._events += len(chunk)
        return True

    def _check_each(self, chunk: Sequence[StoredRow]) -> None:
        """Check records one after the other, and name what is wrong with each."""
        for position, header, digest, _, salt, body in chunk:
            if position != self._last + 1:
                self._misplaced(self._last, position)
            fits = hashlib.sha256(header.encode()).digest() == digest
            if not fits:
                self._add(position, "record", f"what {_short(digest)} was computed over", "another record")
            try:
                record = from_header(header, digest, salt, body)
            except CorruptStoreError as error:
                if fits:
                    self._add(position, "record", "a header that can be read", str(error))
            else:
                self._check_record(position, record)
            if position in self._watched:
                self._digests[position] = digest
            self._last, self._previous = position, digest
        self._events += len(chunk)

    def _check_record(self, position: int, record: Record) -> None:
        """Check a record, which stands at *position* whatever it says itself, against the one before it."""
        if record.position != position:
            self._add(position, "record", f"the record of position {position}", f"that of position {record.position}")
        if record.previous != self._previous and position == self._last + 1:
            self._add(position, "previous", _short(self._previous), _short(record.previous))
        if record.log_id != self._log_id:
            self._add(position, "log", self._log_id, record.log_id)
        body, salt = record.body, record.salt
        if body is None or salt is None:
            self._bodiless.append(position)
        elif len(salt) != SALT_BYTES or digest_of_body(salt, body) != record.body_digest:
            self._add(position, "body", f"what {_short(record.body_digest)} was computed over", "another body")
        else:
            if body.endswith(_END):
                self._note_vectors(position, body)
            self._note_excuse(record)

    def _note_excuse(self, record: Record) -> None:
        if record.type in self._excuses and record.body is not None:
            self._excused.update(self._excuses[record.type](record.body))

    def _misplaced(self, last: int, position: int) -> None:
        if position <= last:
            self._add(position, "twice", f"position {last + 1}", f"position {position} again")
        elif position > last + 1:
            missing = f"position {last + 1}" if position == last + 2 else f"positions {last + 1} to {position - 1}"
            self._add(last + 1, "missing", missing, "nothing")

    def _note_vectors(self, position: int, body: bytes) -> None:
        """Note the vectors that *body* names, if it ends with such a list; the rest of it need not be read."""
        at = body.rfind(_VECTORS)
        if at >= 0:
            for name in body[at + len(_VECTORS) : -len(_END)].split(_NEXT_VECTOR):
                self._names.setdefault(name, position)

    def _named(self) -> dict[tuple[str, bytes], tuple[str, int]]:
        """Return (embedder, digest of the text) to the digest of the vector and the position that names it first."""
        named: dict[tuple[str, bytes], tuple[str, int]] = {}
        for ref, position in zip(_refs(list(self._names)), self._names.values(), strict=True):
            if ref is None:
                continue
            text = hashlib.sha256(ref.text.encode("utf-8", "surrogatepass")).digest()
            digest, _ = named.setdefault((ref.embedder, text), (ref.digest, position))
            if digest != ref.digest:
                self._add(position, "vector", digest[:16], ref.digest[:16])
        return named

    def _run_bodies(self) -> None:
        bodiless = set(self._bodiless)
        for position in sorted(bodiless - self._excused):
            self._add(position, "body", "a body, or an event that says why there is none", "nothing")
        for position in sorted(self._excused - bodiless):
            self._add(position, "body", "nothing, because it was purged", "a body")
        for position in self._rows.stray_bodies():
            self._add(position, "body", "no body, because there is no such record", "a body")

    def _run_vectors(self) -> None:
        named = self._named()
        waiting, sha256 = dict(named), hashlib.sha256
        for chunk in self._rows.vectors():
            for embedder, text, vector in chunk:
                said = waiting.pop((embedder, text), None)
                if said is None:
                    self._take_surplus(named.get((embedder, text)), f"{embedder} of text {_short(text)}")
                elif (found := sha256(vector).hexdigest()) != said[0]:
                    self._add(said[1], "vector", said[0][:16], found[:16])
            self._vectors += len(chunk)
        for digest, position in waiting.values():
            self._add(position, "vector", digest[:16], "nothing")

    def _take_surplus(self, said: tuple[str, int] | None, what: str) -> None:
        if said is None:
            self._add(0, "vector", "only vectors that an event names", what)
        else:
            self._add(said[1], "vector", f"{what} once", "it twice")

    def _compare_heads(self) -> None:
        if self._expect is not None:
            self._compare("expected", self._expect)
        if self._testimony is None:
            return
        slot = self._testimony.newest
        if slot is None:
            self._add(0, "witness", "a witness that can be read", "none")
            return
        if self._testimony.damaged:
            self._add(0, "witness", "two slots that can be read", "one")
        if slot.log_id != self._log_id:
            self._add(0, "witness", self._log_id, slot.log_id)
        self._compare("witness", slot.head)

    def _compare(self, what: str, head: Head) -> None:
        """Check that the log has *head*, at its end or before."""
        digest = self._digests.get(head.position)
        if digest is None:
            end = f"the log ends at {self._last}" if head.position > self._last else "no such position"
            self._add(head.position, what, str(head), end)
        elif digest != head.digest:
            self._add(head.position, what, str(head), f"{head.position}:{digest.hex()}")
