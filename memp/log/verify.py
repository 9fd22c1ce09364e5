"""
Going through a whole log and naming everything that is not as it was written.

Pure: rows come in, problems go out, and the same code checks every kind of log. It reads tuples and builds no records,
because it is meant to be run often, over all that there is. It decodes bodies only as far as they name vectors: a body
whose digest fits is what was written, whatever it says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import attrs
import msgspec

from memp.errors import CorruptStoreError
from memp.log.witness import WitnessSlots
from memp.record import FIELDS, GENESIS, HASHED_FIELDS, RECORD_FORMAT, SALT_BYTES, Head

EVENTS_PER_READ = 8_000
"""Rows that are asked for at a time: enough to be quick, and 20 MB of common events."""

Excuse = Callable[[bytes], Iterable[int]]
"""Takes the body of an event and returns the positions whose bodies it says were taken away."""

Hashable = tuple[tuple[int, str, bytes, bytes, bytes], tuple[int, bytes]]
"""A record and a body in the form of ``Rows.hashable``."""


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

    def events(self, after: int, until: int) -> Sequence[tuple[Any, ...]]:
        """Return every field of the records with ``after < position <= until``, in order."""
        ...

    def hashable(self, after: int, until: int) -> Sequence[Hashable] | None:
        """
        Return the same records in a form that is checked twice as fast; None if there is none, or a body is missing.

        Each is: position; a JSON array of what is hashed; the digest of the body, of the record before, and of the
        record. Beside it the body in the same place: position; salt and body joined.

        Where the JSON is another than ``memp.record`` would write, the records are checked once more by ``events``, so
        that a database may write it as it likes as long as different fields never give the same text.
        """
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


_POSITION, _TYPE, _BODY_DIGEST = FIELDS.index("position"), FIELDS.index("type"), FIELDS.index("body_digest")
_PREVIOUS, _DIGEST, _SALT, _BODY = HASHED_FIELDS - 1, HASHED_FIELDS, FIELDS.index("salt"), FIELDS.index("body")

_VECTORS_BEGIN = b'"vectors":[{'
"""Stands in the body of every event that names vectors; inside a text of a body, the quotes would be escaped."""


class _Ref(msgspec.Struct, frozen=True):
    text: str
    embedder: str
    digest: str


class _Refs(msgspec.Struct, frozen=True):
    vectors: tuple[_Ref, ...] = ()


_decode_list = msgspec.json.Decoder(tuple[_Ref, ...]).decode
_decode_refs = msgspec.json.Decoder(_Refs).decode
_encode = msgspec.json.Encoder().encode


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
        self._problems: list[Problem] = []
        self._last = 0
        self._previous = GENESIS
        self._events = 0
        self._vectors = 0
        self._bodiless: list[int] = []
        self._excused: set[int] = set()
        self._named: dict[tuple[str, str], tuple[str, int]] = {}
        self._digests: dict[int, bytes] = {0: GENESIS}
        heads = [slot.head for slot in testimony.valid] if testimony is not None else []
        self._watched = {head.position for head in (*heads, *([expect] if expect else []))}

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
        first, last = self._rows.positions()
        after = min(first - 1, 0)
        self._last = after
        while after < last:
            count = self._check(after, after + EVENTS_PER_READ)
            after += EVENTS_PER_READ
            if not count:
                # A hole: go on behind it instead of asking for every range within.
                found = self._rows.next_position(after)
                after = last if found is None else found - 1
        self._last = max(self._last, 0)

    def _check(self, after: int, until: int) -> int:
        """Check a range and return how many records are in it."""
        hashable = self._rows.hashable(after, until)
        if hashable is not None and self._check_fast(hashable):
            return len(hashable)
        chunk = self._rows.events(after, until)
        self._check_each(chunk)
        return len(chunk)

    def _check_fast(self, chunk: Sequence[Hashable]) -> bool:
        """Check a range as a whole and return whether everything is as it was written; if not, nothing is noted."""
        sha256 = hashlib.sha256
        last, previous, watched = self._last, self._previous, self._watched
        begin = f'[{RECORD_FORMAT},"{self._log_id}",'
        excusing = [f'"{type}"' for type in self._excuses]
        naming: list[tuple[int, bytes]] = []
        digests: dict[int, bytes] = {}
        for (position, hashed, body_digest, before, digest), (body_position, body) in chunk:
            if position != last + 1 or body_position != position or not hashed.startswith(begin):
                return False
            if before != previous or sha256(body).digest() != body_digest:
                return False
            if sha256(hashed.encode()).digest() != digest:
                return False
            if excusing and any(type in hashed for type in excusing):
                return False
            if _VECTORS_BEGIN in body:
                naming.append((position, body[SALT_BYTES:]))
            if position in watched:
                digests[position] = digest
            last, previous = position, digest
        self._last, self._previous = last, previous
        self._events += len(chunk)
        self._digests.update(digests)
        for position, body in naming:
            self._note_vectors(position, body)
        return True

    def _check_each(self, chunk: Sequence[tuple[Any, ...]]) -> None:
        """Check records one after the other, and name what is wrong with each."""
        encode, sha256, prefix, log_id = _encode, hashlib.sha256, (RECORD_FORMAT,), self._log_id
        last, previous, excuses, watched = self._last, self._previous, self._excuses, self._watched
        for row in chunk:
            position, digest, body = row[_POSITION], row[_DIGEST], row[_BODY]
            if position != last + 1:
                self._misplaced(last, position)
            if sha256(encode((*prefix, *row[:HASHED_FIELDS]))).digest() != digest:
                self._add(position, "record", f"what {_short(digest)} was computed over", "another record")
            if row[_PREVIOUS] != previous and position == last + 1:
                self._add(position, "previous", _short(previous), _short(row[_PREVIOUS]))
            if row[0] != log_id:
                self._add(position, "log", log_id, row[0])
            if body is None or row[_SALT] is None:
                self._bodiless.append(position)
            elif sha256(row[_SALT] + body).digest() != row[_BODY_DIGEST]:
                self._add(position, "body", f"what {_short(row[_BODY_DIGEST])} was computed over", "another body")
            else:
                if _VECTORS_BEGIN in body:
                    self._note_vectors(position, body)
                if row[_TYPE] in excuses:
                    self._excused.update(excuses[row[_TYPE]](body))
            if position in watched:
                self._digests[position] = digest
            last, previous = position, digest
        self._last, self._previous = last, previous
        self._events += len(chunk)

    def _misplaced(self, last: int, position: int) -> None:
        if position <= last:
            self._add(position, "twice", f"position {last + 1}", f"position {position} again")
        elif position > last + 1:
            missing = f"position {last + 1}" if position == last + 2 else f"positions {last + 1} to {position - 1}"
            self._add(last + 1, "missing", missing, "nothing")

    def _note_vectors(self, position: int, body: bytes) -> None:
        try:
            # Keys are sorted, so the vectors stand at the end; the rest of the body need not be read.
            refs = _decode_list(body[body.rindex(_VECTORS_BEGIN) + len(_VECTORS_BEGIN) - 2 : -1])
        except msgspec.MsgspecError:
            try:
                refs = _decode_refs(body).vectors
            except msgspec.MsgspecError:
                # Whatever this calls vectors, it is no list of names.
                return
        for ref in refs:
            digest, _ = self._named.setdefault((ref.embedder, ref.text), (ref.digest, position))
            if digest != ref.digest:
                self._add(position, "vector", digest[:16], ref.digest[:16])

    def _run_bodies(self) -> None:
        bodiless = set(self._bodiless)
        for position in sorted(bodiless - self._excused):
            self._add(position, "body", "a body, or an event that says why there is none", "nothing")
        for position in sorted(self._excused - bodiless):
            self._add(position, "body", "nothing, because it was purged", "a body")
        for position in self._rows.stray_bodies():
            self._add(position, "body", "no body, because there is no such record", "a body")

    def _run_vectors(self) -> None:
        named = {
            (embedder, hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()): said
            for (embedder, text), said in self._named.items()
        }
        seen: set[tuple[str, bytes]] = set()
        for chunk in self._rows.vectors():
            for embedder, text, vector in chunk:
                key = embedder, text
                digest, position = named.get(key, ("", 0))
                found = hashlib.sha256(vector).hexdigest()
                if not digest:
                    self._add(0, "vector", "only vectors that an event names", f"{embedder} of text {_short(text)}")
                elif key in seen:
                    self._add(position, "vector", f"{embedder} of text {_short(text)} once", "it twice")
                elif found != digest:
                    self._add(position, "vector", digest[:16], found[:16])
                seen.add(key)
                self._vectors += 1
        for key, (digest, position) in named.items():
            if key not in seen:
                self._add(position, "vector", digest[:16], "nothing")

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
