"""
How an old body becomes one of today's: one function for each step from a schema to the next.

A function takes and returns plain values and knows nothing of the classes, which go on changing. Decoding then calls
the ordinary constructor, so that old data meets today's checks; a check that becomes tighter therefore needs an upcast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from memp.errors import MissingUpcastError

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""Brings the plain values of one body from one schema to the next."""


def _nothing_spent(data: dict[str, Any]) -> dict[str, Any]:
    """Evaluations once did not say what the requests of an agent came to."""
    return {**data, "attempts": [{"spent": [], **attempt} for attempt in data["attempts"]]}


UPCASTS: Mapping[tuple[str, int], Upcast] = MappingProxyType({("evaluation-recorded", 1): _nothing_spent})
"""(type, schema) to the function that brings a body of that schema to the next one."""


def upcast(
    type: str, schema: int, data: dict[str, Any], *, to: int, upcasts: Mapping[tuple[str, int], Upcast] = UPCASTS
) -> dict[str, Any]:
    """
    Bring the plain values of a body from *schema* to the schema *to*.

    Raises:
        MissingUpcastError: A step on the way has no function.
    """
    for step in range(schema, to):
        if (type, step) not in upcasts:
            raise MissingUpcastError(type, schema=step)
        data = upcasts[type, step](data)
    return data
