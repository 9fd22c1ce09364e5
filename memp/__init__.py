"""
Version control for what an LLM agent knows how to do.

    import memp

    with memp.open("agent.duckdb") as memory:
        memory.learn(memp.read_trajectories("runs.jsonl"))
        print(memory.retrieve("put a hot mug in the cabinet").prompt())

The names here are the public surface. They are loaded when they are first used (PEP 562), so that importing memp, and
asking its command line for help, costs a few milliseconds and loads no database.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memp.errors import (
        ConflictError,
        CorruptStoreError,
        InvalidInputError,
        MempError,
        NotFoundError,
        ProcedureNotFoundError,
        RetryKeyError,
        ScriptError,
        ServiceError,
        StoreLockedError,
        StoreNotFoundError,
        TemplateError,
        TrajectoryFormatError,
        VersionConflictError,
    )
    from memp.memory import LearnReport, Memory, open  # noqa: A004 - memp.open(…) reads as gzip.open does
    from memp.model import Evidence, Match, Procedure, Revision, Step, Trajectory
    from memp.reading import read_trajectories
    from memp.record import Record
    from memp.view import Found, View

_HOMES = {
    "memp.errors": (
        "ConflictError",
        "CorruptStoreError",
        "InvalidInputError",
        "MempError",
        "NotFoundError",
        "ProcedureNotFoundError",
        "RetryKeyError",
        "ScriptError",
        "ServiceError",
        "StoreLockedError",
        "StoreNotFoundError",
        "TemplateError",
        "TrajectoryFormatError",
        "VersionConflictError",
    ),
    "memp.memory": ("LearnReport", "Memory", "open"),
    "memp.model": ("Evidence", "Match", "Procedure", "Revision", "Step", "Trajectory"),
    "memp.reading": ("read_trajectories",),
    "memp.record": ("Record",),
    "memp.view": ("Found", "View"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__version__ = "0.1.0"

__all__ = [
    "ConflictError",
    "CorruptStoreError",
    "Evidence",
    "Found",
    "InvalidInputError",
    "LearnReport",
    "Match",
    "Memory",
    "MempError",
    "NotFoundError",
    "Procedure",
    "ProcedureNotFoundError",
    "Record",
    "RetryKeyError",
    "Revision",
    "ScriptError",
    "ServiceError",
    "Step",
    "StoreLockedError",
    "StoreNotFoundError",
    "TemplateError",
    "Trajectory",
    "TrajectoryFormatError",
    "VersionConflictError",
    "View",
    "__version__",
    "open",
    "read_trajectories",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'memp' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
