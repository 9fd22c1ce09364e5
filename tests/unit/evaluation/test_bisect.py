"""Which event made it worse: the one that was planted is named, in few evaluations, or nothing is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

import memp
from memp.errors import InvalidInputError
from memp.evaluation.agent import Act, play
from memp.evaluation.agents import Explorer
from memp.evaluation.household import Household, make_tasks
from memp.evaluation.suite import Suite
from memp.history.changes import changes_between, version_after
from memp.state import State
from memp.update.base import AcceptRevision, Command, FinishedEpisode, ReflectOn
from memp.update.trial import open_candidates
from tests.unit.evaluation.tiny import Lot, Sure, boxes, memory_of, say, script

HARM = 'for _ in times(60):\n    go_to("fridge 1")\n    go_to("countertop 1")\n'
"""Walks to and fro until the steps are used up."""


def learned(tasks: int = 36) -> memp.Memory:
    """Return a memory that has learned what an explorer did in the household."""
    memory = memp.open(":memory:")
    world, explorer = Household(), Explorer(seed=7)
    memory.learn([play(world, task, explorer) for task in make_tasks(tasks, seed=7)], build="both", toolset="household")
    return memory


def rewritten(memory: memp.Memory, name: str, note: str) -> memp.Record:
    """Rewrite a procedure to say the same, and one thing more that nobody acts on."""
    said = memory.procedure(name).script
    assert said is not None
    kept = "\n".join(line for line in said.rstrip().split("\n") if "note(" not in line)
    return memory.reflect(name, script=f'{kept}\n    note("{note}")\n', critique=note, activate=True)


# -- the household, with a script that always does the same ------------------------------------------------------------


def test_a_planted_reflection_among_two_hundred_that_all_change_what_is_served() -> None:
    """At most nine evaluations besides the two ends name it, although every single event is served to somebody."""
    suite = memp.suite("household", n=18, seed=3)
    with learned() as memory:
        served = memory.retrieve("put a mug in the cabinet 1")[0].procedure.name
        hurt = memory.retrieve("clean some mug and put it in the cabinet")[0].procedure.name
        memory.tag("v1")
        for number in range(137):
            rewritten(memory, served, f"change {number}")
        planted = memory.reflect(hurt, script=HARM, critique="look at the fridge first", activate=True)
        for number in range(137, 199):
            rewritten(memory, served, f"change {number}")
        memory.tag("v2")
        found = memp.bisect(memory, suite, "follower", good="v1", bad="v2")
    assert found.found
    assert (found.event, found.position) == (planted.event_id, planted.position)
    assert (found.changes, found.versions) == (200, 200)
    assert found.evaluations <= 9
    assert found.error_rate is None
    assert found.evidence is not None
    assert found.evidence.lost
    assert found.evidence.after < found.evidence.before
    assert found.evidence.without == found.evidence.before, "without it, all is as it was"
    assert "look at the fridge first" in found.sentence


def test_events_that_are_served_to_nobody_cost_no_evaluation() -> None:
    """Of two hundred events one changes what a task of the suite is served: nothing needs to be played to find it."""
    suite = memp.suite("household", n=12, seed=3)
    with learned() as memory:
        names = [procedure.name for procedure in memory.procedures()]
        hurt = memory.retrieve("clean some mug and put it in the cabinet")[0].procedure.name
        memory.tag("v1")
        for number in range(120):
            memory.validate(names[number % len(names)], reward=1.0, judge="rule")
        planted = memory.reflect(hurt, script=HARM, critique="look at the fridge first", activate=True)
        for number in range(79):
            memory.validate(names[number % len(names)], reward=0.0, judge="rule")
        memory.tag("v2")
        found = memp.bisect(memory, suite, good="v1", bad="v2", budget=0)
    assert found.event == planted.event_id
    assert (found.changes, found.versions, found.evaluations) == (200, 1, 0)
    assert found.evidence is not None
    assert found.evidence.without is None, "the budget allowed no more"


# -- a world of one action: exact --------------------------------------------------------------------------------------


def test_the_budget_ends_a_search_with_what_is_known() -> None:
    """What is left to do is said by two positions, and a larger budget goes on from there."""
    memory, records = memory_of([80] * 40 + [30] * 24)
    with memory:
        found = memp.bisect(memory, boxes(), Sure(), good="v1", bad="v2", budget=3)
        assert not found.found
        assert found.event is None
        assert found.evaluations == 3
        assert found.between[0] < records[39].position <= found.between[1]
        assert "budget" in str(found)
        assert memp.bisect(memory, boxes(), Sure(), good="v1", bad="v2").event == records[39].event_id


def test_what_is_no_worse_is_nothing_to_find() -> None:
    """Where the later version is as good, or better, the answer is that."""
    memory, _ = memory_of([50, 60, 70])
    with memory:
        found = memp.bisect(memory, boxes(), Sure(), good="v1", bad="v2")
    assert (found.found, found.evaluations) == (False, 0)
    assert "not worse" in found.why


def test_what_is_served_to_nobody_cannot_have_done_it() -> None:
    """Where both ends serve the same, nothing is played."""
    with memp.open(":memory:") as memory:
        memory.add(script(80), name="open-the-box")
        memory.tag("v1")
        memory.validate("open-the-box", reward=1.0)
        found = memp.bisect(memory, boxes(), Sure(), good="v1", bad=memory.position)
    assert (found.found, found.result) == (False, None)
    assert "serve the same" in found.why


def test_what_was_taken_back_is_not_named() -> None:
    """An event that hurt and was undone before the bad end is no answer, wherever the row is halved."""
    memory, _ = memory_of([80])
    with memory:
        gone = [say(memory, 10, f"mistake {number}") for number in range(6)]
        memory.undo([record.event_id for record in gone], reason="they hurt")
        for number in range(3):
            say(memory, 80, f"change {number}")
        planted = say(memory, 40, "the one that is left")
        say(memory, 40, "and one more")
        found = memp.bisect(memory, boxes(), Sure(), good="v1", bad=memory.position)
    assert found.event == planted.event_id
    assert found.changes == 6, "three that did nothing, the undo, and the two at the end"


def test_an_undo_can_be_what_hurt() -> None:
    """Taking back what helped is an event like others, and undoing it is the way out."""
    memory, [helped] = memory_of([40, 90])
    with memory:
        undo = memory.undo([helped.event_id], reason="it looked odd")
        found = memp.bisect(memory, boxes(), Sure(), good="v2", bad=memory.position)
        assert found.event == undo.event_id
        assert found.evidence is not None
        assert found.evidence.without == 0.9
        memory.undo([str(found.event)], reason="bisect named it")
        again = memp.bisect(memory, boxes(), Sure(), good="v2", bad=memory.position)
    assert not again.found


def eager(state: State, episode: FinishedEpisode) -> Iterator[Command]:
    """Rewrite what was served to something worse, and accept it at once, in one operation."""
    served = episode.served[0]
    content = attrs.evolve(served.revision.content, script=script(20, "be quick"))
    yield ReflectOn(
        procedure_id=served.procedure.id,
        base=served.revision.id,
        content=content,
        critique="be quick",
        reason="to be quick",
    )
    procedure = state.get(served.procedure.id)
    assert procedure is not None
    candidate = open_candidates(procedure)[0]
    yield AcceptRevision(procedure_id=procedure.id, revision=candidate.id, reason="at once")


def test_of_an_operation_the_event_that_matters_is_named() -> None:
    """A reflection that came with evidence and its own acceptance is named, and the rest stands beside it."""

    memory, _ = memory_of([80])
    with memory:
        with memory.episode("open the box", policy=eager) as episode:
            episode.step(action="wait")
            episode.finish(reward=0.0)
        found = memp.bisect(memory, boxes(), Sure(), good="v1", bad=memory.position)
        [reflected] = memory.events(type="procedure-reflected")
        assert found.event == reflected.event_id
        assert len(found.events) > 1
        assert found.evidence is not None
        assert found.evidence.without == 0.8


def test_an_acceptance_is_named_with_what_it_let_in() -> None:
    """A candidate hurts nobody before it is accepted; the sentence says whose it was and what it said."""
    memory, _ = memory_of([80])
    with memory:
        waiting = say(memory, 20, "hurry up", activate=False)
        memory.validate("open-the-box", reward=1.0)
        accepted = memory.accept(waiting.event_id, reason="it looks right")
        found = memp.bisect(memory, boxes(), Sure(), good="v1", bad=memory.position)
    assert found.event == accepted.event_id
    assert "hurry up" in found.sentence
    assert f"#{waiting.position}" in found.sentence


def test_steps_and_rewards_are_searched_too() -> None:
    """Where no task is lost, a version can still take longer; a reward that is no share is refused."""
    suite = memp.suite("household", n=12, seed=3)
    with learned() as memory:
        hurt = memory.retrieve("clean some mug and put it in the cabinet")[0].procedure
        memory.tag("v1")
        detour = 'for _ in times(3):\n    go_to("fridge 1")\n    go_to("countertop 1")\n'
        steps = dedented(str(hurt.script).split(":\n", 1)[1])
        planted = memory.reflect(hurt.name, script=detour + steps, critique="walk about first", activate=True)
        found = memp.bisect(memory, suite, good="v1", bad=memory.position, measure="steps")
        assert found.event == planted.event_id
        with pytest.raises(InvalidInputError, match="measure"):
            memp.bisect(memory, suite, good="v1", bad=memory.position, measure="luck")  # type: ignore[arg-type]


def dedented(body: str) -> str:
    """Return the body of a script as steps alone."""
    return "\n".join(line[4:] for line in body.split("\n"))


# -- which versions lie between ----------------------------------------------------------------------------------------


def test_versions_must_follow_each_other() -> None:
    """The same version, an order the wrong way round, and another branch are each refused in their own words."""
    memory, _ = memory_of([80, 70, 60])
    with memory:
        for good, bad, said in (("v1", "v1", "same version"), ("v2", "v1", "earlier version")):
            with pytest.raises(InvalidInputError, match=said):
                memp.bisect(memory, boxes(), Sure(), good=good, bad=bad)
        fork = memory.fork("trial", at="v1")
        say(fork, 90, "on the fork")
        with pytest.raises(InvalidInputError, match="share their past up to position"):
            memp.bisect(memory, boxes(), Sure(), good="trial", bad="v2")
        with pytest.raises(memp.NotFoundError):
            memp.bisect(memory, boxes(), Sure(), good="v0", bad="v2")


def test_a_fork_is_searched_from_where_it_began() -> None:
    """The past that a fork shares is its own past too."""
    memory, _ = memory_of([80, 81])
    with memory:
        fork = memory.fork("trial")
        say(fork, 82, "one")
        planted = say(fork, 20, "two")
        say(memory, 5, "on main, after the fork")
        found = memp.bisect(memory, boxes(), Sure(), good="v1", bad="trial")
    assert found.event == planted.event_id


def test_without_undos_the_versions_are_those_that_there_were() -> None:
    """After each change, the version that leads to the bad end is the version at that position."""
    memory, _ = memory_of([80, 70, 60, 50])
    with memory:
        changes = changes_between(memory.at("v1"), memory)
        assert len(changes) == 3
        for change in changes:
            assert version_after(memory, change.position).state_digest() == memory.at(change.position).state_digest()


# -- an agent that varies ----------------------------------------------------------------------------------------------


def test_a_clear_fall_is_found_with_an_agent_that_varies() -> None:
    """An agent that wins by lot takes more evaluations, and still it is the planted event."""
    memory, records = memory_of([90] * 20 + [20] * 12)
    with memory:
        found = memp.bisect(memory, boxes(), Lot(), good="v1", bad="v2")
    assert found.event == records[19].event_id
    assert found.error_rate == 0.05
    assert found.result is not None
    assert {arm.name for arm in found.result.arms} >= {"v1", "v2"}


def test_a_noisy_agent_gets_no_guess() -> None:
    """Over many seeds: a fall too small for the suite is answered by "cannot tell", hardly ever by a wrong event."""
    suite, wrong, told = boxes(12), 0, 0
    memory, records = memory_of([60] * 6 + [52] * 6)
    with memory:
        for luck in range(20):
            found = memp.bisect(memory, suite, Lot(luck=luck), good="v1", bad="v2", budget=12)
            told += not found.found
            wrong += found.found and found.event != records[5].event_id
            assert found.found or str(found).startswith("Cannot tell")
    assert wrong <= 1, "one in twenty is the rate that was promised"
    assert told >= 18


def test_nothing_is_named_where_nothing_fell() -> None:
    """The error rate, end to end: two versions that win as often are told apart in at most one of twenty searches."""
    suite, named = boxes(12), 0
    memory, _ = memory_of([60] * 12)
    with memory:
        for luck in range(20):
            named += memp.bisect(memory, suite, Lot(luck=luck), good="v1", bad="v2", budget=10).found
    assert named <= 1


# -- stopping and going on ---------------------------------------------------------------------------------------------


class Breaks(Sure):
    """An agent whose process dies after some plays."""

    left = 30

    def start(self) -> Act:
        """Act, or die."""
        Breaks.left -= 1
        if Breaks.left < 0:
            raise KeyboardInterrupt
        return super().start()


def test_a_search_goes_on_from_its_journal(tmp_path: Path) -> None:
    """What was played before it was stopped is not played again, and the answer is the same."""
    memory, records = memory_of([80] * 20 + [30] * 12)
    journal = tmp_path / "plays.jsonl"
    with memory:
        Breaks.left = 50
        with pytest.raises(KeyboardInterrupt):
            memp.bisect(memory, boxes(), Breaks(), good="v1", bad="v2", journal=journal)
        Breaks.left = 10_000
        found = memp.bisect(memory, boxes(), Breaks(), good="v1", bad="v2", journal=journal)
        second = 10_000 - Breaks.left
        Breaks.left = 10_000
        whole = memp.bisect(memory, boxes(), Breaks(), good="v1", bad="v2")
        assert 10_000 - Breaks.left == second + 50
    assert found.event == whole.event == records[19].event_id
    assert found.evaluations == whole.evaluations


def test_what_was_found_can_be_written_down() -> None:
    """Plain values for programs, sentences for people, attempts for a comparison."""
    memory, records = memory_of([80, 78, 30, 30])
    with memory:
        found = memp.bisect(memory, boxes(), Sure(), good="v1", bad="v2")
    plain = json.loads(json.dumps(found.to_dict()))
    assert (plain["event"], plain["found"]) == (records[1].event_id, True)
    assert plain["told"] == str(found)
    told = found.told()
    assert told["found"] is True
    assert any("Tasks that went worse" in line for line in told["lines"])
    assert found.result is not None
    assert found.result.score("v1").success > found.result.score("v2").success
    assert isinstance(boxes(), Suite)
