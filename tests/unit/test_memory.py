"""What a user does with a memory, on both logs."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import memp
from memp.events import EVENT_TYPES

Open = Callable[[], memp.Memory]


def run(task: str, *actions: str, reward: float = 1.0) -> memp.Trajectory:
    """A recorded run."""
    return memp.Trajectory(task=task, steps=[memp.Step(action=a, observation="Done.") for a in actions], reward=reward)


WON = [
    run("put a hot mug in the cabinet", "take mug 1", "heat mug 1", "move mug 1 to cabinet 1"),
    run("put a cold apple on the shelf", "take apple 1", "cool apple 1", "move apple 1 to shelf 1"),
]
LOST = run("put a hot egg in the bin", "look", reward=0.0)


@pytest.fixture(params=["memory", "duckdb"])
def open_memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store, on each log."""
    opened: list[memp.Memory] = []

    def open_one() -> memp.Memory:
        memory = memp.open(":memory:" if request.param == "memory" else tmp_path / "agent.duckdb", actor="me")
        opened.append(memory)
        return memory

    yield open_one
    for memory in opened:
        memory.close()


@pytest.fixture
def memory(open_memory: Open) -> memp.Memory:
    """An empty memory."""
    return open_memory()


def types(memory: memp.Memory) -> Counter[str]:
    """How many events of each type there are, templates left out."""
    found = Counter(record.type for record in memory.events())
    del found["resource-recorded"]
    return found


def test_validation_builds_from_successes_and_records_all(memory: memp.Memory) -> None:
    """Failures are kept as experience, and no procedure is made of them."""
    report = memory.learn([*WON, LOST])
    assert (report.runs, report.recorded, report.known, report.unbuilt, len(report.added)) == (3, 3, 0, 1, 2)
    assert types(memory) == {"trajectory-recorded": 3, "procedure-added": 2}


def test_vanilla_builds_from_all(memory: memp.Memory) -> None:
    """The policy decides what procedures are made of."""
    memory.learn([*WON, LOST], policy="vanilla")
    assert len(memory.procedures()) == 3


def test_learning_is_one_batch(memory: memp.Memory) -> None:
    """One operation is one batch, so that it is there whole or not at all, and can be undone as one."""
    report = memory.learn([*WON, LOST])
    assert {record.batch for record in report.events} == {report.events[0].batch}
    assert {record.batch_size for record in report.events} == {5}


def test_a_bad_row_leaves_nothing_half_written(memory: memp.Memory) -> None:
    """All rows are read before the first is written."""

    def rows() -> Iterator[memp.Trajectory]:
        yield WON[0]
        raise memp.InvalidInputError("the second row is broken")

    with pytest.raises(memp.InvalidInputError, match="second row"):
        memory.learn(rows())
    assert list(memory.events()) == []


def test_learning_the_same_again_changes_nothing(memory: memp.Memory) -> None:
    """A run that is on record is left alone, in the same call and in a later one."""
    memory.learn([WON[0], WON[0]])
    before = memory.state_digest(), memory.position
    report = memory.learn(WON[:1])
    assert (report.recorded, report.known, report.events) == (0, 1, ())
    assert (memory.state_digest(), memory.position) == before


def test_another_run_of_the_same_kind_is_support(memory: memp.Memory) -> None:
    """Two recordings of the same task with the same actions are one procedure, built from two runs."""
    again = memp.Trajectory(task=WON[0].task, steps=WON[0].steps, reward=1.0, agent="another")
    memory.learn(WON[:1])
    report = memory.learn([again])
    [procedure] = memory.procedures()
    assert (report.added, report.generalised) == ((), (procedure.name,))
    assert (procedure.support, len(procedure.sources), len(procedure.revisions)) == (2, 2, 2)


