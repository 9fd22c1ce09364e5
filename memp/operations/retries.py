"""
Whether an operation under a known retry key is the one that stands there.

The log compares bodies, but an operation that makes ids makes other bodies each time. What is compared here is what the
caller said: the fields that came from the arguments, or the runs that were handed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from memp.errors import RetryKeyError
from memp.record import Record


def same_change(record: Record, key: str, said: Mapping[str, object]) -> Record:
    """
    Return *record*, which holds the retry key, if it says what the caller says now.

    Raises:
        RetryKeyError: It says something else.
    """
    stored = record.data or {}
    if any(stored.get(field) != value for field, value in said.items()):
        raise RetryKeyError(key, position=record.position)
    return record


def same_runs(
    records: Sequence[Record], key: str, digests: set[str], *, type: str, known: Iterable[str]
) -> list[dict[str, object]]:
    """
    Return the bodies of *records* if they are what handing over runs with these *digests* leaves.

    A run that was on record before leaves nothing; any other must be in the batch. Without that second half, a caller
    who uses a key again by mistake would be told that further runs are known, and they would be nowhere.

    Args:
        records: The batch that holds the retry key.

        key: The retry key.

        digests: Content digests of the runs that the caller hands over now.

        type: Tag of the events that record a run.

        known: Content digests of the runs that were on record before the batch; read only as far as needed.

    Raises:
        RetryKeyError: They record other runs, or none.
    """
    recorded = {str((record.data or {}).get("digest")) for record in records if record.type == type}
    missing = digests - recorded
    if not recorded or not recorded <= digests or (missing and not missing <= set(known)):
        raise RetryKeyError(key, position=records[0].position)
    return [record.data or {} for record in records]
