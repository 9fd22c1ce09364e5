"""
Every event: what can happen to a memory, as immutable facts named in the past tense.

The log of these is the only truth; all else is folded from it. An event says nothing of storage: position, version,
time and author stand in the record around it (``memp.record``). A new type is a class in the file of its kind and a
member of ``Event``; mypy then asks for its case in ``memp.projection``. Everything that a person might want removed
(names, reasons, tasks) lives in an event's fields, that is in the body, and nowhere else.
"""

from __future__ import annotations

from typing import get_args

from memp.events.episodes import EpisodeFinished, EpisodeStarted, Served
from memp.events.experience import ResourceRecorded, RunDropped, RunQueued, TrajectoryRecorded
from memp.events.history import (
    BranchDeleted,
    BranchForked,
    BranchPromoted,
    ContentPurged,
    EventsUndone,
    LossAccepted,
    VersionTagged,
)
from memp.events.measuring import EvaluationRecorded, GateSet
from memp.events.models import ModelCalled
from memp.events.procedures import (
    ProcedureAdded,
    ProcedureErased,
    ProcedureGeneralised,
    ProcedureImported,
    ProcedureMerged,
    ProcedureReflected,
    ProcedureUnerased,
    ProcedureValidated,
    RevisionAccepted,
    RevisionRejected,
    TextsEmbedded,
)
from memp.events.settings import EmbedderSwitched, PolicySet
from memp.events.vectors import VectorRef

__all__ = [
    "EVENT_TYPES",
    "BranchDeleted",
    "BranchForked",
    "BranchPromoted",
    "ContentPurged",
    "EmbedderSwitched",
    "EpisodeFinished",
    "EpisodeStarted",
    "EvaluationRecorded",
    "Event",
    "EventsUndone",
    "GateSet",
    "LossAccepted",
    "ModelCalled",
    "PolicySet",
    "ProcedureAdded",
    "ProcedureErased",
    "ProcedureGeneralised",
    "ProcedureImported",
    "ProcedureMerged",
    "ProcedureReflected",
    "ProcedureUnerased",
    "ProcedureValidated",
    "ResourceRecorded",
    "RevisionAccepted",
    "RevisionRejected",
    "RunDropped",
    "RunQueued",
    "Served",
    "TextsEmbedded",
    "TrajectoryRecorded",
    "VectorRef",
    "VersionTagged",
]

Event = (
    TrajectoryRecorded
    | ResourceRecorded
    | ProcedureAdded
    | ProcedureValidated
    | ProcedureGeneralised
    | ProcedureImported
    | ProcedureReflected
    | RevisionAccepted
    | RevisionRejected
    | ProcedureMerged
    | ProcedureErased
    | ProcedureUnerased
    | EventsUndone
    | VersionTagged
    | BranchForked
    | BranchPromoted
    | BranchDeleted
    | LossAccepted
    | EpisodeStarted
    | EpisodeFinished
    | PolicySet
    | GateSet
    | EvaluationRecorded
    | ModelCalled
    | RunQueued
    | RunDropped
    | ContentPurged
    | TextsEmbedded
    | EmbedderSwitched
)
"""Any event. A ``match`` over it ends in ``assert_never``."""

EVENT_TYPES: dict[str, type[Event]] = {cls.TYPE: cls for cls in get_args(Event)}
"""Stored tag to class. The tag is what is stored; the import path may change, the tag never."""