def test_a_procedure_says_where_it_comes_from(memory: memp.Memory) -> None:
    """Sources are the runs, and the event names what its content was made from."""
    memory.learn(WON[:1])
    [procedure] = memory.procedures()
    [recorded] = memory.events(type="trajectory-recorded")
    [added] = memory.events(type="procedure-added")
    assert procedure.sources == (recorded.data["trajectory_id"],)  # type: ignore[index]
    assert added.derived_from == (recorded.event_id,)
    assert (procedure.task, procedure.script, procedure.run) == (WON[0].task, None, WON[0])


def test_asking_finds_what_the_task_asks_for(memory: memp.Memory) -> None:
    """The pattern key looks past the names of things, the query key does not."""
    memory.learn(WON)
    question = "put a hot apple on the shelf"
    assert memory.retrieve(question, k=1)[0].procedure.task == WON[0].task
    assert memory.retrieve(question, k=1, key="query")[0].procedure.task == WON[1].task
    found = memory.retrieve(question, k=5)
    assert [match.rank for match in found] == [1, 2]
    assert found[0].score >= found[1].score


def test_random_is_the_same_for_the_same_seed(memory: memp.Memory) -> None:
    """The yardstick is drawn by lot, and can be drawn again."""
    memory.learn([run(f"task {word}", "go") for word in "abcdefghij"])
    draws = [tuple(m.procedure.id for m in memory.retrieve("x", k=3, key="random", seed=seed)) for seed in (0, 0, 1, 2)]
    assert draws[0] == draws[1]
    assert len(set(draws)) > 1


def test_an_empty_memory_answers_with_nothing(memory: memp.Memory) -> None:
    """No procedures, no matches, an empty prompt."""
    for key in ("pattern", "query", "random", None):
        found = memory.retrieve("anything", key=key)
        assert (list(found), found.prompt()) == ([], "")


def test_a_prompt_says_what_was_done(memory: memp.Memory) -> None:
    """The block holds the steps and keeps to its budget; no id reaches the agent."""
    memory.learn(WON)
    found = memory.retrieve("put a hot mug in the cabinet")
    prompt = found.prompt(budget_tokens=600)
    assert "heat mug 1" in prompt
    assert memory.procedures()[0].id not in prompt
    assert all(found.prompt(style=style) for style in ("steps", "prose", "code"))
    assert found.prompt(budget_tokens=0) == ""


def test_evidence_is_kept_apart_from_support(memory: memp.Memory) -> None:
    """What a procedure was built from and what it did are two things."""
    memory.learn(WON[:1])
    name = memory.procedures()[0].name
    memory.validate(name, reward=1.0, judge="person", reason="it worked")
    memory.validate(name, reward=0.2)
    memory.validate(name, success=True, steps=7)
    procedure = memory.procedure(name)
    assert (procedure.support, procedure.evidence.helped, procedure.evidence.episodes) == (1, 2, 3)
    assert (procedure.evidence.steps, procedure.evidence.steps_known) == (7, 1)


def test_a_reflection_waits_unless_it_is_activated(memory: memp.Memory) -> None:
    """A candidate changes no answer; an activated one takes the place of its base."""
    memory.learn(WON[:1])
    name = memory.procedures()[0].name
    memory.reflect(name, script='do("look first")', critique="it did not look", reason="tried it")
    assert memory.procedure(name).script is None
    record = memory.reflect(name, script='do("look first")', critique="it did not look", activate=True)
    procedure = memory.procedure(name)
    assert procedure.script is not None
    assert "look first" in procedure.script
    assert procedure.active == record.event_id
    assert record.derived_from == (procedure.revisions[0].id,)


def test_erased_is_not_found_and_comes_back(memory: memp.Memory) -> None:
    """Erasing stops retrieval and nothing else."""
    memory.learn(WON)
    name = memory.retrieve("put a hot mug in the cabinet", k=1)[0].procedure.name
    before = memory.state_digest()
    memory.erase(name, reason="no longer true")
    assert name not in [match.procedure.name for match in memory.retrieve("put a hot mug in the cabinet")]
    assert memory.procedure(name).status == "erased"
    with pytest.raises(memp.ConflictError, match="erased"):
        memory.erase(name, reason="again")
    memory.unerase(name, reason="true again")
    assert memory.state_digest() == before


