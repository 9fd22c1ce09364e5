"""What the values look like as JSON; one function for each, shared by all commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from memp import Evidence, LearnReport, Match, Procedure, Record, Revision
    from memp.events.procedures import Origin


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    """Return what happened when a revision was served."""
    return {"episodes": evidence.episodes, "helped": evidence.helped}


def procedure_json(procedure: Procedure) -> dict[str, Any]:
    """Return a procedure as ``list`` shows it."""
    return {
        "id": procedure.id,
        "name": procedure.name,
        "status": procedure.status.value,
        "task": procedure.task,
        "patterns": list(procedure.patterns),
        "builder": procedure.builder,
        "tags": list(procedure.tags),
        "support": procedure.support,
        "evidence": evidence_json(procedure.evidence),
        "revision": procedure.active,
        "content_key": procedure.content_key,
        "merged_into": procedure.merged_into,
    }


def revision_json(procedure: Procedure, revision: Revision) -> dict[str, Any]:
    """Return one revision with all that it says."""
    return {
        "id": revision.id,
        "base": revision.base,
        "status": revision.status.value,
        "critique": revision.critique,
        "tainted": revision.tainted,
        "sources": list(revision.sources),
        "evidence": evidence_json(procedure.evidence_of(revision)),
        "content": msgspec.to_builtins(revision.content),
    }


def origin_json(origin: Origin) -> dict[str, Any]:
    """Return where a procedure came from, and what was known of it there."""
    told: dict[str, Any] = msgspec.to_builtins(origin)
    return told | {"evidence": evidence_json(origin.evidence)}


def match_json(match: Match) -> dict[str, Any]:
    """Return a match with its procedure."""
    return {
        "rank": match.rank,
        "score": match.score,
        "parts": match.parts,
        "procedure": procedure_json(match.procedure) | {"script": match.procedure.script},
    }


def record_json(record: Record) -> dict[str, Any]:
    """Return a record with its body; bytes as hex."""
    return {
        "position": record.position,
        "event_id": record.event_id,
        "branch": record.branch,
        "stream": record.stream,
        "version": record.version,
        "type": record.type,
        "schema": record.schema,
        "recorded_at": record.recorded_at,
        "clock_at": record.clock_at,
        "actor": record.actor,
        "cause": record.cause,
        "key": record.key,
        "derived_from": list(record.derived_from),
        "read": list(record.read),
        "batch": record.batch,
        "batch_size": record.batch_size,
        "body": record.data,
        "body_digest": record.body_digest.hex(),
        "previous": record.previous.hex(),
        "digest": record.digest.hex(),
    }


def learned_json(report: LearnReport) -> dict[str, Any]:
    """Return what learning did."""
    return {
        "runs": report.runs,
        "recorded": report.recorded,
        "known": report.known,
        "unbuilt": report.unbuilt,
        "added": list(report.added),
        "generalised": list(report.generalised),
        "waiting": report.waiting,
        "problems": list(report.problems),
        "events": [record.position for record in report.events],
    }
