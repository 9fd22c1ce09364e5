"""Scripts in the memory: learned by rule, written by hand, corrected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import memp
from memp.model import RevisionStatus

PLACED = [
    memp.Trajectory(
        task=f"put {some} {thing} in {place}",
        steps=[
            memp.Step(action=f"go to {where} 1", observation=f"You see a {thing} 1."),
            memp.Step(action=f"take {thing} 1 from {where} 1", observation="You have it."),
            memp.Step(action=f"go to {place} 2", observation="Here you are."),
            memp.Step(action=f"put {thing} 1 in/on {place} 2", observation="Done."),
        ],
        reward=1.0,
    )
    for some, thing, where, place in (("a", "pear", "stool", "crate"), ("some", "shoe", "floor", "rack"))
]
BY_HAND = '''\
"""Putting away."""

from household import *


@procedure("tidy {thing} into {target}")
def tidy(thing: Object, target: Receptacle):
    """Say it in other words, do the same."""
    source = find(thing, likely=["stool"])
    take(thing, source)
    note("mind the step")
    go_to(target)
    if closed(target):
        open(target)
    move(thing, target)
    ensure(inside(thing, target), "it is where it belongs")
'''
TWO = """\
from household import *

@procedure("fetch {thing}")
def fetch(thing: Object):
    source = find(thing)
    take(thing, source)

@procedure("bring {thing} to {target}")
def bring(thing: Object, target: Receptacle):
    fetch(thing)
    go_to(target)
    move(thing, target)