def test_a_merge_makes_one_of_several(memory: memp.Memory) -> None:
    """The new one has the runs and patterns of all; the old ones stay readable."""
    memory.learn(WON)
    old = memory.procedures()
    memory.merge([p.name for p in old], reason="the same thing")
    [new] = memory.procedures()
    assert new.support == 2
    assert {pattern for p in old for pattern in p.patterns} <= set(new.patterns)
    assert [memory.procedure(p.id).merged_into for p in old] == [new.id, new.id]
    assert [m.procedure.id for m in memory.retrieve("put a cold pear on the shelf")] == [new.id]


def test_a_change_by_hand_is_one_event(memory: memp.Memory) -> None:
    """Each operation writes just one record, and all say who did it."""
    memory.learn(WON)
    first, second = (p.name for p in memory.procedures())
    before = memory.position
    memory.validate(first, reward=1.0)
    memory.reflect(first, script='do("x")', critique="c")
    memory.erase(first, reason="r")
    memory.unerase(first, reason="r")
    memory.merge([first, second], reason="r")
    assert memory.position == before + 5
    assert {record.actor for record in memory.events()} == {"me"}


def test_a_retry_key_makes_an_operation_safe_to_repeat(memory: memp.Memory) -> None:
    """Law 9 as users meet it: the same call again changes nothing, another call under the key is refused."""
    report = memory.learn(WON, key="learn-1")
    assert memory.learn(WON, key="learn-1").events == report.events
    first, second = (p.name for p in memory.procedures())
    changes: list[Callable[[], memp.Record]] = [
        lambda: memory.validate(first, reward=1.0, key="v"),
        lambda: memory.reflect(first, script='do("x")', critique="c", key="r"),
        lambda: memory.erase(first, reason="e", key="e"),
        lambda: memory.unerase(first, reason="u", key="u"),
        lambda: memory.merge([first, second], reason="m", key="m"),
    ]
    for change in changes:
        record = change()
        position = memory.position
        assert change() == record
        assert memory.position == position
    others: list[Callable[[], object]] = [
        lambda: memory.learn([LOST], key="learn-1"),
        lambda: memory.learn([*WON, LOST], key="learn-1"),
        lambda: memory.erase(second, reason="e", key="e"),
        lambda: memory.validate(first, reward=0.0, key="v"),
        lambda: memory.unerase(first, reason="u", key="m"),
    ]
    for other in others:
        with pytest.raises(memp.RetryKeyError):
            other()


