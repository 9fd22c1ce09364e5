"""What differs between two versions, procedure by procedure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs

import memp
from memp.history.diff import Diff, ProcedureChange, compare
from memp.model import (
    Content,
    ContentKey,
    EventId,
    Evidence,
    Procedure,
    ProcedureId,
    ProcedureStatus,
    Revision,
    RevisionStatus,
    TrajectoryId,
)

Run = Callable[..., memp.Trajectory]


def revision(id: str, script: str = "go", **more: Any) -> Revision:
    """A revision of its own family."""
    given: dict[str, Any] = {
        "content_key": ContentKey("k"),
        "family": EventId(id),
        "content": Content(task="t", script=script),
    }
    return Revision(id=EventId(id), **(given | more))


def procedure(*revisions: Revision, **more: Any) -> Procedure:
    """A procedure whose first revision is active."""
    held = revisions or (revision("r1"),)
    given: dict[str, Any] = {"id": ProcedureId("p"), "name": "heat", "builder": "hand"}
    return Procedure(revisions=held, active=held[0].id, **(given | more))


def fields(before: Procedure, after: Procedure) -> list[tuple[str, object, object]]:
    """What changed about a procedure."""
    change = ProcedureChange(kind="changed", before=before, after=after)
    return [(field.field, field.before, field.after) for field in change.fields]


def names(diff: Diff) -> list[tuple[str, str]]:
    """What became of which procedure."""
    return [(change.kind, change.name) for change in diff.changes]


def test_each_thing_about_a_procedure_is_told() -> None:
    """Name, status, tags, support, evidence and taint are told apart from what it says."""
    old = procedure()
    runs = (TrajectoryId("t1"), TrajectoryId("t2"))
    evidence = Evidence(episodes=2, helped=1)
    assert fields(old, procedure(name="warm")) == [("name", "heat", "warm")]
    assert fields(old, procedure(status=ProcedureStatus.ERASED)) == [("status", "live", "erased")]
    assert fields(old, procedure(tags=("hot",))) == [("tags", (), ("hot",))]
    assert fields(old, procedure(revision("r1", sources=runs))) == [("support", 0, 2)]
    assert fields(old, procedure(evidences={EventId("r1"): evidence})) == [("evidence", Evidence(), evidence)]
    assert fields(old, procedure(revision("r1", tainted=True))) == [("tainted", False, True)]


def test_candidates_come_and_go_with_their_verdict() -> None:
    """A candidate that waits is told by its critique; one that no longer does, with what became of it."""
    waiting = revision("r2", "stay", status=RevisionStatus.CANDIDATE, critique="It ran away.")
    old, new = procedure(), procedure(revision("r1"), waiting)
    rejected = attrs.evolve(waiting, status=RevisionStatus.REJECTED)
    assert fields(old, new) == [("candidate", None, "It ran away.")]
    assert fields(new, old) == [("candidate", "It ran away.", None)]
    assert fields(new, procedure(revision("r1"), rejected)) == [("candidate", "It ran away.", "rejected")]
    accepted = procedure(attrs.evolve(waiting, status=RevisionStatus.ACTIVE), revision("r1"))
    assert fields(new, accepted) == [("candidate", "It ran away.", "accepted")]
    assert fields(old, procedure(revision("r1"), attrs.evolve(waiting, critique=None))) == [
        ("candidate", None, "covers further runs")
    ]


def test_what_only_history_knows_is_told_as_that() -> None:
    """A procedure that reads and ranks as before, with another past, is told by its number of revisions."""
    past = revision("r0", "stay", status=RevisionStatus.SUPERSEDED)
    assert fields(procedure(), procedure(revision("r1"), past)) == [("revisions", 1, 2)]


def test_what_it_says_is_told_by_structure(memory: memp.Memory, run: Run) -> None:
    """A diff of versions holds the changes of the script."""
    memory.learn([run("put a hot mug in the cabinet", "take mug 1")])
    [name] = [p.name for p in memory.procedures()]
    script = '@procedure("put {thing} away")\ndef put(thing: Text):\n    do(f"take {thing}")\n    do(f"heat {thing}")\n'
    first = memory.reflect(name, script=script, critique="c", activate=True)
    memory.reflect(name, script=script.replace("thing", "item"), critique="c", activate=True)
    [change] = memory.diff(first.position).changes
    assert [str(one) for one in change.content if one.what != "task" and one.what != "pattern"] == [
        "~ parameter thing is now item"
    ]


def test_the_same_procedure_under_another_id_is_the_same(memory: memp.Memory, run: Run) -> None:
    """Two memories that learned the same runs differ in nothing but what happened since."""
    runs = [run("put a hot mug away", "take mug 1"), run("look at a book", "look")]
    memory.learn(runs)
    with memp.open(":memory:", actor="other") as other:
        other.learn([*reversed(runs), run("find a pan", "look around")])
        assert names(compare(memory._state, other._state)) == [("added", "find-a-pan")]
        memory.validate("look-at-a-book", success=True)
        assert names(compare(other._state, memory._state)) == [("removed", "find-a-pan"), ("changed", "look-at-a-book")]


def test_a_twin_is_also_known_by_an_earlier_revision(memory: memp.Memory, run: Run) -> None:
    """A procedure that was rewritten on one side is changed, not removed and added."""
    runs = [run("put a hot mug away", "take mug 1")]
    memory.learn(runs)
    memory.reflect("put-a-hot-mug-away", script='do("look")', critique="c", activate=True)
    with memp.open(":memory:", actor="other") as other:
        other.learn(runs)
        assert names(compare(other._state, memory._state)) == [("changed", "put-a-hot-mug-away")]


def test_a_memory_that_is_derived_anew_is_the_same(memory: memp.Memory, run: Run) -> None:
    """A fork on which the same is decided again differs in nothing."""
    memory.learn([run("put a hot mug away", "take mug 1"), run("look at a book", "look", reward=0.0)])
    memory.rederive("again")
    assert memory.diff("main", "again").changes == ()
    memory.rederive("all", policy="vanilla")
    assert names(memory.diff("main", "all")) == [("added", "look-at-a-book")]


def test_undoing_a_source_is_planned_with_what_is_built_again(memory: memp.Memory, run: Run) -> None:
    """The plan shows what is left after the procedures were made from the other runs, and the undo does just that."""
    memory.learn([run("put a hot mug away", "take mug 1", agent=agent) for agent in ("a", "b")])
    before = memory.position
    source = memory.procedures()[0].sources[0]
    plan = memory.plan_undo(source=source)
    assert [(f.field, f.before, f.after) for f in plan.diff.changes[0].fields] == [("support", 2, 1)]
    memory.undo(source=source, reason="r")
    assert memory.diff(before).to_dict() == plan.diff.to_dict()


def test_a_diff_has_a_plain_form(memory: memp.Memory, run: Run) -> None:
    """Everything in it can be written as JSON, and added and removed procedures are summarised."""
    memory.tag("empty")
    memory.learn([run("put a hot mug away", "take mug 1")])
    [name] = [p.name for p in memory.procedures()]
    memory.tag("full")
    memory.validate(name, success=True)
    memory.reflect(name, script='do("look")', critique="c", activate=True)
    whole = json.loads(json.dumps(memory.diff("empty").to_dict()))
    assert (whole["added"], whole["changes"][0]["before"], whole["changes"][0]["after"]["name"]) == (1, None, name)
    assert json.loads(json.dumps(memory.diff("main", "empty").to_dict()))["removed"] == 1
    changed = memory.diff("full").to_dict()["changes"][0]
    assert [change["what"] for change in changed["content"]][-1] == "script"
    assert memory.diff("full", "full").to_dict() == {"added": 0, "removed": 0, "changed": 0, "changes": []}
