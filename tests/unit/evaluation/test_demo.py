"""The demo: the same for a seed, the same tasks in every arm, and a store that is whole whatever happens to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import memp
from memp.evaluation import demo, story
from memp.evaluation.agent import STEPS_MAX, play
from memp.evaluation.demo import ARMS, MEMORY, NOTHING, TASKS_MAX, WRONG, Demo, Outcome, run_demo, score
from memp.evaluation.household import TASK_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SMALL = 18
"""Three tasks of each type, learned in two rounds."""


@pytest.fixture(scope="module", autouse=True)
def short_story() -> Iterator[None]:
    """What comes after the first learning is short here; ``test_story`` tells it whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(story, "EPISODES", 2)
        patch.setattr(story, "SLIPS_AFTER", 1)
        patch.setattr(story, "_write", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the store of the small demo."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def small(folder: Path) -> Demo:
    """A small demo, run once."""
    return run_demo(folder / "small.duckdb", seed=3, tasks=SMALL)


def knowledge(store: Path) -> tuple[str, list[str]]:
    """Return the state digest of a store and the digests of the runs in it, sorted."""
    with memp.open(store, read_only=True) as memory:
        runs = [record.data["digest"] for record in memory.events(type="trajectory-recorded") if record.data]
        return memory.state_digest(), sorted(runs)


def test_every_arm_does_the_same_new_tasks(small: Demo) -> None:
    """Arms differ in what is served and in nothing else: tasks, their order and their number are the same."""
    assert tuple(small.outcomes) == ARMS
    tasks = {arm: [(outcome.task_id, outcome.type) for outcome in small.outcomes[arm]] for arm in ARMS}
    assert tasks[NOTHING] == tasks[WRONG] == tasks[MEMORY]
    assert len(set(tasks[NOTHING])) == 3 * SMALL
    assert {type_ for _, type_ in tasks[NOTHING]} == set(TASK_TYPES)


def test_new_tasks_are_new(small: Demo) -> None:
    """No task that is measured on was lived through before."""
    with memp.open(small.store, read_only=True) as memory:
        lived = {
            record.data["trajectory"]["task_id"]
            for record in memory.at("v1").events(type="trajectory-recorded")
            if record.data is not None
        }
    assert len(lived) == small.lived == SMALL
    assert not lived & {outcome.task_id for outcome in small.outcomes[MEMORY]}


def test_the_arms_are_served_what_they_are_called(small: Demo) -> None:
    """Nothing is nothing; what is wrong was never learned from a run of the task's type."""
    with memp.open(small.store, read_only=True) as memory:
        types = {
            record.data["trajectory_id"]: record.data["trajectory"]["task_type"]
            for record in memory.events(type="trajectory-recorded")
            if record.data is not None
        }
        known = {p.name: {types[source] for source in p.sources} for p in memory.procedures()}
    assert all(outcome.served == () for outcome in small.outcomes[NOTHING])
    assert all(outcome.type not in known[name] for outcome in small.outcomes[WRONG] for name in outcome.served)
    assert all(outcome.served for outcome in small.outcomes[WRONG])
    assert any(outcome.type in known[outcome.served[0]] for outcome in small.outcomes[MEMORY])


def test_the_seed_decides_every_figure(small: Demo, tmp_path: Path) -> None:
    """The same seed in another store gives the same outcomes, procedures and choice; another seed gives others."""
    again = run_demo(tmp_path / "again.duckdb", seed=3, tasks=SMALL)
    assert again.outcomes == small.outcomes
    assert (again.lived_won, again.procedures) == (small.lived_won, small.procedures)
    assert again.learned is not None
    assert small.learned is not None
    assert again.learned.procedure.name == small.learned.procedure.name
    assert again.learned.solved == small.learned.solved
    other = run_demo(tmp_path / "other.duckdb", seed=4, tasks=SMALL)
    assert other.outcomes != small.outcomes


def test_lost_tasks_count_the_limit_and_all_are_within_it(small: Demo) -> None:
    """Steps can be compared between arms that win different tasks."""
    outcomes = [outcome for arm in ARMS for outcome in small.outcomes[arm]]
    assert all(outcome.steps == STEPS_MAX for outcome in outcomes if not outcome.won)
    assert all(1 <= outcome.steps <= STEPS_MAX for outcome in outcomes)


def test_scores_add_up(small: Demo) -> None:
    """The types together are all tasks, and each figure lies in its interval."""
    for arm in ARMS:
        all_, by_type = small.score(arm), [small.score(arm, type_) for type_ in TASK_TYPES]
        assert (sum(s.n for s in by_type), sum(s.won for s in by_type)) == (all_.n, all_.won)
        for one in (all_, *by_type):
            assert one.success_interval.low <= one.success <= one.success_interval.high
            assert one.steps_interval.low <= one.steps <= one.steps_interval.high


def test_a_score_is_counted_by_hand() -> None:
    """Of four outcomes, shares and means are what they are; of none there is no score."""
    steps = [(True, 10), (True, 20), (False, 50), (False, 50)]
    outcomes = [Outcome(task_id=str(i), type="t", won=won, steps=n, served=()) for i, (won, n) in enumerate(steps)]
    one = score(outcomes)
    assert (one.n, one.won, one.success, one.steps) == (4, 2, 0.5, 32.5)
    with pytest.raises(memp.InvalidInputError):
        score([])


def test_a_comparison_is_paired(small: Demo) -> None:
    """What one arm gains over another is the difference of what they won, and the other way round."""
    gained, lost = small.compare(MEMORY, NOTHING)
    assert gained - lost == small.score(MEMORY).won - small.score(NOTHING).won
    assert small.compare(NOTHING, MEMORY) == (lost, gained)
    assert small.compare(WRONG, WRONG) == (0, 0)


def test_the_procedure_comes_with_its_events_and_its_runs(small: Demo) -> None:
    """The events are about it, and each run that it was built from is there."""
    learned = small.learned
    assert learned is not None
    assert learned.events[0].type == "procedure-added"
    recorded = {record.data["trajectory_id"] for record in learned.sources if record.data is not None}
    assert recorded == set(learned.procedure.sources)
    assert 0 <= learned.solved <= small.compare(MEMORY, NOTHING)[0]


def test_the_memory_is_what_learning_the_runs_gives(small: Demo) -> None:
    """Only won runs become procedures, every run is kept, and the store says who wrote."""
    with memp.open(small.store, read_only=True) as memory:
        records = list(memory.at("v1").events(type="trajectory-recorded"))
        sources = {source for procedure in memory.at("v1").procedures() for source in procedure.sources}
    won = {r.data["trajectory_id"] for r in records if r.data is not None and r.data["trajectory"]["success"]}
    assert sources == won
    assert small.lived_won == len(won)
    assert {record.actor for record in records} == {"demo"}


@pytest.mark.parametrize("tasks", [-1, 0, 5, TASKS_MAX + 1])
def test_a_wrong_number_of_tasks_is_refused(tmp_path: Path, tasks: int) -> None:
    """The error says what it may be and what came, and no store is left behind."""
    with pytest.raises(memp.InvalidInputError, match=rf"'tasks' must be between 6.* and 600 \(got {tasks}\)"):
        run_demo(tmp_path / "new.duckdb", tasks=tasks)
    assert list(tmp_path.iterdir()) == []


def test_an_agent_that_never_wins_leaves_a_demo_without_procedures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing was won nothing is learned, all arms do the same, and there is no procedure to show."""
    monkeypatch.setattr(demo, "play", lambda *arguments: play(*arguments, max_steps=1))
    result = run_demo(tmp_path / "none.duckdb", tasks=6)
    assert (result.lived_won, result.procedures, result.learned) == (0, 0, None)
    assert [o.steps for o in result.outcomes[MEMORY]] == [o.steps for o in result.outcomes[NOTHING]]


# -- the store -------------------------------------------------------------------------------------------------------


def test_running_again_learns_nothing_twice(tmp_path: Path) -> None:
    """The same demo on its own store writes no event and prints the same figures."""
    store = tmp_path / "demo.duckdb"
    first = run_demo(store, tasks=6)
    with memp.open(store, read_only=True) as memory:
        before = memory.position
    second = run_demo(store, tasks=6)
    with memp.open(store, read_only=True) as memory:
        assert memory.position == before
    assert (first.was_there, second.was_there) == (False, True)
    assert second.outcomes == first.outcomes


def test_a_store_with_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    """What somebody else learned, or did to the demo's own procedures, is neither overwritten nor added to."""
    store = tmp_path / "mine.duckdb"
    result = run_demo(store, tasks=6)
    assert result.learned is not None
    with memp.open(store) as memory:
        memory.erase(result.learned.procedure.id, reason="not mine")
        position = memory.position
    for seed in (7, 8):
        with pytest.raises(memp.InvalidInputError, match="holds something else"):
            run_demo(store, seed=seed, tasks=6)
    with memp.open(store, read_only=True) as memory:
        assert memory.position == position


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    """A path that names some other file is an error, and the file is as it was."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear all")
    with pytest.raises(memp.CorruptStoreError):
        run_demo(path, tasks=6)
    assert path.read_text() == "Dear all"


def test_without_a_name_the_next_free_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores and files of the usual name that are not this demo's are passed over and said; its own is found again."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "memp-demo.duckdb").write_text("something of the user's")
    second = run_demo(seed=1, tasks=6)
    third = run_demo(seed=2, tasks=6)
    assert (second.store.name, third.store.name) == ("memp-demo-2.duckdb", "memp-demo-3.duckdb")
    assert [path.name for path in third.passed_over] == ["memp-demo.duckdb", "memp-demo-2.duckdb"]
    again = run_demo(seed=1, tasks=6)
    assert (again.store.name, again.was_there) == ("memp-demo-2.duckdb", True)
    assert (tmp_path / "memp-demo.duckdb").read_text() == "something of the user's"


KILLED = """
import os, signal, sys
from memp.evaluation import demo, story

store, calls = sys.argv[1], int(sys.argv[2])

def progress(what, done, total):
    global calls
    calls -= what == sys.argv[3]
    if calls == 0:
        os.kill(os.getpid(), signal.SIGKILL)

demo.run_demo(store, seed=3, tasks=18, progress=progress)
"""


@pytest.mark.parametrize(
    ("calls", "during"),
    [
        (10, "living through tasks"),
        (1, "learning"),
        (30, "doing new tasks, three times each"),
        (1, "living on, as episodes"),
        (2, "living on, as episodes"),
    ],
)
def test_a_demo_that_is_killed_is_taken_up_again(small: Demo, tmp_path: Path, calls: int, during: str) -> None:
    """Killed while it lives, learns or measures, it leaves no store or a whole one, and the next call ends the same."""
    store = tmp_path / "killed.duckdb"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(store), str(calls), during],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = run_demo(store, seed=3, tasks=SMALL)
    assert again.was_there == (during != "living through tasks")
    assert again.outcomes == small.outcomes
    assert knowledge(store) == knowledge(small.store)