def test_a_retry_is_the_same_call_whatever_happened_since(memory: memp.Memory) -> None:
    """Runs that were known at the first call are so at the second; what was purged in between has no name any more."""
    memory.learn(WON[:1])
    report = memory.learn(WON, key="k")
    memory.undo([memory.learn([LOST]).events[0].event_id], reason="r")
    memory.purge(procedure_ids=[memory.procedures()[0].id], reason="on demand")
    again = memory.learn(WON, key="k")
    assert [record.event_id for record in again.events] == [record.event_id for record in report.events]
    assert (again.recorded, again.known) == (report.recorded, report.known)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.erase("nobody", reason="r"), memp.ProcedureNotFoundError, "nobody"),
        (lambda m: m.erase(m.procedures()[0].id, reason=""), memp.InvalidInputError, "reason"),
        (lambda m: m.unerase(m.procedures()[0].id, reason="r"), memp.ConflictError, "must be erased"),
        (lambda m: m.validate(m.procedures()[0].id), memp.InvalidInputError, "neither"),
        (lambda m: m.validate(m.procedures()[0].id, reward=float("nan")), memp.InvalidInputError, "finite"),
        (lambda m: m.validate(m.procedures()[0].id, reward=1, judge="cat"), memp.InvalidInputError, "judge"),
        (lambda m: m.validate(m.procedures()[0].id, reward=1, weight=0), memp.InvalidInputError, "weight"),
        (lambda m: m.validate(m.procedures()[0].id, reward=1, revision="x"), memp.NotFoundError, "x"),
        (lambda m: m.reflect(m.procedures()[0].id, script=" ", critique="c"), memp.InvalidInputError, "script"),
        (lambda m: m.reflect(m.procedures()[0].id, script='do("x")', critique=""), memp.InvalidInputError, "critique"),
        (lambda m: m.merge([m.procedures()[0].id], reason="r"), memp.InvalidInputError, "two or more"),
        (lambda m: m.merge(m.procedures()[0].id, reason="r"), memp.InvalidInputError, "list"),
        (lambda m: m.learn(["text"]), memp.InvalidInputError, "memp.Trajectory"),
        (lambda m: m.learn([], build="magic"), memp.InvalidInputError, "build"),
        (lambda m: m.learn([], policy="magic"), memp.InvalidInputError, "policy"),
        (lambda m: m.retrieve(" "), memp.InvalidInputError, "task"),
        (lambda m: m.retrieve("x", k=0), memp.InvalidInputError, "'k'"),
        (lambda m: m.retrieve("x", key="magic"), memp.InvalidInputError, "key"),
        (lambda m: m.retrieve("x").prompt(style="verse"), memp.InvalidInputError, "style"),
        (lambda m: m.retrieve("x").prompt(budget_tokens=-1), memp.InvalidInputError, "budget"),
        (lambda m: m.events(type="procedure-danced"), memp.InvalidInputError, "type"),
        (lambda m: m.events(procedure="nobody"), memp.ProcedureNotFoundError, "nobody"),
    ],
)
def test_bad_input_is_clear_and_changes_nothing(
    memory: memp.Memory, call: Callable[[memp.Memory], object], error: type[memp.MempError], message: str
) -> None:
    """Every mistake raises an error of its group that names what was wrong, and writes nothing."""
    memory.learn(WON)
    memory.retrieve("x").prompt()
    before = memory.position, memory.state_digest()
    with pytest.raises(error, match=message):
        call(memory)
    assert (memory.position, memory.state_digest()) == before


def test_an_ambiguous_name_lists_the_ids(memory: memp.Memory) -> None:
    """Names are unique, but the beginning of an id may not be."""
    memory.learn(WON)
    procedure = memory.procedures()[0]
    assert memory.procedure(procedure.id[:8]).id == procedure.id
    with pytest.raises(memp.ProcedureNotFoundError):
        memory.procedure(procedure.id[:2])


def test_names_stay_unique(memory: memp.Memory) -> None:
    """Two procedures for the same words get different names."""
    memory.learn([run("Put a mug!", "go 1"), run("put a mug", "go 2"), run("put a mug", "go 3")])
    assert sorted(p.name for p in memory.procedures()) == ["put-a-mug", "put-a-mug-2", "put-a-mug-3"]


