"""
Games of ALFWorld as values, read from the folder that its download fills, or from packed files.

A game is what the engine needs: a PDDL domain, a grammar that speaks, and a problem that says what stands where and
what must be reached. Domain and grammar are the same text in nearly all games and are held once. The folder of the
benchmark holds one file for each game; the packed form is one line for each, with the two texts beside it.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from typing import TYPE_CHECKING, Any

import attrs

from memp.errors import InvalidInputError
from memp.evaluation.environment import Task
from memp.evaluation.household.scene import TASK_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NEWER, OLDER = "newer", "older"
DIALECTS = (NEWER, OLDER)
"""How games speak: "move X to Y" and "You arrive at desk 2" since version 0.4, "put X in/on Y" and "loc 5" before."""

DOMAIN_FILE, GRAMMAR_FILE, TASK_MARK = "alfred_domain.pddl", "alfred_grammar_template.txt", "@@TASK@@"
"""What lies beside packed games, and where in the grammar a game's sentence goes."""

_DIALECT_WORDS = (
    ('"move {o} to {r}"', '"put {o} in/on {r}"'),
    ("You move the {o.name} to the {r.name}.", "You put the {o.name} in/on the {r.name}."),
    ("You arrive at {r.name}. ", "You arrive at {lend.name}. "),
    ("move (object) to (receptacle):  place an object", "put (object) in/on (receptacle): place an object"),
)
"""Where the grammars of the two dialects differ, newer first."""

_SENTENCE = re.compile(r"Your task is to: (.+?)\.?\"")
_LEFT_OUT = re.compile(r"movable|Sliced")


@attrs.frozen(kw_only=True)
class AlfworldGame:
    """
    One game: the ``setting`` of its task.

    Attributes:
        domain: The rules, in PDDL.

        grammar: How commands and answers are worded; the task's sentence is in it.

        problem: What stands where, and the goal, in PDDL.

        params: What the task is about, by the names of the benchmark (``object_target`` and others); for the expert.
    """

    domain: str = attrs.field(repr=False)
    grammar: str = attrs.field(repr=False)
    problem: str = attrs.field(repr=False)
    params: tuple[tuple[str, str], ...] = ()

    def speaking(self, dialect: str) -> AlfworldGame:
        """Return the game with the wordings of *dialect*, one of :data:`DIALECTS`."""
        grammar = self.grammar
        for newer, older in _DIALECT_WORDS:
            said, meant = (newer, older) if dialect == OLDER else (older, newer)
            grammar = grammar.replace(said, meant)
        return attrs.evolve(self, grammar=grammar)


def read_games(folder: Path, split: str) -> tuple[Task, ...]:
    """
    Return the games of *split* as tasks, sorted by id.

    Args:
        folder: The folder of the benchmark (``ALFWORLD_DATA``, or the ``json_2.1.1`` in it), or one that holds packed
            games as ``<split>.jsonl.gz`` or ``<split>.jsonl`` with ``alfred_domain.pddl`` and
            ``alfred_grammar_template.txt``.

        split: ``train``, ``valid_seen``, ``valid_unseen`` or whatever lies there.

    Raises:
        InvalidInputError: There are no such games, or a file is not what it should be.
    """
    for name in (f"{split}.jsonl.gz", f"{split}.jsonl"):
        if (folder / name).is_file():
            tasks = list(_packed(folder, folder / name))
            break
    else:
        for place in (folder / split, *sorted(folder.glob(f"json_*/{split}"))):
            if place.is_dir():
                tasks = list(_unpacked(place))
                break
        else:
            raise InvalidInputError(
                f"'games' must hold {split}.jsonl.gz, or a folder {split!r} as alfworld-download makes it "
                f"(got {str(folder)!r}, which holds {_listed(folder)}). Name another folder or another split."
            )
    if not tasks:
        raise InvalidInputError(f"There must be games in split {split!r} of {str(folder)!r} (there are none).")
    return tuple(sorted(tasks, key=lambda task: task.id))


def choose(tasks: Sequence[Task], n: int, *, seed: int) -> tuple[Task, ...]:
    """Return *n* of *tasks*, or all if there are fewer: the types in turn, each in an order that *seed* decides."""
    waiting: dict[str | None, list[Task]] = {}
    for task in tasks:
        waiting.setdefault(task.type, []).append(task)
    for type_, same in waiting.items():
        random.Random(f"{seed}/{type_}").shuffle(same)
    chosen: list[Task] = []
    while len(chosen) < min(n, len(tasks)):
        for same in waiting.values():
            if same and len(chosen) < n:
                chosen.append(same.pop())
    return tuple(chosen)


def _packed(folder: Path, path: Path) -> Iterator[Task]:
    domain, template = (_text(folder / name, path) for name in (DOMAIN_FILE, GRAMMAR_FILE))
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                game = AlfworldGame(
                    domain=domain,
                    grammar=template.replace(TASK_MARK, row["task_sentence"]),
                    problem=row["pddl_problem"],
                    params=_params(row),
                )
                yield Task(id=row["id"], text=row["task"], type=row["task_type"], setting=game)
            except (ValueError, KeyError, TypeError) as error:
                raise _malformed(f"{path}, line {number}", error) from error


def _text(path: Path, beside: Path) -> str:
    if not path.is_file():
        raise InvalidInputError(f"{path.name!r} must lie beside {str(beside)!r} (it does not). Copy it there.")
    return path.read_text("utf-8")


def _unpacked(folder: Path) -> Iterator[Task]:
    """Yield the games of a split of the benchmark's folder: the solvable ones of the six types, as it counts them."""
    texts: dict[str, str] = {}
    for path in sorted(folder.rglob("game.tw-pddl")):
        name = path.parent.relative_to(folder).as_posix()
        described = path.with_name("traj_data.json")
        if _LEFT_OUT.search(name) or not described.is_file():
            continue
        try:
            row, data = json.loads(described.read_text("utf-8")), json.loads(path.read_text("utf-8"))
            if row["task_type"] not in TASK_TYPES or not data.get("solvable", True):
                continue
            domain = texts.setdefault(data["pddl_domain"], data["pddl_domain"])
            game = AlfworldGame(
                domain=domain, grammar=data["grammar"], problem=data["pddl_problem"], params=_params(row)
            )
            sentence = _SENTENCE.search(game.grammar)
            if sentence is None:
                raise ValueError("no task is named in the grammar")
            yield Task(id=name, text=sentence[1], type=row["task_type"], setting=game)
        except (ValueError, KeyError, TypeError) as error:
            raise _malformed(str(path.parent), error) from error


def _params(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what the task of *row* is about; the empty text stands for what it has none of."""
    params = {"task_type": row["task_type"]} | {name: value or "" for name, value in row["pddl_params"].items()}
    return tuple(sorted((name, str(value)) for name, value in params.items()))


def _malformed(where: str, error: Exception) -> InvalidInputError:
    return InvalidInputError(f"{where} must describe a game of ALFWorld (got {type(error).__name__}: {error}).")


def _listed(folder: Path) -> str:
    if not folder.is_dir():
        return "nothing: it is no folder"
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:8]) + (" …" if len(names) > 8 else "") if names else "nothing"
