"""Changing what compares texts: answers before, between and after, on every branch, whatever happens in the middle."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np
import pytest
from click.testing import CliRunner

import memp
from memp.cli.main import cli
from memp.embedding import HashedEmbedder
from memp.embedding.base import Matrix, check_texts, normalise
from memp.errors import EmbeddingError
from memp.log import MemoryLog
from memp.operations.reembedding import REVISIONS_AT_ONCE


@attrs.define
class Drawn:
    """An embedder whose vectors are drawn by the words of a text: as good as another, and quite different."""

    name: str = "drawn"
    version: int = 1
    dimension: int = 24
    seen: list[str] = attrs.field(factory=list)
    calls_left: int = 1_000

    def embed(self, texts: Sequence[str]) -> Matrix:
        check_texts(texts)
        self.calls_left -= 1
        if self.calls_left < 0:
            raise EmbeddingError("the endpoint is gone")
        self.seen.extend(texts)
        rows = np.zeros((len(texts), self.dimension))
        for row, text in enumerate(texts):
            for word in text.split() or [""]:
                random = np.random.default_rng(zlib.crc32(f"{self.name} {word}".encode()))
                rows[row] += random.normal(size=self.dimension)
        return normalise(rows)


def run(task: str) -> memp.Trajectory:
    return memp.Trajectory(task=task, steps=[memp.Step(action=f"do {task}")], reward=1.0)


TASKS = (
    "put a hot mug in the cabinet", "put a cold egg on the shelf", "find two pens", "water the plants", "fly to Rome"
)  # fmt: skip
QUESTIONS = ("put a warm cup in the cabinet", "find a pen", "travel to Rome")


def answers(view: memp.View) -> list[list[tuple[str, float]]]:
    """What a version answers to some questions, by every key that compares vectors."""
    keys = ("hybrid", "pattern", "query", "facts")
    asked = [view.retrieve(question, 3, key=key) for question in QUESTIONS for key in keys]
    asked += [view.retrieve(question, 3, diversity=0.5) for question in QUESTIONS]
    return [[(match.procedure.name, match.score) for match in found] for found in asked]


@pytest.fixture(params=["memory", "duckdb"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return ":memory:" if request.param == "memory" else str(tmp_path / "agent.duckdb")


def test_old_versions_keep_their_answers_and_new_ones_are_asked_in_the_new_vectors(path: str) -> None:
    """After the change the past answers as it did, and the present as a memory that never had another embedder."""
    with memp.open(path) as memory, memp.open(":memory:", embedder=Drawn()) as other:
        memory.learn([run(task) for task in TASKS])
        other.learn([run(task) for task in TASKS])
        before, past = memory.position, answers(memory)
        done = memory.reembed(Drawn(), reason="to see")
        assert (done.previous, done.embedder, done.revisions, done.branches) == ("hashed-1", "drawn-1", 5, ("main",))
        assert answers(memory.at(before)) == past
        assert answers(memory) == answers(other) != past
        memory.learn([run("dry the plate")])
        other.learn([run("dry the plate")])
        assert answers(memory) == answers(other)
        assert memory.verify().ok


def test_what_is_asked_live_is_what_is_asked_after_opening_again(tmp_path: Path) -> None:
    """Replaying the log gives the same answers to the present, to forks and to every version of the past."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn([run(task) for task in TASKS[:3]])
        fork = memory.fork("trial")
        memory.learn([run(TASKS[3])])
        fork.learn([run(TASKS[4])])
        first = memory.position
        assert memory.reembed(Drawn()).branches == ("main", "trial")
        between = memory.position
        memory.learn([run("dry the plate")])
        memory.reembed(Drawn(name="again", dimension=8))
        views = [memory.at(position) for position in (first, between, memory.position)]
        live = [answers(view) for view in (*views, fork)]
        digest = memory.state_digest()
        assert len(live[0][0]) == 3
    with memp.open(path, embedder=Drawn(name="again", dimension=8)) as memory:
        assert memory.state_digest() == digest
        assert answers(memory.at(first)) == live[0]
        assert answers(memory) == live[2]
        assert answers(memory.branch("trial")) == live[3]
    with memp.open(path, embedder=Drawn()) as memory:
        assert answers(memory.at(between)) == live[1]