def test_a_store_opens_as_it_was_closed(tmp_path: Path) -> None:
    """Law 2: procedures, answers and prompts are the same after reopening, for readers too."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.learn([*WON, LOST])
        memory.erase(memory.procedures()[0].name, reason="r")
        procedures, digest = memory.procedures(everything=True), memory.state_digest()
        prompt = memory.retrieve("put a cold mug on the shelf").prompt()
    for read_only in (False, True):
        with memp.open(path, read_only=read_only) as again:
            assert again.procedures(everything=True) == procedures
            assert again.state_digest() == digest
            assert again.retrieve("put a cold mug on the shelf").prompt() == prompt


def test_templates_go_on_record_when_they_are_first_used(tmp_path: Path) -> None:
    """Law 1: what a prompt looks like is part of the log, so that editing a file changes no answer; a folder does."""
    own = tmp_path / "templates"
    own.mkdir()
    (own / "prompt_steps.j2").write_text("{% for p in procedures %}ONE {{ p.task }}\n{% endfor %}")
    path = tmp_path / "agent.duckdb"
    with memp.open(path, templates=own) as memory:
        memory.learn(WON)
        first = memory.retrieve("put a hot mug").prompt()
        assert first.startswith("ONE ")
        assert len(list(memory.events(type="resource-recorded"))) == 1
    (own / "prompt_steps.j2").write_text("{% for p in procedures %}TWO {{ p.task }}\n{% endfor %}")
    with memp.open(path) as memory:
        assert memory.retrieve("put a hot mug").prompt() == first
    with memp.open(path, templates=own) as memory:
        assert memory.retrieve("put a hot mug").prompt().startswith("TWO ")
        assert len(list(memory.events(type="resource-recorded"))) == 2


def test_a_reader_changes_nothing_and_makes_nothing(tmp_path: Path) -> None:
    """Reading never creates a store, and a memory that is open for reading refuses to change."""
    path = tmp_path / "agent.duckdb"
    with pytest.raises(memp.StoreNotFoundError):
        memp.open(path, read_only=True)
    assert not path.exists()
    with memp.open(path) as memory:
        memory.learn(WON)
    with memp.open(path, read_only=True) as reader:
        reader.retrieve("put a hot mug").prompt()
        with pytest.raises(memp.InvalidInputError, match="reading only"):
            reader.learn([LOST])


def test_a_second_opening_is_refused_and_names_the_first(tmp_path: Path) -> None:
    """One process writes; another one, or the same one again, is told so."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path), pytest.raises(memp.StoreLockedError, match="this process"):
        memp.open(path)
    code = f"import memp, sys; m = memp.open({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(memp.StoreLockedError, match=str(other.pid)):
            memp.open(path)
        other.communicate(b"")


@pytest.mark.parametrize("content", [b"", b"not a database at all, only text" * 300, b"\0" * 20_000])
def test_what_is_no_store_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    """A file of another kind is never overwritten."""
    path = tmp_path / "agent.duckdb"
    path.write_bytes(content)
    with pytest.raises(memp.CorruptStoreError):
        memp.open(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("where", [".", "missing/agent.duckdb"])
def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path, where: str) -> None:
    """A folder, or a file in a folder that is not there."""
    with pytest.raises(memp.InvalidInputError, match="one file"):
        memp.open(tmp_path / where)


def test_a_closed_memory_says_so(memory: memp.Memory) -> None:
    """What needs the log after close is refused with the way out."""
    memory.learn(WON)
    memory.close()
    memory.close()
    with pytest.raises(memp.InvalidInputError, match="closed"):
        memory.learn([LOST])


def test_a_forgotten_memory_warns(tmp_path: Path) -> None:
    """Whoever forgets to close is told."""

    def forget() -> None:
        memp.open(tmp_path / "agent.duckdb")
        gc.collect()

    with pytest.warns(ResourceWarning, match="not closed"):
        forget()


def test_import_is_light() -> None:
    """Importing memp loads no database and no model client."""
    heavy = ("duckdb", "numpy", "hnswlib", "jinja2", "openai", "rich")
    code = f"import sys, memp; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_all_names_are_there() -> None:
    """The public names are those of __all__, and each can be loaded."""
    assert all(getattr(memp, name) is not None for name in memp.__all__)
    assert sorted(memp.__all__) == dir(memp)
    with pytest.raises(AttributeError, match="magic"):
        memp.magic  # noqa: B018


def test_every_event_type_is_reachable_by_name(memory: memp.Memory) -> None:
    """Every stored tag can be asked for."""
    assert all(list(memory.events(type=type)) == [] for type in EVENT_TYPES)


def test_the_same_memory_is_written_to_by_another_author() -> None:
    """What is written through it names the other author; the memory itself keeps its own."""
    with memp.open(":memory:", actor="one") as memory:
        memory.tag("first")
        memory.by("other").tag("second")
        memory.tag("third")
        written = {record.data["name"]: record.actor for record in memory.events(type="version-tagged") if record.data}
        assert written == {"first": "one", "second": "other", "third": "one"}
        with pytest.raises(memp.InvalidInputError, match="actor"):
            memory.by("")
