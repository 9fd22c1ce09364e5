"""The commands about versions and reasons, run as a user runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import memp
from memp.cli.main import cli

Run = Callable[..., tuple[int, str, str]]

SOUP = "warm-the-soup"
SCRIPT = '@procedure("warm {thing}")\ndef warm(thing: Text):\n    do("stir it")\n    do(f"heat {thing}")\n'


def lived(task: str, action: str, agent: str) -> memp.Trajectory:
    """A recorded run."""
    return memp.Trajectory(task=task, steps=[memp.Step(action=action)], reward=1.0, agent=agent)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with two procedures, outcomes, and a revision that a critic wrote after the tag v1."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn([lived("warm the soup", "heat soup 1", agent) for agent in ("a", "b")])
        memory.learn([lived("look at a book", "look", "a")])
        memory.validate(SOUP, success=True)
        memory.tag("v1")
    with memp.open(path, actor="critic") as memory:
        memory.reflect(SOUP, script=SCRIPT, critique="Nobody stirred", activate=True)
    return path


def events(store: Path, type: str) -> list[memp.Record]:
    """The records of a type."""
    with memp.open(store, read_only=True) as memory:
        return list(memory.events(type=type))


def test_tags_name_versions(run: Run, store: Path) -> None:
    """A tag is made, moved with a reason only, listed, and read at."""
    code, out, _ = run("tag", store, "now", "--actor", "tester")
    assert (code, "now is position" in out) == (0, True)
    code, _, err = run("tag", store, "v1")
    assert (code, "say why" in err) == (4, True)
    assert run("tag", store, "v1", "--at", "now", "--reason", "It was too early")[0] == 0
    _, out, _ = run("tags", store)
    assert "It was too early" in out
    assert "2 tags." in out
    _, out, _ = run("tags", store, "--json")
    assert [tag["name"] for tag in json.loads(out)] == ["now", "v1"]
    assert events(store, "version-tagged")[1].actor == "tester"


def test_forks_are_made_read_written_promoted_and_hidden(run: Run, store: Path) -> None:
    """What happens on a branch stays there until it is promoted."""
    code, out, _ = run("fork", store, "trial", "--at", "v1")
    assert (code, "trial shares the past of main up to position" in out) == (0, True)
    assert run("erase", store, "look-at-a-book", "--branch", "trial", "--reason", "Nobody reads")[0] == 0
    assert len(json.loads(run("list", store, "--branch", "trial", "--json")[1])) == 1
    assert len(json.loads(run("list", store, "--json")[1])) == 2
    assert "trial" in run("branches", store)[1]
    names = [branch["name"] for branch in json.loads(run("branches", store, "--json")[1])]
    assert names == ["main", "trial"]
    code, out, _ = run("promote", store, "trial", "--reason", "It went well")
    assert (code, out) == (0, "1 event of trial promoted to main.\n")
    assert run("promote", store, "trial", "--reason", "Again")[1] == "Nothing new.\n"
    assert json.loads(run("promote", store, "trial", "--reason", "Again", "--json")[1]) == []
    assert len(json.loads(run("list", store, "--json")[1])) == 1
    code, out, _ = run("delete-branch", store, "trial", "--reason", "Done")
    assert (code, "trial is hidden." in out) == (0, True)
    code, _, err = run("list", store, "--branch", "trial")
    assert (code, "no branch 'trial'" in err) == (3, True)
    assert json.loads(run("fork", store, "other", "--json")[1])["parent"] == "main"


def test_a_promotion_that_conflicts_names_what(run: Run, store: Path) -> None:
    """Both sides changed a procedure: nothing is written."""
    run("fork", store, "trial", "--at", "v1")
    run("erase", store, SOUP, "--branch", "trial", "--reason", "r")
    code, _, err = run("promote", store, "trial", "--reason", "r")
    assert (code, f"{SOUP!r} changed on both" in err) == (4, True)


def test_a_dry_run_prints_what_the_real_run_does(run: Run, store: Path) -> None:
    """Plan and deed print the same, and the procedures become what both said."""
    size = store.stat().st_size
    code, planned, _ = run("undo", store, "--actor", "critic", "--dry-run")
    assert (code, store.stat().st_size) == (0, size)
    assert planned.endswith("Nothing was written (--dry-run).\n")
    code, done, _ = run("undo", store, "--actor", "critic", "--reason", "Wrong", "--as", "judge")
    assert code == 0
    assert done.splitlines()[:-1] == planned.splitlines()[:-1]
    assert done.splitlines()[-1].startswith("Done. Event ")
    [undo] = events(store, "events-undone")
    assert undo.actor == "judge"
    assert run("diff", store, "v1")[1] == "No differences.\n"


@pytest.mark.parametrize("how", [[], ["--cascade"], ["--taint"]])
def test_plan_and_deed_agree_in_every_way(run: Run, store: Path, how: list[str]) -> None:
    """Refused, with its dependents, or keeping them: the dry run tells, and fails where the real one would."""
    with memp.open(store, actor="critic") as memory:
        bad, _ = (
            memory.reflect(SOUP, script=SCRIPT.replace("stir", word), critique="c", activate=True).event_id
            for word in ("shake", "beat")
        )
    before = events(store, "procedure-reflected")[-1].position
    code, planned, planned_err = run("undo", store, bad, *how, "--dry-run")
    got, done, done_err = run("undo", store, bad, *how, "--reason", "r")
    assert (got, done_err) == (code, planned_err)
    if not how:
        assert (code, done) == (4, planned)
        assert "in the way" in planned
        return
    assert code == 0
    assert done.splitlines()[:-1] == planned.splitlines()[:-1]
    shown = planned.split("Procedures:\n")[1].splitlines()[:-1]
    assert run("diff", store, before)[1].splitlines() == shown


def test_undoing_a_source_shows_what_is_built_again(run: Run, store: Path) -> None:
    """The plan of a source says which procedures come back from other runs, and JSON says the same."""
    source = events(store, "trajectory-recorded")[0].data["trajectory_id"]  # type: ignore[index]
    code, planned, _ = run("undo", store, "--source", source, "--dry-run")
    assert (code, f"Built again from the runs that stay: {SOUP}." in planned) == (0, True)
    plan = json.loads(run("undo", store, "--source", source, "--dry-run", "--json")[1])
    done = json.loads(run("undo", store, "--source", source, "--reason", "r", "--json")[1])
    assert plan["record"] is None
    assert done["record"]["type"] == "events-undone"
    assert {key: plan[key] for key in plan if key != "record"} == {key: done[key] for key in done if key != "record"}


def test_an_undo_takes_positions_batches_and_times(run: Run, store: Path) -> None:
    """Events may be named as the log shows them."""
    bad = events(store, "procedure-reflected")[0]
    for named in ([bad.position], ["--batch", bad.event_id], ["--actor", "critic", "--since", "2020-01-01T00:00Z"]):
        plan = json.loads(run("undo", store, *named, "--dry-run", "--json")[1])
        assert plan["undone"] == [bad.event_id]
    code, _, err = run("undo", store, 4711, "--dry-run")
    assert (code, "Position 4711" in err) == (3, True)
    code, _, err = run("undo", store, "--actor", "critic", "--until", "2020-01-01T00:00Z", "--dry-run")
    assert (code, "nothing in force" in err) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["1", "--cascade", "--taint", "--dry-run"], "exclude each other"),
        (["1"], "--reason"),
        (["--dry-run"], "An undo takes one of"),
        (["1", "--source", "x", "--dry-run"], "An undo takes one of"),
    ],
)
def test_an_undo_that_is_not_clear_is_refused(run: Run, store: Path, arguments: list[str], said: str) -> None:
    """Nothing is guessed."""
    code, out, err = run("undo", store, *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_deriving_anew_shows_what_differs(run: Run, store: Path) -> None:
    """A fork from the stored runs, and what a person had changed that is not on it."""
    code, out, _ = run("rederive", store, "again", "--policy", "vanilla", "--reason", "To see")
    assert (code, "again holds 2 procedures. From main to again:" in out) == (0, True)
    assert f"~ {SOUP}" in out
    whole = json.loads(run("rederive", store, "third", "--build", "verbatim", "--json")[1])
    assert (whole["procedures"], whole["diff"]["changed"]) == (2, 1)
    assert run("rederive", store, "again")[0] == 4
    assert json.loads(run("diff", store, "main", "again", "--json")[1])["changed"] == 1


def test_diff_blame_why_and_lineage(run: Run, store: Path) -> None:
    """What changed, who wrote it, why it is so and where it comes from, for people and for programs."""
    code, out, _ = run("diff", store, "v1")
    assert (code, f"~ {SOUP}" in out, 'do("stir it")' in out) == (0, True, True)
    assert json.loads(run("diff", store, "v1", "main", "--json")[1])["changed"] == 1
    code, out, _ = run("blame", store, SOUP)
    assert (code, 'do("stir it")' in out, "Rewritten: Nobody stirred." in out) == (0, True, True)
    assert json.loads(run("blame", store, SOUP, "--json", "--at", "v1")[1])["lines"][0]["text"] == "heat soup 1"
    code, out, _ = run("why", store, SOUP)
    assert (code, "Recorded 2 runs, 2 won: warm the soup." in out) == (0, True)
    told = json.loads(run("why", store, SOUP, "--json")[1])["told"]
    assert [one["type"] for one in told] == [
        "trajectory-recorded",
        "procedure-added",
        "procedure-validated",
        "procedure-reflected",
    ]
    code, out, _ = run("lineage", store, SOUP)
    assert (code, "revision" in out, "won: warm the soup" in out) == (0, True, True)
    assert run("lineage", store, SOUP, "--format", "mermaid")[1].startswith("flowchart LR\n")
    assert run("lineage", store, SOUP, "--format", "dot")[1].startswith("digraph lineage {\n")
    assert json.loads(run("lineage", store, SOUP, "--json", "--at", "v1")[1])["nodes"]


def test_sql_answers_and_refuses(run: Run, store: Path) -> None:
    """A table for people, rows for programs, and one line for what is no question."""
    code, out, _ = run("sql", store, "select name, support, toolset from procedures order by name")
    assert (code, out.splitlines()[-1]) == (0, "2 rows.")
    assert out.splitlines()[1].split() == ["look-at-a-book", "1"]
    whole = json.loads(run("sql", store, "select count(*) from evidence", "--json", "--at", "v1")[1])
    assert whole == {"columns": ["count_star()"], "rows": [[1]], "truncated": False}
    assert "there are more" in run("sql", store, "select position from events", "--rows", 1)[1]
    assert run("sql", store, "select 1 where false")[1] == "0 rows.\n"
    for query in ("drop table events", "selec", "select * from read_csv('/etc/passwd')"):
        code, out, err = run("sql", store, query)
        assert (code, out, "Traceback" in err) == (2, "", False)


def test_the_past_is_read_at_any_version(run: Run, store: Path) -> None:
    """Every reading command takes a tag, a position, an event id or a time, and a branch."""
    [bad] = events(store, "procedure-reflected")
    for view in ("v1", bad.position - 1):
        assert json.loads(run("show", store, SOUP, "--at", view, "--json")[1])["script"] is None
        assert len(json.loads(run("log", store, "-n", 0, "--at", view, "--json")[1])) < bad.position
    for view in ("main", bad.event_id, "2100-01-01T00:00Z"):
        assert json.loads(run("show", store, SOUP, "--at", view, "--json")[1])["script"] == SCRIPT
    assert "heat soup 1" in run("ask", store, "warm the soup", "--at", "v1")[1]
    assert "stir it" in run("ask", store, "warm the soup")[1]
    code, _, err = run("ask", store, "warm the soup", "--at", "v7")
    assert (code, "no version 'v7'" in err) == (3, True)


def test_every_command_knows_branches() -> None:
    """Whatever reads procedures takes --at and --branch, and whatever writes takes --branch."""
    reading = {"ask", "list", "show", "log", "blame", "why", "lineage", "sql"}
    by_hand = {"add", "validate", "reflect", "erase", "unerase", "merge"}
    writing = by_hand | {"learn", "tag", "fork", "promote", "undo", "rederive"}
    for name in reading | writing:
        options = {parameter.name for parameter in cli.commands[name].params if isinstance(parameter, click.Option)}
        assert "branch" in options, name
        assert name in writing or "at" in options, name


def test_learning_on_a_branch_makes_no_store(run: Run, store: Path, tmp_path: Path) -> None:
    """A branch of a store that is not there is a mistake."""
    runs = tmp_path / "runs.jsonl"
    runs.write_text(json.dumps({"task": "boil an egg", "steps": [{"action": "boil egg 1"}], "reward": 1}))
    missing = tmp_path / "missing.duckdb"
    assert run("learn", missing, runs, "--branch", "trial")[0] == 3
    assert not missing.exists()
    run("fork", store, "trial")
    assert run("learn", store, runs, "--branch", "trial")[0] == 0
    assert len(json.loads(run("list", store, "--json")[1])) == 2


@pytest.mark.parametrize(
    "call",
    [
        ["tag", "{}", "n"],
        ["tags", "{}"],
        ["branches", "{}"],
        ["fork", "{}", "n"],
        ["promote", "{}", "n", "--reason", "r"],
        ["delete-branch", "{}", "n", "--reason", "r"],
        ["undo", "{}", "1", "--reason", "r"],
        ["undo", "{}", "1", "--dry-run"],
        ["rederive", "{}", "n"],
        ["diff", "{}", "1"],
        ["blame", "{}", "p"],
        ["why", "{}", "p"],
        ["lineage", "{}", "p"],
        ["sql", "{}", "select 1"],
    ],
)
def test_none_of_these_makes_a_store(run: Run, tmp_path: Path, call: list[str]) -> None:
    """A mistyped path is an error, never a new and empty store."""
    missing = tmp_path / "missing.duckdb"
    code, _, err = run(*(part.format(missing) for part in call))
    assert (code, "There is no store" in err) == (3, True)
    assert not missing.exists()


def test_control_characters_never_reach_a_terminal(run: Run, tmp_path: Path) -> None:
    """What a run, a critic or an author wrote cannot move the cursor or turn a line around."""
    evil = "warm \x1b[2J\x1b]0;owned\x07 the \u202esoup\u202c now\r"
    store = tmp_path / "evil.duckdb"
    with memp.open(store, actor=evil) as memory:
        memory.learn([lived(evil, evil, "a")])
        [name] = [procedure.name for procedure in memory.procedures()]
        memory.tag("v1", reason=evil)
        bad = memory.reflect(name, script=f"do({evil!r})".replace("\\", "\\\\"), critique=evil, activate=True)
        memory.fork("trial", reason=evil)
    calls: list[list[object]] = [
        ["tags", store],
        ["branches", store],
        ["diff", store, 3],
        ["diff", store, 0],
        ["blame", store, name],
        ["blame", store, name, "--at", "v1"],
        ["why", store, name],
        ["lineage", store, name],
        ["lineage", store, name, "--format", "dot"],
        ["lineage", store, name, "--format", "mermaid"],
        ["sql", store, "select actor, body from events"],
        ["undo", store, bad.event_id, "--dry-run"],
        ["why", store, name, "--json"],
    ]
    for call in calls:
        code, out, _ = run(*call)
        assert code == 0
        assert not set(out) & set("\x1b\x07\r\u202e\u202c"), call