def test_a_fork_from_before_and_one_from_after_are_both_complete() -> None:
    """Every branch is switched, finds all that it found before, and can be promoted and learned on."""
    with memp.open(":memory:") as memory:
        memory.learn([run(task) for task in TASKS[:2]])
        early = memory.fork("early")
        early.learn([run(TASKS[2])])
        gone = memory.fork("gone")
        memory.delete_branch("gone", reason="not needed")
        del gone
        memory.reembed(Drawn())
        late = memory.fork("late")
        late.learn([run(TASKS[3])])
        assert [len(branch.retrieve("put", 9)) for branch in (memory, early, late)] == [2, 3, 3]
        memory.promote("early", reason="good")
        memory.promote("late", reason="good")
        assert len(memory.retrieve("put", 9)) == 4
        assert memory.verify().ok


def test_what_is_interrupted_answers_as_before_and_goes_on_later(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedder that fails in the middle changes no answer; what it did before is kept and not asked again."""
    monkeypatch.setattr("memp.operations.reembedding.REVISIONS_AT_ONCE", 2)
    with memp.open(path) as memory:
        memory.learn([run(task) for task in TASKS])
        before = answers(memory)
        failing = Drawn(calls_left=1)
        with pytest.raises(EmbeddingError, match="gone"):
            memory.reembed(failing)
        assert answers(memory) == before
        assert memory.verify().ok
        assert sum(record.type == "texts-embedded" for record in memory.events()) == 2
        memory.learn([run("dry the plate")])
        going_on = Drawn()
        done = memory.reembed(going_on)
        assert done.revisions == 4
        assert not set(going_on.seen) & {TASKS[0], TASKS[1]}
        assert len(memory.retrieve("put", 9)) == 6


def test_what_is_learned_meanwhile_is_not_forgotten() -> None:
    """A run that is learned while texts are embedded is found before and after the switch."""
    with memp.open(":memory:") as memory:
        memory.learn([run(task) for task in TASKS])

        class Slow(Drawn):
            def embed(self, texts: Sequence[str]) -> Matrix:
                if not memory.procedures()[-1].name.startswith("dry"):
                    memory.learn([run("dry the plate")])
                return super().embed(texts)

        done = memory.reembed(Slow())
        assert done.revisions == 6
        assert len(memory.retrieve("dry the plate", 9)) == 6


def test_what_is_purged_meanwhile_does_not_come_back(path: str) -> None:
    """A procedure that is purged while its texts are embedded leaves neither its texts nor their vectors."""
    with memp.open(path) as memory:
        memory.learn([run(task) for task in TASKS])

        class Slow(Drawn):
            def embed(self, texts: Sequence[str]) -> Matrix:
                if any(procedure.name == "find-two-pens" for procedure in memory.procedures()):
                    memory.purge(procedure_ids=["find-two-pens"], sources=True, reason="request 1")
                return super().embed(texts)

        memory.reembed(Slow())
        assert memory.verify().ok
        assert not any(b"two pens" in (record.body or b"") for record in memory.events())


def test_a_purge_takes_the_vectors_of_every_generation(path: str) -> None:
    """After a purge no event repeats the texts of the procedure, and no vector of them is left, old or new."""
    with memp.open(path) as memory:
        memory.learn([run(task) for task in TASKS])
        memory.reembed(Drawn())
        vectors = {name: len(list(memory._store.log.vectors(name))) for name in ("hashed-1", "drawn-1")}
        assert any(b"two pens" in (record.body or b"") for record in memory.events(type="texts-embedded"))
        memory.purge(procedure_ids=["find-two-pens"], sources=True, reason="request 1")
        assert memory.verify().ok
        assert not any(b"two pens" in (record.body or b"") for record in memory.events())
        left = {name: len(list(memory._store.log.vectors(name))) for name in vectors}
        assert all(left[name] < vectors[name] for name in vectors)
        assert len(memory.retrieve("find a pen", 9)) == 4


def test_an_export_carries_every_generation(tmp_path: Path) -> None:
    """The imported store answers the same, in the present and in the past."""
    with memp.open(tmp_path / "a.duckdb") as memory:
        memory.learn([run(task) for task in TASKS])
        before = memory.position
        memory.reembed(Drawn())
        told = answers(memory), answers(memory.at(before))
        memory.export(tmp_path / "a.jsonl.zst")
    memp.import_store(tmp_path / "a.jsonl.zst", tmp_path / "b.duckdb")
    with memp.open(tmp_path / "b.duckdb", embedder=Drawn()) as memory:
        assert (answers(memory), answers(memory.at(before))) == told


def test_a_vector_that_was_changed_is_found() -> None:
    """``verify`` covers vectors that a change of embedders captured, and names the event that names them."""
    with memp.open(":memory:") as memory:
        memory.learn([run(task) for task in TASKS])
        memory.reembed(Drawn())
        assert memory.verify().ok
        log = memory._store.log
        assert isinstance(log, MemoryLog)
        key = next(key for key in log._vectors if key.embedder == "drawn-1")
        log._vectors[key] = log._vectors[key][::-1]
        [problem] = memory.verify().problems
        [told] = memory.tell([next(r.event_id for r in memory.events() if r.position == problem.position)])
        assert (problem.what, told.type) == ("vector", "texts-embedded")
        del log._vectors[key]
        assert [problem.found for problem in memory.verify().problems] == ["nothing"]


def test_an_embedder_that_does_not_belong_to_the_store_is_refused(tmp_path: Path) -> None:
    """Opening with another embedder names the one that filled the store and the way to change it."""
    path = tmp_path / "a.duckdb"
    with memp.open(path, embedder=Drawn()) as memory:
        memory.learn([run(task) for task in TASKS])
    with pytest.raises(memp.InvalidInputError, match=r"'drawn-1'.*'hashed-1'.*memp reembed"):
        memp.open(path, embedder=HashedEmbedder())
    with memp.open(path) as memory:
        assert len(memory.procedures()) == 5
        for ask in (lambda: memory.retrieve("find a pen"), lambda: memory.learn([run("dry the plate")])):
            with pytest.raises(memp.InvalidInputError, match="memp reembed"):
                ask()
        memory.reembed(HashedEmbedder())
        assert len(memory.retrieve("find a pen", 9)) == 5


def test_an_empty_store_and_one_that_has_it_already() -> None:
    """Changing the embedder of an empty memory is one event; changing to the same one is none."""
    with memp.open(":memory:") as memory:
        assert memory.reembed(Drawn()).branches == ("main",)
        position = memory.position
        assert memory.reembed(Drawn()).branches == ()
        assert memory.position == position
        memory.learn([run(task) for task in TASKS])
        added = memory.events(type="procedure-added")
        assert {ref["embedder"] for record in added for ref in (record.data or {})["vectors"]} == {"drawn-1"}


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    """A memory that is open for reading refuses before anything is embedded."""
    with memp.open(tmp_path / "a.duckdb") as memory:
        memory.learn([run(task) for task in TASKS])
    drawn = Drawn()
    with (
        memp.open(tmp_path / "a.duckdb", read_only=True) as memory,
        pytest.raises(memp.InvalidInputError, match="reading only"),
    ):
        memory.reembed(drawn)
    assert drawn.seen == []


def test_it_cannot_be_undone_by_undo() -> None:
    """The change is a setting, not content: an undo refuses it, and changing back is another change."""
    with memp.open(":memory:") as memory:
        memory.learn([run(task) for task in TASKS])
        before = answers(memory)
        memory.reembed(Drawn())
        last = list(memory.events(type="embedder-switched"))[-1]
        with pytest.raises(memp.ConflictError, match="cannot be undone"):
            memory.undo([last.event_id], reason="back")
        back = memory.reembed(HashedEmbedder())
        assert (back.texts, back.branches) == (0, ("main",))
        assert answers(memory) == before


def test_progress_is_told() -> None:
    """Work is told a piece at a time, up to all of it."""
    told: list[tuple[str, int, int]] = []
    with memp.open(":memory:") as memory:
        memory.learn([run(f"task {number} of many") for number in range(REVISIONS_AT_ONCE + 5)])
        memory.reembed(Drawn(), progress=lambda *said: told.append(said))
    assert [done for _, done, _ in told] == [REVISIONS_AT_ONCE, REVISIONS_AT_ONCE + 5]
    assert {total for _, _, total in told} == {REVISIONS_AT_ONCE + 5}


def test_the_command_changes_a_store(tmp_path: Path) -> None:
    """``memp reembed`` says what it did, and the second time that there was nothing to do."""
    path = str(tmp_path / "a.duckdb")
    with memp.open(path, embedder=Drawn()) as memory:
        memory.learn([run(task) for task in TASKS])
    first = CliRunner().invoke(cli, ["reembed", path, "--embedder", "hashed", "--reason", "no model here"])
    assert first.exception is None, first.exception
    assert "By 'hashed-1' instead of 'drawn-1': main." in first.output
    assert "already" in CliRunner().invoke(cli, ["reembed", path, "--embedder", "hashed"]).output
    assert "water-the-plants" in CliRunner().invoke(cli, ["ask", path, "water a plant"]).output
