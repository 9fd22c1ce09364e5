"""What was made from what."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import memp
from memp.events import ProcedureAdded, ProcedureReflected, TrajectoryRecorded
from memp.history.lineage import Lineage, lineage
from memp.model import Content, ContentKey, ProcedureId, TrajectoryId

Run = Callable[..., memp.Trajectory]
P = ProcedureId("p")


def drawn(graph: Lineage) -> list[tuple[str, str, str]]:
    """The edges, by the labels of what they join."""
    labels = {node.id: node.label for node in graph.nodes}
    return [(labels[edge.source], edge.what, labels[edge.target]) for edge in graph.edges]


def test_runs_lead_to_revisions_and_to_a_merge(memory: memp.Memory, run: Run) -> None:
    """Each content names what it was made from, from the runs to the procedure that came of it."""
    memory.learn([run("warm the soup", "heat")])
    memory.reflect("warm-the-soup", script='do("stir")', critique="c", activate=True)
    memory.learn([run("boil the milk", "heat")])
    merged = memory.merge(["warm-the-soup", "boil-the-milk"], reason="r")
    assert merged.data is not None
    name = str(merged.data["name"])
    graph = memory.lineage(name)
    assert drawn(graph) == [
        ("#2 won: warm the soup", "from", "#3 procedure-added by me"),
        ("#3 procedure-added by me", "made", "revision #3 (superseded)"),
        ("revision #3 (superseded)", "of", "warm-the-soup (merged)"),
        ("revision #3 (superseded)", "from", "#4 procedure-reflected by me"),
        ("warm-the-soup (merged)", "merged", "#7 procedure-merged by me"),
        ("#4 procedure-reflected by me", "made", "revision #4 (active)"),
        ("revision #4 (active)", "active", "warm-the-soup (merged)"),
        ("revision #4 (active)", "from", "#7 procedure-merged by me"),
        ("#5 won: boil the milk", "from", "#6 procedure-added by me"),
        ("#6 procedure-added by me", "made", "revision #6 (active)"),
        ("revision #6 (active)", "active", "boil-the-milk (merged)"),
        ("revision #6 (active)", "from", "#7 procedure-merged by me"),
        ("boil-the-milk (merged)", "merged", "#7 procedure-merged by me"),
        ("#7 procedure-merged by me", "made", "revision #7 (active)"),
        ("revision #7 (active)", "active", f"{name} (live)"),
    ]
    part = memory.lineage("boil-the-milk")
    assert {node.label for node in part.nodes if node.kind == "procedure"} == {
        "boil-the-milk (merged)",
        f"{name} (live)",
    }
    assert len(memory.at(3).lineage("warm-the-soup").nodes) == 4


def test_what_is_out_of_force_is_dashed(memory: memp.Memory, run: Run) -> None:
    """A revision that was undone stays in the drawing, and a procedure that was undone has one."""
    memory.learn([run("warm the soup", "heat")])
    bad = memory.reflect("warm-the-soup", script='do("stir")', critique="c", activate=True)
    memory.undo([bad.event_id], reason="r")
    graph = memory.lineage("warm-the-soup")
    assert [node.label for node in graph.nodes if not node.in_force] == [
        "#4 procedure-reflected by me",
        "revision #4 (undone)",
    ]
    assert "class n5,n6 out" in graph.to_mermaid()
    assert graph.to_dot().count("style=dashed") == 2
    [added] = memory.events(type="procedure-added")
    memory.undo([added.event_id], reason="r", on_dependents="cascade")
    assert "warm-the-soup (undone)" in memory.lineage("warm-the-soup").to_dot()


def test_the_same_log_gives_the_same_drawing(tmp_path: Path, run: Run) -> None:
    """Nothing depends on the order of a set or on when it is asked."""
    path = tmp_path / "a.duckdb"
    with memp.open(path) as memory:
        memory.learn([run("warm the soup", "heat", agent=str(number)) for number in range(9)])
        before = memory.lineage("warm-the-soup")
    with memp.open(path, read_only=True) as memory:
        after = memory.lineage("warm-the-soup")
    assert before == after
    assert before.to_mermaid() == after.to_mermaid()
    assert json.loads(json.dumps(before.to_dict()))["nodes"][0]["kind"] == "run"


def test_labels_cannot_leave_their_quotes(memory: memp.Memory, run: Run) -> None:
    """A task from anywhere is shown as text, in either language."""
    evil = 'say "];n1-->x; <b>`#1`</b> \\" & \x1b[2J\u202e' + "very " * 30 + "long"
    memory.learn([run(evil, "heat")])
    [name] = [procedure.name for procedure in memory.procedures()]
    graph = memory.lineage(name)
    for line in graph.to_mermaid().splitlines():
        inside = re.findall(r'"(.*)"', line)
        assert not set("".join(inside)) & set('"<>`&\x1b\u202e')
    dot = graph.to_dot()
    assert not set(dot) & {"\x1b", "\u202e"}
    assert re.search(r'label="#2 won: say \\"\];n1', dot)
    assert all(len(node.label) > 100 or "…" not in node.label for node in graph.nodes)


def test_what_was_purged_is_drawn_as_that(life: Any) -> None:
    """A run or a revision without its body keeps its place."""
    content = Content(task="t", script="go")
    key = ContentKey("k")
    run = memp.Trajectory(task="Mr Smith's task", steps=[], reward=1.0)
    recorded = life.tell(TrajectoryRecorded(trajectory_id=TrajectoryId("t"), digest=run.digest, trajectory=run))
    one = life.tell(
        ProcedureAdded(
            procedure_id=P,
            name="n",
            builder="hand",
            content_key=key,
            content=content,
            sources=(TrajectoryId("t"),),
        ),
        recorded,
    )
    base: dict[str, Any] = {
        "procedure_id": P,
        "content_key": key,
        "content": content,
        "critique": "c",
        "candidate": False,
    }
    two = life.tell(ProcedureReflected(**base, base=one), one)
    life.tell(ProcedureReflected(**base, base=two), two)
    state = life.without_bodies(recorded, two)
    assert drawn(lineage(state, P)) == [
        ("#1 What it said was purged.", "from", "#2 procedure-added by me"),
        ("#2 procedure-added by me", "made", "revision #2 (superseded)"),
        ("revision #2 (superseded)", "of", "n (live)"),
        ("#3 procedure-reflected. What it said was purged.", "from", "#4 procedure-reflected by me"),
        ("#4 procedure-reflected by me", "made", "revision #4 (active, tainted)"),
        ("revision #4 (active, tainted)", "active", "n (live)"),
    ]
    left = lineage(life.without_bodies(recorded, one, two), P)
    assert [node.label for node in left.nodes if node.kind == "procedure"] == ["p (undone)"]