"""


@pytest.fixture
def memory() -> Iterator[memp.Memory]:
    """An empty memory."""
    with memp.open(":memory:") as opened:
        yield opened


def test_learning_by_rule_makes_one_procedure_of_runs_that_do_the_same(memory: memp.Memory) -> None:
    """Two wordings, two dialect-free scripts: one procedure, both runs behind it, its toolset on record once."""
    report = memory.learn(PLACED, build="induce")
    (procedure,) = memory.procedures()
    assert (len(report.added), procedure.support, procedure.builder) == (1, 2, "induce")
    assert procedure.patterns == ("put a {thing} in {target}", "put some {thing} in {target}")
    (recorded,) = [r for r in memory.events(type="resource-recorded") if (r.data or {})["kind"] == "toolset"]
    assert (recorded.data or {})["digest"] == procedure.toolset == memp.load_toolset("household").digest
    assert memory.toolset_of(procedure) == memp.load_toolset("household")
    assert not memory.learn(PLACED, build="induce").events
    assert memory.retrieve("put some hat in box")[0].procedure == procedure


def test_both_keeps_script_and_run(memory: memp.Memory) -> None:
    """Proceduralisation: the script and the best run stand in one content."""
    memory.learn(PLACED, build="both")
    (procedure,) = memory.procedures()
    assert procedure.script is not None
    assert procedure.run is not None


def test_a_given_toolset_goes_on_record_and_comes_before_the_shipped_one(memory: memp.Memory, tmp_path: Path) -> None:
    """What was used first is used ever after: by name the toolset on record is found, not the file that ships."""
    source = memp.load_toolset("household").to_text().replace('"go to {place}"', '"go to {place}", "walk to {place}"')
    (tmp_path / "household").mkdir()
    (tmp_path / "household" / "toolset.py").write_text(source)
    memory.learn(PLACED[:1], build="induce", toolset=tmp_path / "household")
    own = memp.load_toolset(tmp_path / "household")
    memory.learn(PLACED[1:], build="induce")
    (procedure,) = memory.procedures()
    assert procedure.toolset == own.digest != memp.load_toolset("household").digest
    assert memory.toolset_of(procedure) == own
    memory.learn([], build="induce", toolset="household")


def test_a_kept_run_takes_no_toolset(memory: memp.Memory) -> None:
    """A mistaken combination is told before anything is written."""
    with pytest.raises(memp.InvalidInputError, match="takes no 'toolset'"):
        memory.learn(PLACED, build="verbatim", toolset="household")
    with pytest.raises(memp.NotFoundError):
        memory.learn(PLACED, build="induce", toolset="no-such-world")
    assert memory.position == 0


def test_a_script_is_added_by_hand(memory: memp.Memory) -> None:
    """It is stored in canonical form with its toolset, and found by its pattern."""
    record = memory.add(BY_HAND, tags=["home"])
    (procedure,) = memory.procedures()
    assert record.type == "procedure-added"
    assert (procedure.name, procedure.builder, procedure.tags, procedure.support) == ("tidy", "hand", ("home",), 0)
    script = memp.parse_script(procedure.script or "")
    assert memp.format_script(script) == procedure.script
    assert memory.toolset_of(procedure) == memp.load_toolset("household")
    assert memory.retrieve("tidy the shoe into the rack")[0].procedure == procedure


def test_several_procedures_of_a_file_are_one_batch_each_with_what_it_calls(memory: memp.Memory) -> None:
    """Each reads alone; a name can be given to one only."""
    record = memory.add(memp.parse_script(TWO))
    records = list(memory.events(type="procedure-added"))
    assert {r.batch for r in records} == {record.batch}
    assert [(r.data or {})["name"] for r in records] == ["fetch", "bring"]
    for procedure in memory.procedures():
        memp.parse_script(procedure.script or "")
    with pytest.raises(memp.InvalidInputError, match="holds 2"):
        memory.add(TWO, name="both")


def test_adding_the_same_again_is_a_conflict_and_a_retry_is_not(memory: memp.Memory) -> None:
    """The message says under which name it is here; the same retry token gives the same record."""
    record = memory.add(BY_HAND, key="k", name="tidy up")
    assert memory.add(BY_HAND, key="k", name="tidy up") == record
    with pytest.raises(memp.RetryKeyError):
        memory.add(TWO, key="k")
    before = memory.position
    with pytest.raises(memp.ConflictError, match="'tidy-up'"):
        memory.add(BY_HAND)
    assert memory.position == before


def test_a_script_with_mistakes_is_not_added(memory: memp.Memory) -> None:
    """All mistakes are told, and nothing is written."""
    with pytest.raises(memp.ScriptError) as caught:
        memory.add(BY_HAND.replace("take(", "tkae(").replace("go_to(", "goto("))
    assert len(caught.value.mistakes) == 2
    with pytest.raises(memp.ScriptError, match="martian"):
        memory.add(BY_HAND.replace("household", "martian"))
    assert memory.position == 0


def test_runs_support_what_was_written_by_hand_and_offer_a_candidate(memory: memp.Memory) -> None:
    """A hand-written script is not rewritten: runs of its skeleton support it, and what they say waits beside it."""
    memory.add(BY_HAND)
    report = memory.learn(PLACED, build="induce")
    (procedure,) = memory.procedures()
    assert (report.added, report.generalised) == ((), ("tidy",))
    assert "mind the step" in (procedure.script or "")
    assert procedure.support == 2
    assert [r.status for r in procedure.revisions] == [RevisionStatus.ACTIVE, RevisionStatus.CANDIDATE]
    assert not memory.learn(PLACED, build="induce").events


def test_a_reflected_procedure_is_not_rewritten_by_further_runs(memory: memp.Memory) -> None:
    """After a reflection, runs of the old skeleton support it and offer a candidate that covers all of them."""
    memory.learn(PLACED[:1], build="induce")
    (procedure,) = memory.procedures()
    memory.reflect(
        procedure.id,
        script="note('look twice')\nsource = find(thing)\ntake(thing, source)",
        critique="c",
        activate=True,
    )
    memory.learn(PLACED[1:], build="induce")
    (procedure,) = memory.procedures()
    assert "look twice" in (procedure.script or "")
    assert procedure.support == 2
    candidate = procedure.revisions[-1]
    assert candidate.status is RevisionStatus.CANDIDATE
    assert len(candidate.sources) == 2
    assert 'likely=["floor", "stool"]' in (candidate.content.script or "")


def test_reflecting_checks_and_keeps_the_frame(memory: memp.Memory) -> None:
    """Steps alone keep the frame, a whole script brings its own; both are stored in canonical form."""
    memory.learn(PLACED, build="induce")
    (procedure,) = memory.procedures()
    memory.reflect(procedure.id, script="go_to( target )", critique="c", activate=True)
    said = memory.procedure(procedure.id)
    assert said.patterns == procedure.patterns
    assert (said.script or "").endswith("(thing: Object, target: Receptacle):\n    go_to(target)\n")
    memory.reflect(procedure.id, script=BY_HAND, critique="c", activate=True)
    assert memory.procedure(procedure.id).patterns == ("tidy {thing} into {target}",)
    before = memory.position
    with pytest.raises(memp.ScriptError) as caught:
        memory.reflect(procedure.id, script="go_to(tarfet)\nfly(thing)", critique="c")
    assert len(caught.value.mistakes) == 2
    assert memory.position == before


def test_steps_for_a_kept_run_get_a_frame(memory: memp.Memory) -> None:
    """A procedure that was only a run becomes an untyped script with the slots of its pattern."""
    memory.learn(PLACED[:1])
    (procedure,) = memory.procedures()
    memory.reflect(procedure.id, script='do(f"fetch {name}")', critique="c", activate=True)
    script = memp.parse_script(memory.procedure(procedure.id).script or "")
    assert [parameter.name for parameter in script.procedures[0].parameters] == ["name", "name_2"]
    with pytest.raises(memp.ScriptError, match="'nobody' is not known"):
        memory.reflect(procedure.id, script='do(f"fetch {nobody}")', critique="c")


def test_undoing_a_source_gives_what_the_other_runs_alone_would(memory: memp.Memory) -> None:
    """A procedure that other runs also support is built again from those, in the same toolset."""
    memory.learn(PLACED, build="induce")
    first = (next(iter(memory.events(type="trajectory-recorded"))).data or {})["trajectory_id"]
    memory.undo(source=first, reason="it was a fluke")
    with memp.open(":memory:") as other:
        other.learn(PLACED[1:], build="induce")
        assert memory.state_digest() == other.state_digest()


def test_rederiving_builds_every_run_once(memory: memp.Memory) -> None:
    """Runs of several toolsets and of none are each built in the words that they were built in."""
    words = memp.Trajectory(task="hum a tune", steps=[memp.Step(action="hum", observation="Hm.")], reward=1.0)
    memory.learn([*PLACED, words], build="induce")
    fork = memory.rederive("anew")
    assert fork.state_digest() == memory.state_digest()
