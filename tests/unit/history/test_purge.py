"""What a purge takes, what it leaves and lists, and how the past answers afterwards; on both logs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import memp
from memp.errors import ConflictError, InvalidInputError, NotFoundError, ProcedurePurgedError
from memp.events import EpisodeFinished, EpisodeStarted, RunDropped, RunQueued, Served
from memp.history.purge import plan, quotes
from memp.model import EpisodeId, EventId, ProcedureId, QueuedId, TrajectoryId

MUG, EGG, BOOK = "put a hot mug in the cabinet", "put a cold egg on the shelf", "look at a book under the lamp"
REQUEST = "request 4711"


def run(task: str, *, agent: str = "one") -> memp.Trajectory:
    """A run that was won."""
    return memp.Trajectory(task=task, steps=[memp.Step(action="look", observation="Done.")], reward=1.0, agent=agent)


@pytest.fixture(params=["memory", "duckdb"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[memp.Memory]:
    """A memory of three runs, a procedure each."""
    path = ":memory:" if request.param == "memory" else tmp_path / "agent.duckdb"
    with memp.open(path, actor="me") as memory:
        memory.learn([run(MUG), run(EGG), run(BOOK)])
        yield memory


def called(memory: memp.View, task: str) -> memp.Procedure:
    """The procedure for a task."""
    return next(procedure for procedure in memory.procedures(everything=True) if procedure.task == task)


def source(memory: memp.View, task: str) -> str:
    """The run that it was built from."""
    return called(memory, task).revision.sources[0]


def bodiless(memory: memp.View) -> list[int]:
    """Positions whose content is gone."""
    return [record.position for record in memory.events() if record.body is None]


def test_all_of_a_procedure_goes(memory: memp.Memory) -> None:
    """A purge takes every event of the procedure: what was added, said about it, written anew, and taken back."""
    mug = called(memory, MUG)
    memory.validate(mug.id, success=True, reason="it helped")
    memory.reflect(mug.id, script='do("a")\n', critique="too long", activate=True)
    undone = memory.erase(mug.id, reason="never again")
    memory.undo([undone.event_id], reason="never say never")
    memory.validate(called(memory, EGG).id, success=True)
    report = memory.purge(procedure_ids=[mug.id], reason=REQUEST)
    types = [record.type for record in memory.events() if record.position in report.plan.positions]
    assert types == [
        "procedure-added", "procedure-validated", "procedure-reflected", "procedure-erased", "events-undone"
    ]  # fmt: skip
    assert report.plan.procedures == (mug.id,)
    assert [p.task for p in memory.procedures(everything=True)] == [EGG, BOOK]
    assert memory.verify().ok
    assert report.record.type == "content-purged"
    assert report.record.data == {"positions": list(report.plan.positions), "reason": REQUEST}


def test_what_it_was_made_from_is_listed_or_taken(memory: memp.Memory) -> None:
    """The run behind a procedure stays and is named, unless ``sources`` is said."""
    mug, trajectory = called(memory, MUG), source(memory, MUG)
    left = memory.plan_purge(procedure_ids=[mug.id])
    assert [one.stream for one in left.sources] == [f"trajectory/{trajectory}"]
    assert left.trajectories == ()
    report = memory.purge(procedure_ids=[mug.id], sources=True, reason=REQUEST)
    assert report.plan.sources == ()
    assert report.plan.trajectories == (trajectory,)
    assert len(report.plan.positions) == 2


def test_what_was_made_from_it_is_listed_or_taken(memory: memp.Memory) -> None:
    """The procedure of a run stays and is named, with what was merged from it, unless ``derived`` is said."""
    mug, egg, trajectory = called(memory, MUG), called(memory, EGG), source(memory, MUG)
    merged = memory.merge([mug.id, egg.id], reason="much the same").data
    assert merged is not None
    left = memory.plan_purge(trajectory_ids=[trajectory])
    assert [one.stream for one in left.derived] == [f"procedure/{mug.id}", f"procedure/{merged['procedure_id']}"]
    assert left.procedures == ()
    report = memory.purge(trajectory_ids=[trajectory], derived=True, reason=REQUEST)
    assert set(report.plan.procedures) == {mug.id, merged["procedure_id"]}
    assert report.plan.derived == ()
    assert {p.task for p in memory.procedures()} == {EGG, BOOK}, "what was merged is by itself again"
    assert memory.verify().ok


def test_a_run_can_go_and_its_procedure_stay(memory: memp.Memory) -> None:
    """Without ``derived`` the procedure stays as it is; it only has one run less to show."""
    digest = memory.state_digest()
    trajectory = source(memory, MUG)
    memory.purge(trajectory_ids=[trajectory], reason=REQUEST)
    assert called(memory, MUG).revision.sources == (trajectory,)
    assert memory.state_digest() != digest, "the digest of what supports it is gone"
    assert memory.retrieve(MUG)[0].procedure.task == MUG
    assert memory.verify().ok


def test_every_recording_of_the_same_run_goes(memory: memp.Memory) -> None:
    """A run that was taken back and learned again stands twice in the log; both recordings say the same."""
    trajectory = source(memory, MUG)
    memory.undo(source=trajectory, reason="a mistake")
    memory.learn([run(MUG)])
    again = source(memory, MUG)
    assert again != trajectory
    report = memory.purge(trajectory_ids=[trajectory], reason=REQUEST)
    assert set(report.plan.trajectories) == {trajectory, again}


def test_a_procedure_that_other_runs_built_again_stays(memory: memp.Memory) -> None:
    """Taking a source back builds its procedure again from the other run, under the same id; that one stays."""
    memory.learn([run(MUG, agent="two")])
    mug = called(memory, MUG)
    assert len(mug.revision.sources) == 2
    first, second = mug.revision.sources
    memory.undo(source=first, reason="a mistake")
    assert called(memory, MUG).revision.sources == (second,)
    memory.purge(trajectory_ids=[first], derived=True, reason=REQUEST)
    assert called(memory, MUG).revision.sources == (second,)
    assert memory.verify().ok


def test_other_branches_go_too(memory: memp.Memory) -> None:
    """Content that stands on a fork, or was promoted from one, is found there."""
    fork = memory.fork("what-if")
    mug = called(memory, MUG)
    fork.reflect(mug.id, script='do("a")\n', critique="too long", activate=True)
    memory.promote("what-if", reason="better")
    report = memory.purge(procedure_ids=[mug.id], reason=REQUEST)
    assert len(report.plan.positions) == 3
    assert [p.task for p in fork.procedures()] == [EGG, BOOK]
    fork.learn([run("put a fork in the drawer")])
    assert memory.verify().ok
    with pytest.raises(ConflictError, match="purged"):
        memory.fork("late", at=report.record.position).purge(procedure_ids=[mug.id], reason=REQUEST)


def test_vectors_go_unless_another_body_names_their_text(memory: memp.Memory) -> None:
    """An embedding tells much of its text, so it goes with the last body that names the text."""
    memory.learn([run(MUG, agent="two")], key=None)
    key = {text for text, _ in memory._store.log.vectors("hashed-1")}
    planned = memory.plan_purge(procedure_ids=[called(memory, EGG).id])
    assert planned.texts
    assert set(planned.texts) < key
    memory.purge(procedure_ids=[called(memory, EGG).id], reason=REQUEST)
    assert {text for text, _ in memory._store.log.vectors("hashed-1")} == key - set(planned.texts)


def test_the_past_answers_with_tombstones(memory: memp.Memory) -> None:
    """Every way to look back works, and says that there was something; nothing comes from the depths."""
    memory.tag("before")
    mug = called(memory, MUG)
    memory.validate(mug.id, success=True)
    report = memory.purge(procedure_ids=[mug.id], sources=True, reason=REQUEST)
    past = memory.at("before")
    assert [p.task for p in past.procedures()] == [EGG, BOOK]
    assert MUG not in {m.procedure.task for m in past.retrieve(MUG, k=9)}
    assert past.retrieve(MUG, k=9).prompt()
    assert memory.diff("before").changes == ()
    assert [stone.position for stone in memory.tombstones()] == list(report.plan.positions)
    assert {stone.purged_at for stone in memory.tombstones()} == {report.record.position}
    assert memory.tombstones()[1].stream == f"procedure/{mug.id}"
    assert len(past.tombstones()) == 2
    assert bodiless(memory) == list(report.plan.positions)
    assert next(r for r in memory.events() if r.body is None).data is None
    for view in (memory, past):
        with pytest.raises(ProcedurePurgedError, match="purged for good") as caught:
            view.procedure(mug.id)
        assert caught.value.purged_at == report.record.position
    with pytest.raises(NotFoundError):
        memory.procedure(mug.name)


def test_what_was_purged_cannot_be_brought_back(memory: memp.Memory) -> None:
    """Undo is for what can be brought back; a purge is for good."""
    mug = called(memory, MUG)
    erased = memory.erase(mug.id, reason="unused")
    undo = memory.undo([erased.event_id], reason="a mistake")
    trajectory = source(memory, MUG)
    batch = next(memory.events(type="procedure-added")).batch
    memory.purge(procedure_ids=[mug.id], sources=True, reason=REQUEST)
    for event in (erased.event_id, undo.event_id):
        with pytest.raises(ConflictError, match="purged for good"):
            memory.undo([event], reason="bring it back")
    with pytest.raises(ConflictError, match="purged for good"):
        memory.undo(source=trajectory, reason="r")
    with pytest.raises(ConflictError, match="cannot be undone"):
        memory.undo([list(memory.events())[-1].event_id], reason="bring it back")
    memory.undo(batch=batch, reason="all that is left of it")
    assert memory.procedures() == []


def test_the_same_run_can_be_learned_again(memory: memp.Memory) -> None:
    """A purge forgets; it does not forbid."""
    memory.purge(procedure_ids=[called(memory, MUG).id], sources=True, reason=REQUEST)
    assert memory.learn([run(MUG)]).added
    assert called(memory, MUG).support == 1


def test_live_equals_replayed_and_old_digests_stand(memory: memp.Memory, tmp_path: Path) -> None:
    """Law 2 after a purge: the open memory is what an import of its log is, chain and all."""
    before = {record.position: record.digest for record in memory.events()}
    head = memory.head()
    memory.purge(procedure_ids=[called(memory, EGG).id], sources=True, reason=REQUEST)
    assert {r.position: r.digest for r in memory.events() if r.position in before} == before
    assert memory.verify(expect=head).ok
    memory.export(tmp_path / "a.jsonl")
    memp.import_store(tmp_path / "a.jsonl", tmp_path / "new.duckdb")
    with memp.open(tmp_path / "new.duckdb") as again:
        assert again.state_digest() == memory.state_digest()
        assert again.procedures() == memory.procedures()
        assert again.retrieve(EGG).prompt() == memory.retrieve(EGG).prompt()
        assert again.tombstones() == memory.tombstones()


def test_a_purge_names_what_it_takes(memory: memp.Memory) -> None:
    """What cannot be meant is refused before anything is written."""
    head = memory.head()
    with pytest.raises(InvalidInputError, match="got neither"):
        memory.purge(reason=REQUEST)
    with pytest.raises(InvalidInputError, match="must be a list"):
        memory.purge(procedure_ids="mug", reason=REQUEST)
    with pytest.raises(NotFoundError):
        memory.purge(procedure_ids=["no such thing"], reason=REQUEST)
    with pytest.raises(NotFoundError, match="never was a trajectory"):
        memory.purge(trajectory_ids=["no such thing"], reason=REQUEST)
    with pytest.raises(InvalidInputError, match="reason"):
        memory.purge(procedure_ids=[called(memory, MUG).id], reason="")
    assert memory.head() == head
    mug = called(memory, MUG).id
    memory.purge(procedure_ids=[called(memory, MUG).name], reason=REQUEST)
    with pytest.raises(ConflictError, match="purged before"):
        memory.purge(procedure_ids=[mug], reason=REQUEST)


def test_what_was_left_can_be_taken_later(memory: memp.Memory) -> None:
    """A second purge with ``derived`` or ``sources`` follows what the first one took."""
    mug, trajectory = called(memory, MUG).id, source(memory, MUG)
    memory.purge(trajectory_ids=[trajectory], reason=REQUEST)
    report = memory.purge(trajectory_ids=[trajectory], derived=True, reason=REQUEST)
    assert report.plan.procedures == (mug,)
    assert memory.verify().ok


def test_copies_are_listed_if_they_may_hold_it(memory: memp.Memory, tmp_path: Path) -> None:
    """An export made before the content was there is no danger; one made later is, and is named."""
    memory.export(tmp_path / "early.jsonl")
    memory.learn([run("put a fork in the drawer")])
    memory.export(tmp_path / "late.jsonl.zst")
    planned = memory.plan_purge(procedure_ids=[called(memory, "put a fork in the drawer").id], sources=True)
    assert [(copy.kind, Path(copy.path).name) for copy in planned.copies] == [("export", "late.jsonl.zst")]


def test_a_dry_run_writes_nothing(memory: memp.Memory) -> None:
    """A plan is what the purge then does, and changes nothing itself."""
    mug = called(memory, MUG).id
    head = memory.head()
    planned = memory.plan_purge(procedure_ids=[mug], sources=True)
    assert (memory.head(), bodiless(memory)) == (head, [])
    assert memory.purge(procedure_ids=[mug], sources=True, reason=REQUEST).plan == planned


def test_a_version_that_never_was_ends_with_a_purge(memory: memp.Memory) -> None:
    """What was asked for without some events was worked out before the purge, and says so instead of answering."""
    added = next(memory.events(type="procedure-added")).event_id
    without = memory.at(memory.position, without=[added])
    assert without.retrieve(MUG)
    memory.purge(procedure_ids=[called(memory, EGG).id], sources=True, reason=REQUEST)
    with pytest.raises(ConflictError, match="Ask for it again"):
        without.retrieve(MUG)
    assert memory.at(memory.position, without=[added]).retrieve(MUG)


def test_many_threads_see_a_purge_or_do_not(memory: memp.Memory) -> None:
    """Others may ask, learn and verify while a purge is under way."""
    egg, failed = called(memory, EGG), []

    def work(number: int) -> None:
        try:
            memory.learn([run(f"put number {number} on the desk")])
            assert memory.retrieve(MUG, k=9)
            assert memory.verify().ok
        except BaseException as error:  # noqa: BLE001 - a thread must hand on whatever happened
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    memory.purge(procedure_ids=[egg.id], sources=True, reason=REQUEST)
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(memory.procedures()) == 6
    assert memory.verify().ok


def test_a_retry_key_of_what_was_purged_is_taken(memory: memp.Memory) -> None:
    """Nobody can tell any more whether the same is said, so the key stands for something else."""
    memory.learn([run("put a fork in the drawer")], key="k")
    fork = called(memory, "put a fork in the drawer").id
    memory.purge(procedure_ids=[fork], sources=True, reason=REQUEST)
    with pytest.raises(memp.RetryKeyError):
        memory.learn([run("put a fork in the drawer")], key="k")


def test_whoever_waits_and_whoever_acts_is_quoted() -> None:
    """Queued runs and episodes repeat what a purge removes, and say of what."""
    trajectory = run(MUG)
    queued = RunQueued(queued_id=QueuedId("q"), trajectory=trajectory)
    dropped = RunDropped(queued_id=QueuedId("q"), reason="learned")
    served = Served(procedure_id=ProcedureId("p"), revision=EventId("e"), rank=1, score=0.5)
    started = EpisodeStarted(
        episode_id=EpisodeId("x"), task=MUG, branch="main", position=1, served=(served,), prompt="00"
    )
    finished = EpisodeFinished(episode_id=EpisodeId("x"), trajectory_id=TrajectoryId("t"))
    assert quotes(queued).takes_along >= quotes(dropped).subjects
    assert f"run/{trajectory.digest}" in quotes(queued).subjects
    assert quotes(started).subjects == {"procedure/p", "episode/x"}
    assert quotes(finished).subjects == {"trajectory/t", "episode/x"}
    assert quotes(finished).takes_along == quotes(started).takes_along == {"episode/x"}


def test_nothing_to_read_is_nothing_to_purge() -> None:
    """An empty log never had such a procedure."""
    with pytest.raises(NotFoundError):
        plan([], procedures=[ProcedureId("p")], trajectories=[], derived=False, sources=False, copies=[])
