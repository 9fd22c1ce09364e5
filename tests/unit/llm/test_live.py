"""
Questions to a real endpoint; skipped unless one is named.

Set ``MEMP_LIVE_MODEL`` to the name of a model, ``MEMP_LIVE_EMBEDDER`` to that of an embedding model, and
``OPENAI_API_KEY`` or ``OPENAI_BASE_URL`` as for any client; see docs/how-to/use-a-model.md. It costs a few thousand
tokens.
"""

from __future__ import annotations

import os

import pytest

import memp

MODEL = os.environ.get("MEMP_LIVE_MODEL", "")
EMBEDDER = os.environ.get("MEMP_LIVE_EMBEDDER", "")


def lived(thing: str, number: int, *, won: bool = True) -> memp.Trajectory:
    """A run in the house."""
    steps = [
        memp.Step(action="go to fridge 1", observation="The fridge 1 is closed."),
        memp.Step(action="open fridge 1", observation=f"You open the fridge 1. In it, you see a {thing} {number}."),
        memp.Step(action=f"take {thing} {number} from fridge 1", observation=f"You pick up the {thing} {number}."),
        memp.Step(action="go to microwave 1", observation="The microwave 1 is closed."),
        memp.Step(action=f"heat {thing} {number} with microwave 1", observation=f"You heat the {thing} {number}."),
        memp.Step(action="go to cabinet 2", observation="The cabinet 2 is open."),
        memp.Step(action=f"move {thing} {number} to cabinet 2", observation=f"You move the {thing} {number}."),
    ]
    kept = steps if won else steps[:3]
    return memp.Trajectory(task=f"put a hot {thing} in cabinet", steps=kept, reward=float(won))


@pytest.mark.skipif(not MODEL, reason="MEMP_LIVE_MODEL names no model")
def test_a_real_model_distils_mends_and_judges() -> None:
    """A real endpoint gives a script that checks, a reflection, and a verdict; every call is on record."""
    model = memp.Model(MODEL)
    with memp.open(":memory:", model=model) as memory:
        report = memory.learn([lived("mug", 1), lived("egg", 2), lived("cup", 3, won=False)], build="distil")
        assert report.waiting == 0, report.problems
        assert report.problems == ()
        [procedure] = memory.procedures()
        assert procedure.builder == "distil"
        record = memory.reflect(procedure.id, trajectory=lived("pan", 4, won=False))
        assert memory.procedure(procedure.id).find_revision(record.event_id).critique
        judge = memp.Judge(model, memory=memory)
        assert judge.score(lived("mug", 1)).score > judge.score(lived("mug", 1, won=False)).score
        judge.close()
        [cost] = memory.costs()
        assert cost.calls >= 4
        assert memory.verify().ok


@pytest.mark.skipif(not EMBEDDER, reason="MEMP_LIVE_EMBEDDER names no embedding model")
def test_a_real_endpoint_embeds() -> None:
    """A real endpoint's vectors find the run that is meant, and what they cost is on record."""
    with memp.open(":memory:", embedder=memp.OpenAIEmbedder(EMBEDDER)) as memory:
        memory.learn([lived("mug", 1), memp.Trajectory(task="book a flight to Paris", steps=[], reward=1.0)])
        [found] = memory.retrieve("book a plane to Rome", k=1, key="query")
        assert found.procedure.task == "book a flight to Paris"
        [cost] = memory.costs()
        assert (cost.what, cost.failed) == (EMBEDDER, 0)
        assert cost.tokens_in > 0
        assert memory.verify().ok
