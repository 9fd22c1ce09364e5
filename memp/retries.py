"""
Whether an operation under a known retry key is the one that stands there.

The log compares bodies, but an operation that makes ids makes other bodies each time. What is compared here is what the
caller said: the fields that came from the arguments, or the runs that were handed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def same_runs(records: Sequence[Record], key: str, digests: set[str], *, type: str) -> list[dict[str, object]]:
    """
    Return the bodies of *records* if they record just runs with these *digests*.

    Args:
        records: The batch that holds the retry key.

        key: The retry key.

        digests: Content digests of the runs that the caller hands over now.

        type: Tag of the events that record a run.

    Raises:
        RetryKeyError: They record other runs, or none.
    """
    recorded = [(record.data or {}).get("digest") for record in records if record.type == type]
    if not recorded or not digests.issuperset(str(digest) for digest in recorded):
        raise RetryKeyError(key, position=records[0].position)
    return [record.data or {} for record in records]
