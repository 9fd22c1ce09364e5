"""The commands that carry a store elsewhere or take something out of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import memp

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with two procedures."""
    tasks = ["put a hot mug in the cabinet", "put a cold egg on the shelf"]
    step = memp.Step(action="look", observation="Done.")
    with memp.open(tmp_path / "agent.duckdb") as memory:
        memory.learn([memp.Trajectory(task=task, steps=[step], reward=1.0) for task in tasks])
    return tmp_path / "agent.duckdb"


def test_a_store_goes_out_and_comes_back(run: Run, store: Path, tmp_path: Path) -> None:
    """Export and import say what they wrote, to people and to programs, and the head is the same."""
    code, out, _ = run("export", store, tmp_path / "a.jsonl.zst", "--json")
    assert code == 0
    said = json.loads(out)
    code, out, _ = run("import", tmp_path / "a.jsonl.zst", tmp_path / "new.duckdb", "--json")
    assert code == 0
    made = json.loads(out)
    assert made["store"] == str(tmp_path / "new.duckdb")
    assert all(made[name] == said[name] for name in ("head", "events", "vectors"))
    assert run("head", tmp_path / "new.duckdb")[1].strip() == said["head"]
    code, out, _ = run("export", store, tmp_path / "b.jsonl")
    assert f"Head: {said['head']}" in out
    code, out, _ = run("import", tmp_path / "b.jsonl", tmp_path / "other.duckdb")
    assert f"Head: {said['head']}" in out


def test_what_is_no_export_ends_with_five(run: Run, store: Path, tmp_path: Path) -> None:
    """A damaged export is something to look at, one that is not there is not, and a store is never replaced."""
    (tmp_path / "a.jsonl").write_text("hello\n")
    code, _, err = run("import", tmp_path / "a.jsonl", tmp_path / "new.duckdb")
    assert code == 5
    assert "a.jsonl:1" in err
    assert run("import", tmp_path / "none.jsonl", tmp_path / "new.duckdb")[0] == 3
    assert run("export", store, tmp_path / "a.jsonl")[0] == 2
    assert run("export", store, tmp_path / "good.jsonl")[0] == 0
    assert run("import", tmp_path / "good.jsonl", store)[0] == 2


def test_a_purge_shows_first_and_removes_then(run: Run, store: Path, tmp_path: Path) -> None:
    """A dry run writes nothing and lists what would stay; the purge says what it removed and by which event."""
    with memp.open(store, read_only=True) as memory:
        name, trajectory = memory.procedures()[0].name, memory.procedures()[0].revision.sources[0]
        head = memory.head()
    run("backup", store, tmp_path / "copy.duckdb")
    code, out, _ = run("purge", store, "--procedure", name, "--dry-run")
    assert code == 0
    assert "Would remove 1 event" in out
    assert f"trajectory/{trajectory}" in out
    assert "copy.duckdb" in out
    assert run("head", store)[1].strip() == str(head)
    planned = json.loads(run("purge", store, "--procedure", name, "--sources", "--dry-run", "--json")[1])
    code, out, _ = run("purge", store, "--procedure", name, "--sources", "--reason", "request 4711", "--json")
    assert code == 0
    done = json.loads(out)
    assert {**done, "event": None} == planned
    assert run("verify", store, "--expect", str(head))[0] == 0
    assert "(purged)" in run("log", store)[1]
    assert json.loads(run("log", store, "--type", "content-purged", "--json")[1])[0]["event_id"] == done["event"]
    [id] = done["procedures"]
    code, _, err = run("show", store, id)
    assert code == 3
    assert "purged for good" in err
    code, _, err = run("purge", store, "--procedure", id, "--reason", "request 4712")
    assert code == 4
    code, out, _ = run("purge", store, "--trajectory", trajectory, "--derived", "--reason", "request 4713")
    assert code == 4


def test_a_purge_by_run_names_what_it_leaves(run: Run, store: Path) -> None:
    """The procedure that repeats a run is named, so that nobody takes the run for gone."""
    with memp.open(store, read_only=True) as memory:
        procedure = memory.procedures()[0]
    code, out, _ = run("purge", store, "--trajectory", procedure.revision.sources[0], "--reason", "request 4711")
    assert code == 0
    assert "Made from it, and kept" in out
    assert f"procedure/{procedure.id}" in out


def test_a_purge_needs_a_reason(run: Run, store: Path) -> None:
    """What stays for ever is asked for by name."""
    code, _, err = run("purge", store, "--procedure", "x")
    assert code == 2
    assert "request 4711" in err
