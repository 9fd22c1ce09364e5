"""Reading games needs no engine."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memp.errors import InvalidInputError
from memp.evaluation.alfworld import AlfworldGame, read_games
from memp.evaluation.alfworld.games import OLDER, choose
from memp.evaluation.environment import Task

PUT, HEAT = "pick_and_place_simple", "pick_heat_then_place_in_recep"


def row(id_: str, type_: str = PUT) -> dict[str, Any]:
    """Return a game as it is packed."""
    return {
        "id": id_,
        "task": "put a mug in desk",
        "task_type": type_,
        "task_sentence": "Your task is to: put a mug in desk.",
        "pddl_problem": f"(define (problem {id_}))",
        "pddl_params": {"object_target": "Mug", "toggle_target": None},
    }


def unpack(folder: Path, name: str, *, type_: str = PUT, **data: Any) -> None:
    """Write a game as the benchmark's folder holds it."""
    (folder / name).mkdir(parents=True)
    game = {
        "pddl_domain": "(define (domain d))",
        "grammar": '{"rhs": "Your task is to: put a mug in desk."}',
        "pddl_problem": f"(define (problem {name[-1]}))",
        "solvable": True,
    } | data
    (folder / name / "game.tw-pddl").write_text(json.dumps(game))
    described = {"task_type": type_, "pddl_params": {"object_target": "Mug"}}
    (folder / name / "traj_data.json").write_text(json.dumps(described))


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz"])
def test_packed_games_are_tasks_with_the_sentence_in_the_grammar(
    pack: Callable[[list[str]], Path], ending: str
) -> None:
    """Every line is a task, by id, and its sentence stands where the grammar leaves room for it."""
    folder = pack([json.dumps(row("b")), json.dumps(row("a", HEAT))])
    if ending.endswith(".gz"):
        lines = (folder / "small.jsonl").read_bytes()
        (folder / "small.jsonl").unlink()
        (folder / "small.jsonl.gz").write_bytes(gzip.compress(lines))
    tasks = read_games(folder, "small")
    assert [(task.id, task.type, task.text) for task in tasks] == [
        ("a", HEAT, "put a mug in desk"),
        ("b", PUT, "put a mug in desk"),
    ]
    game = tasks[0].setting
    assert isinstance(game, AlfworldGame)
    assert game.grammar == '"task": "Your task is to: put a mug in desk." "move {o} to {r}"'
    assert dict(game.params) == {"object_target": "Mug", "toggle_target": "", "task_type": HEAT}


@pytest.mark.parametrize("above", ["", "json_2.1.1"])
def test_the_benchmarks_folder_gives_its_solvable_games_of_the_six_types(tmp_path: Path, above: str) -> None:
    """Sliced, movable, unsolvable and other games are left out, as the benchmark leaves them out."""
    split = tmp_path / above / "train"
    unpack(split, "put-Mug/trial_1")
    unpack(split, "put-Mug/trial_2", solvable=False)
    unpack(split, "put-MugSliced/trial_3")
    unpack(split, "pick_and_place_with_movable_recep-Mug/trial_4")
    unpack(split, "other/trial_5", type_="pick_and_dance")
    tasks = read_games(tmp_path, "train")
    assert [(task.id, task.text, task.type) for task in tasks] == [("put-Mug/trial_1", "put a mug in desk", PUT)]


def test_a_folder_without_such_games_is_refused(tmp_path: Path) -> None:
    """What lies there instead is named."""
    (tmp_path / "valid_seen.txt").touch()
    with pytest.raises(InvalidInputError, match=r"valid_seen\.jsonl\.gz, or a folder 'valid_seen'.*valid_seen\.txt"):
        read_games(tmp_path, "valid_seen")
    with pytest.raises(InvalidInputError, match="it is no folder"):
        read_games(tmp_path / "nowhere", "train")
    (tmp_path / "train").mkdir()
    with pytest.raises(InvalidInputError, match="there are none"):
        read_games(tmp_path, "train")


@pytest.mark.parametrize(
    ("line", "named"),
    [("{", "line 2"), ('{"id": "a"}', "KeyError"), ("[]", "TypeError"), (json.dumps(row("")), "id")],
)
def test_a_line_that_is_no_game_is_named(pack: Callable[[list[str]], Path], line: str, named: str) -> None:
    """The file, the line and what is wrong with it."""
    with pytest.raises(InvalidInputError, match=named):
        read_games(pack([json.dumps(row("b")), line]), "small")


def test_packed_games_need_their_two_files(pack: Callable[[list[str]], Path]) -> None:
    """A missing grammar is told by name."""
    folder = pack([json.dumps(row("b"))])
    (folder / "alfred_grammar_template.txt").unlink()
    with pytest.raises(InvalidInputError, match=r"alfred_grammar_template\.txt"):
        read_games(folder, "small")


def test_a_folder_game_that_names_no_task_is_refused(tmp_path: Path) -> None:
    """Without the sentence there is nothing to ask of an agent."""
    unpack(tmp_path / "train", "put-Mug/trial_1", grammar="{}")
    with pytest.raises(InvalidInputError, match="no task is named"):
        read_games(tmp_path, "train")


def test_choosing_takes_the_types_in_turn_and_the_seed_decides_which() -> None:
    """A choice of six of two types holds three of each; asked for more than there is, it holds all."""
    tasks = [Task(id=f"{type_}/{n}", text="t", type=type_) for type_ in (PUT, HEAT) for n in range(9)]
    chosen = choose(tasks, 6, seed=1)
    assert Counter(task.type for task in chosen) == {PUT: 3, HEAT: 3}
    assert chosen == choose(tasks, 6, seed=1)
    assert chosen != choose(tasks, 6, seed=2)
    assert sorted(choose(tasks, 99, seed=1), key=lambda task: task.id) == sorted(tasks, key=lambda task: task.id)


def test_a_dialect_changes_the_words_of_putting_and_back() -> None:
    """Newer to older and back is the identity."""
    game = AlfworldGame(domain="", grammar='template :: "move {o} to {r}"; You arrive at {r.name}. #x#', problem="")
    older = game.speaking(OLDER)
    assert older.grammar == 'template :: "put {o} in/on {r}"; You arrive at {lend.name}. #x#'
    assert older.speaking(OLDER) == older
    assert older.speaking("newer") == game
