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
    from memp.aio import AsyncMemory, open_async
    from memp.episodes import EpisodeInfo, EpisodeStatus, QueuedRun
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
        StorageError,
        StoreLockedError,
        StoreNotFoundError,
        TailLostError,
        TemplateError,
        TrajectoryFormatError,
        VersionConflictError,
        WitnessError,
    )
    from memp.living import Drained, Episode
    from memp.memory import LearnReport, Memory, open  # noqa: A004 - memp.open(…) reads as gzip.open does
    from memp.model import Evidence, Match, Procedure, Revision, Step, Trajectory
    from memp.reading import read_trajectories
    from memp.record import Record
    from memp.retrieval.filters import Filter
    from memp.script.formatter import format_script
    from memp.script.loader import load_toolset
    from memp.script.nodes import Script
    from memp.script.parser import parse_script
    from memp.script.toolset import Toolset
    from memp.transfer import import_store
    from memp.update.credit import Credit
    from memp.update.registry import register_policy
    from memp.update.trial import Candidate
    from memp.view import Found, View

_HOMES = {
    "memp.aio": ("AsyncMemory", "open_async"),
    "memp.episodes": ("EpisodeInfo", "EpisodeStatus", "QueuedRun"),
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
        "StorageError",
        "StoreLockedError",
        "StoreNotFoundError",
        "TailLostError",
        "TemplateError",
        "TrajectoryFormatError",
        "VersionConflictError",
        "WitnessError",
    ),
    "memp.living": ("Drained", "Episode"),
    "memp.memory": ("LearnReport", "Memory", "open"),
    "memp.model": ("Evidence", "Match", "Procedure", "Revision", "Step", "Trajectory"),
    "memp.reading": ("read_trajectories",),
    "memp.record": ("Record",),
    "memp.retrieval.filters": ("Filter",),
    "memp.transfer": ("import_store",),
    "memp.script.formatter": ("format_script",),
    "memp.script.loader": ("load_toolset",),
    "memp.script.nodes": ("Script",),
    "memp.script.parser": ("parse_script",),
    "memp.script.toolset": ("Toolset",),
    "memp.update.credit": ("Credit",),
    "memp.update.registry": ("register_policy",),
    "memp.update.trial": ("Candidate",),
    "memp.view": ("Found", "View"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__version__ = "0.1.0"

__all__ = [
    "AsyncMemory",
    "Candidate",
    "ConflictError",
    "CorruptStoreError",
    "Credit",
    "Drained",
    "Episode",
    "EpisodeInfo",
    "EpisodeStatus",
    "Evidence",
    "Filter",
    "Found",
    "InvalidInputError",
    "LearnReport",
    "Match",
    "Memory",
    "MempError",
    "NotFoundError",
    "Procedure",
    "ProcedureNotFoundError",
    "QueuedRun",
    "Record",
    "RetryKeyError",
    "Revision",
    "Script",
    "ScriptError",
    "ServiceError",
    "Step",
    "StorageError",
    "StoreLockedError",
    "StoreNotFoundError",
    "TailLostError",
    "TemplateError",
    "Toolset",
    "Trajectory",
    "TrajectoryFormatError",
    "VersionConflictError",
    "View",
    "WitnessError",
    "__version__",
    "format_script",
    "import_store",
    "load_toolset",
    "open",
    "open_async",
    "parse_script",
    "read_trajectories",
    "register_policy",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'memp' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
