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
    from memp.embedding.compare import EmbedderScore, compare_embedders
    from memp.embedding.hashed import HashedEmbedder
    from memp.embedding.openai import OpenAIEmbedder
    from memp.embedding.sentence import SentenceEmbedder
    from memp.episodes import EpisodeInfo, EpisodeStatus, QueuedRun
    from memp.errors import (
        ConflictError,
        CorruptStoreError,
        InvalidInputError,
        MempError,
        ModelError,
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
    from memp.evaluation.agents.named import register_agent
    from memp.evaluation.bisect import bisect
    from memp.evaluation.bisection import Bisection
    from memp.evaluation.comparison import Comparison
    from memp.evaluation.evaluate import evaluate
    from memp.evaluation.gate import GateVerdict, gate
    from memp.evaluation.replay import ReplaySuite, replay_suite
    from memp.evaluation.result import Result
    from memp.evaluation.runner import Runner
    from memp.evaluation.suite import Suite, register_suite, suite
    from memp.found import Found
    from memp.llm.answers import Verdict
    from memp.llm.base import Model
    from memp.llm.judge import Judge
    from memp.memory import Memory, open  # noqa: A004 - memp.open(…) reads as gzip.open does
    from memp.model import Evidence, Match, Procedure, Revision, Step, Trajectory
    from memp.operations.calls import Cost
    from memp.operations.learned import LearnReport
    from memp.operations.living import Drained
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
    from memp.view import View

_HOMES = {
    "memp.aio": ("AsyncMemory", "open_async"),
    "memp.embedding.compare": ("EmbedderScore", "compare_embedders"),
    "memp.embedding.hashed": ("HashedEmbedder",),
    "memp.embedding.openai": ("OpenAIEmbedder",),
    "memp.embedding.sentence": ("SentenceEmbedder",),
    "memp.episodes": ("EpisodeInfo", "EpisodeStatus", "QueuedRun"),
    "memp.errors": (
        "ConflictError",
        "CorruptStoreError",
        "InvalidInputError",
        "MempError",
        "ModelError",
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
    "memp.evaluation.agents.named": ("register_agent",),
    "memp.evaluation.bisect": ("bisect",),
    "memp.evaluation.bisection": ("Bisection",),
    "memp.evaluation.comparison": ("Comparison",),
    "memp.evaluation.evaluate": ("evaluate",),
    "memp.evaluation.gate": ("GateVerdict", "gate"),
    "memp.evaluation.replay": ("ReplaySuite", "replay_suite"),
    "memp.evaluation.result": ("Result",),
    "memp.evaluation.runner": ("Runner",),
    "memp.evaluation.suite": ("Suite", "register_suite", "suite"),
    "memp.operations.living": ("Drained",),
    "memp.operations.serving": ("Episode",),
    "memp.llm.base": ("Model",),
    "memp.operations.calls": ("Cost",),
    "memp.llm.judge": ("Judge",),
    "memp.operations.learned": ("LearnReport",),
    "memp.llm.answers": ("Verdict",),
    "memp.memory": ("Memory", "open"),
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
    "memp.found": ("Found",),
    "memp.view": ("View",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__version__ = "0.1.0"

__all__ = [
    "AsyncMemory",
    "Bisection",
    "Candidate",
    "Comparison",
    "ConflictError",
    "CorruptStoreError",
    "Cost",
    "Credit",
    "Drained",
    "EmbedderScore",
    "Episode",
    "EpisodeInfo",
    "EpisodeStatus",
    "Evidence",
    "Filter",
    "Found",
    "GateVerdict",
    "HashedEmbedder",
    "InvalidInputError",
    "Judge",
    "LearnReport",
    "Match",
    "Memory",
    "MempError",
    "Model",
    "ModelError",
    "NotFoundError",
    "OpenAIEmbedder",
    "Procedure",
    "ProcedureNotFoundError",
    "QueuedRun",
    "Record",
    "ReplaySuite",
    "Result",
    "RetryKeyError",
    "Revision",
    "Runner",
    "Script",
    "ScriptError",
    "SentenceEmbedder",
    "ServiceError",
    "Step",
    "StorageError",
    "StoreLockedError",
    "StoreNotFoundError",
    "Suite",
    "TailLostError",
    "TemplateError",
    "Toolset",
    "Trajectory",
    "TrajectoryFormatError",
    "Verdict",
    "VersionConflictError",
    "View",
    "WitnessError",
    "__version__",
    "bisect",
    "compare_embedders",
    "evaluate",
    "format_script",
    "gate",
    "import_store",
    "load_toolset",
    "open",
    "open_async",
    "parse_script",
    "read_trajectories",
    "register_agent",
    "register_policy",
    "register_suite",
    "replay_suite",
    "suite",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'memp' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
