"""The commands about the store itself, as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import memp

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of two runs."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn(
            [memp.Trajectory(task=f"fold the {n}", steps=[memp.Step(action=n)], reward=1.0) for n in ("map", "tent")]
        )
    return path


def test_verify_says_that_all_is_well(run: Run, store: Path) -> None:
    """It counts what it checked, prints the head, and accepts the head that was kept."""
    head = run("head", store)[1].strip()
    code, out, _ = run("verify", store, "--expect", head)
    assert code == 0
    assert "all as written" in out
    assert f"Head: {head}" in out
    said = json.loads(run("verify", store, "--json")[1])
    assert (said["ok"], f"{said['position']}:{said['digest']}", said["problems"]) == (True, head, [])
    assert json.loads(run("head", store, "--json")[1]) == {"position": said["position"], "digest": said["digest"]}


def test_verify_names_what_is_wrong(run: Run, store: Path) -> None:
    """The exit code is that of a damaged store; in words the list is cut, in JSON it is not."""
    with duckdb.connect(str(store)) as connection:
        connection.execute("drop trigger vectors_no_delete on vectors")
        connection.execute("drop trigger records_no_update on records")
        connection.execute("update records set header = replace(header, 'user', 'nobody') where position = 2")
        connection.execute("insert into vectors select 'x-1', encode(range::varchar), 'v' from range(60)")
    code, out, _ = run("verify", store)
    assert code == 5
    assert "61 problems" in out
    assert "more; --json shows all" in out
    code, out, _ = run("verify", store, "--json")
    assert code == 5
    problems = json.loads(out)["problems"]
    assert len(problems) == 61
    assert (problems[-1]["position"], problems[-1]["what"]) == (2, "record")
    code, _, err = run("verify", store, "--expect", "nonsense")
    assert code == 2
    assert "POSITION:DIGEST" in err


def test_doctor_explains_and_adopts(run: Run, store: Path) -> None:
    """A store without its witness cannot be written; the doctor says so, and what to do, and does it when told to."""
    assert run("doctor", store)[0] == 0
    assert run("doctor", store, "--adopt")[0] == 2
    store.with_name("agent.duckdb.witness").unlink()
    code, _, err = run("erase", store, "fold-the-map", "--reason", "r")
    assert (code, "memp doctor --adopt" in err) == (5, True)
    code, out, _ = run("doctor", store)
    assert code == 5
    assert "unwitnessed" in out
    assert json.loads(run("doctor", store, "--json")[1])["verdict"] == "unwitnessed"
    code, out, _ = run("doctor", store, "--adopt", "--reason", "copied by hand", "--actor", "keeper")
    assert code == 0
    assert "Accepted by event" in out
    said = json.loads(run("log", store, "--type", "loss-accepted", "--json")[1])
    assert "copied by hand" in json.dumps(said)
    assert run("erase", store, "fold-the-map", "--reason", "r")[0] == 0
    said = json.loads(run("doctor", store, "--json")[1])
    assert (said["verdict"], said["witness"], len(said["quarantine"])) == ("healthy", said["head"], 1)


def test_warnings_are_told_in_words(store: Path) -> None:
    """What is read although something is the matter comes with a warning, and without a line of memp's own source."""
    store.with_name("agent.duckdb.witness").unlink()
    done = subprocess.run(
        [sys.executable, "-c", "from memp.cli import main; main()", "list", str(store)], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stderr.startswith("Warning: Reading what is there: no valid witness")
    assert ".py" not in done.stderr


def test_a_snapshot_is_written_and_listed(run: Run, store: Path) -> None:
    """It says where it is and how far it goes; the doctor names it with its size."""
    code, out, _ = run("snapshot", store)
    assert code == 0
    assert "agent.duckdb.5.snapshot" in out
    assert "up to position 5" in out
    said = json.loads(run("snapshot", store, "--json")[1])
    file = Path(said["file"])
    assert (file.name, said["position"], said["bytes"]) == ("agent.duckdb.5.snapshot", 5, file.stat().st_size)
    assert json.loads(run("doctor", store, "--json")[1])["bytes"][file.name] == said["bytes"]
    assert file.name in run("doctor", store)[1]
    assert run("snapshot", store.with_name("none.duckdb"))[0] == 3


def test_doctor_shows_recall(run: Run, store: Path) -> None:
    """Of a whole store the doctor also says how its texts are searched, and how many of the nearest are found."""
    code, out, _ = run("doctor", store)
    assert (code, "recall@10" in out) == (0, True)
    searches = {one["kind"]: one for one in json.loads(run("doctor", store, "--json")[1])["search"]}
    assert set(searches) == {"task", "pattern", "fact"}
    assert (searches["task"]["recall"], searches["task"]["in_graphs"]) == (1.0, 0)


def test_backup_and_back_again(run: Run, store: Path) -> None:
    """A copy is written beside, never over; putting it back says what it lacks and where the rest is kept."""
    copy = store.with_name("copy.duckdb")
    code, out, _ = run("backup", store, copy)
    assert (code, "Keep its head elsewhere" in out) == (0, True)
    assert run("backup", store, copy)[0] == 2
    run("erase", store, "fold-the-map", "--reason", "r")
    code, out, _ = run("restore-backup", copy, store)
    assert code == 0
    assert "is not in the copy" in out
    assert "is kept in" in out
    assert run("head", store)[1] == run("head", copy)[1]
    said = json.loads(run("restore-backup", copy, store, "--json")[1])
    assert f"{said['position']}:{said['digest']}" == said["before"]
    assert json.loads(run("backup", store, store.with_name("other.duckdb"), "--json")[1])["copy"].endswith(
        "other.duckdb"
    )


@pytest.mark.parametrize("command", ["verify", "head", "doctor"])
def test_a_store_in_use_names_who_uses_it(run: Run, store: Path, command: str) -> None:
    """The exit code is that of a conflict, except for the doctor, who says that it is no damage."""
    with memp.open(store):
        code, out, err = run(command, store)
        assert "writing since" in out + err
        assert code == (0 if command == "doctor" else 4)
    assert run(command, store.with_name("none.duckdb"))[0] == 3
