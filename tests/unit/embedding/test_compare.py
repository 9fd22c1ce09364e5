"""The measure of embedders, on worlds small enough to work it out by hand."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from memp.cli.main import cli
from memp.embedding import HashedEmbedder
from memp.embedding.base import Matrix, normalise
from memp.embedding.compare import CHANCE, compare_embedders
from memp.errors import InvalidInputError
from memp.model import Trajectory


class Told:
    """An embedder that is told where each text lies."""

    name, version, dimension = "told", 1, 2

    def __init__(self, angles: dict[str, float]) -> None:
        self.angles = angles

    def embed(self, texts: Sequence[str]) -> Matrix:
        return normalise(np.array([(np.cos(self.angles[t]), np.sin(self.angles[t])) for t in texts]).reshape(-1, 2))


def runs(*tasks: tuple[str, str | None]) -> list[Trajectory]:
    return [Trajectory(task=task, task_type=kind, steps=()) for task, kind in tasks]


LETTERS = "abcdefghij"
KINDS = {letter: "early" if letter < "f" else "late" for letter in LETTERS}


def test_scores_are_those_worked_out_by_hand() -> None:
    """Of each held-out task the place of the nearest of its kind is found; shares and mean follow from that."""
    # Around a circle the kinds lie mixed, so that some tasks find the wrong one first.
    angles = dict(zip("afbgchdiej", np.linspace(0.0, 3.0, 10).tolist(), strict=True))
    score, chance = compare_embedders(runs(*KINDS.items()), {"x": Told(angles)}, held_out=0.4, seed=3)
    ranks: list[int] | None = None
    for asked in itertools.combinations(LETTERS, 4):
        rest = [letter for letter in LETTERS if letter not in asked]
        places = []
        for one in asked:
            near = sorted(rest, key=lambda other, one=one: abs(angles[other] - angles[one]))  # type: ignore[misc]
            places.append(next(n for n, other in enumerate(near, 1) if KINDS[other] == KINDS[one]))
        shares = (sum(p == 1 for p in places) / 4, sum(p <= 3 for p in places) / 4)
        mean = sum(1 / p for p in places) / 4
        if (score.right_at_1, score.right_at_3) == shares and abs(score.reciprocal_rank - mean) < 1e-9:
            ranks = places
    assert ranks is not None, "no way of holding out four tasks gives these scores"
    assert (score.embedder, score.generation, score.asked, score.remembered, score.kinds) == ("x", "told-1", 4, 6, 2)
    assert chance.embedder == CHANCE


def test_an_embedder_that_knows_is_first_and_one_that_does_not_is_near_chance() -> None:
    """A perfect embedder scores one and comes first; the row of chance is what a blind one gets on average."""
    tasks = [(f"{kind} {n}", kind) for kind in ("heat", "clean", "find") for n in range(60)]
    knows = Told({task: {"heat": 0.1, "clean": 1.0, "find": 2.0}[kind] for task, kind in tasks})
    random = np.random.default_rng(0)
    drawn = []
    for seed in range(20):
        blind = Told({task: float(random.uniform(0, 6)) for task, _ in tasks})
        best, other, chance = compare_embedders(runs(*tasks), {"blind": blind, "knows": knows}, seed=seed)
        assert (best.embedder, best.right_at_1, best.right_at_3, best.reciprocal_rank) == ("knows", 1.0, 1.0, 1.0)
        drawn.append((other.right_at_1, other.right_at_3, other.reciprocal_rank))
        assert chance.right_at_1 == pytest.approx(1 / 3, abs=0.02)
        assert chance.right_at_3 == pytest.approx(1 - (2 / 3) ** 3, abs=0.02)
    np.testing.assert_allclose(
        np.mean(drawn, axis=0), (chance.right_at_1, chance.right_at_3, chance.reciprocal_rank), atol=0.03
    )


def test_a_task_is_on_one_side_only_and_secrets_stay_here() -> None:
    """Runs of the same task count once, runs without a kind not at all, and what an embedder sees is masked."""
    seen: list[str] = []

    class Spy(HashedEmbedder):
        def embed(self, texts: Sequence[str]) -> Matrix:
            seen.extend(texts)
            return super().embed(texts)

    tasks = [(f"write to {letter}@mail.example about {letter}", KINDS[letter]) for letter in LETTERS]
    score, _ = compare_embedders(runs(*tasks, *tasks, ("untold", None)), {"spy": Spy()})
    assert score.asked + score.remembered == len(seen) == len(set(seen)) == 10
    assert all("[masked e-mail]" in text for text in seen)


@pytest.mark.parametrize(
    ("tasks", "held_out", "words"),
    [
        ([], 0.3, "two kinds"),
        ([("a", "x"), ("b", "x"), ("c", "x")], 0.4, "two kinds"),
        ([("a", None), ("b", None)], 0.3, "two kinds"),
        ([("a", "x"), ("b", "y")], 1.0, "'held_out'"),
    ],
)
def test_what_cannot_be_measured_is_refused(tasks: list[tuple[str, str | None]], held_out: float, words: str) -> None:
    """Too few tasks or kinds, and a share that is none, are errors that say what is needed."""
    with pytest.raises(InvalidInputError, match=words):
        compare_embedders(runs(*tasks), {"hashed": HashedEmbedder()}, held_out=held_out)


def test_without_an_embedder_there_is_nothing_to_compare() -> None:
    """At least one embedder must be given."""
    with pytest.raises(InvalidInputError, match="'embedders'"):
        compare_embedders(runs(*KINDS.items()), {})


def test_the_command_prints_a_row_for_each(tmp_path: Path) -> None:
    """``memp embedders compare`` reads run files and prints scores for people and for programs."""
    path = tmp_path / "runs.jsonl"
    told_apart = [(kind, letter) for kind in ("heat", "clean") for letter in "abcdefgh"]
    rows = [{"task": f"{kind} the {letter}", "task_type": kind, "steps": [0][:0]} for kind, letter in told_apart]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    told = CliRunner().invoke(cli, ["embedders", "compare", str(path), "--json"])
    assert told.exception is None, told.exception
    hashed, chance = json.loads(told.output)
    assert (hashed["embedder"], hashed["right_at_1"], chance["embedder"]) == ("hashed", 1.0, "chance")
    shown = CliRunner().invoke(cli, ["embedders", "compare", str(path), "--embedder", "hashed"]).output
    assert "100.0%" in shown
    assert f"{hashed['asked']} tasks of 2 kinds asked among {hashed['remembered']} remembered ones." in shown


def test_on_real_runs_it_is_far_from_chance(shared_data: Path) -> None:
    """On household runs even the lexical embedder finds the right kind far more often than chance."""
    from memp.reading import read_trajectories

    read = list(read_trajectories(shared_data / "alfworld_runs" / "expert_train.jsonl.gz"))
    hashed, chance = compare_embedders(read, {"hashed": HashedEmbedder()})
    assert hashed.right_at_1 > 0.6 > 3 * chance.right_at_1
