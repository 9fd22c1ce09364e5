"""The story of a procedure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import memp
from memp.events import (
    ProcedureAdded,
    ProcedureReflected,
    ProcedureValidated,
    RevisionAccepted,
    RevisionRejected,
)
from memp.history.why import Story, why
from memp.model import Content, ContentKey, EventId, ProcedureId

Run = Callable[..., memp.Trajectory]
P = ProcedureId("p")


def sentences(story: Story) -> list[str]:
    """What is told, in order."""
    return [told.sentence for told in story.told]


@pytest.fixture
def soup(memory: memp.Memory, run: Run) -> memp.Memory:
    """A memory with a procedure that was built from two runs, served, and rewritten."""
    memory.learn([run("warm the soup", "heat soup 1", agent=agent) for agent in ("a", "b")])
    memory.validate("warm-the-soup", success=True)
    memory.validate("warm-the-soup", success=False, reason="It burnt.")
    memory.validate("warm-the-soup", success=False, judge="rule", reward=0.25)
    memory.reflect("warm-the-soup", script='do("stir")', critique="Nobody stirred", reason="It burnt", activate=True)
    return memory


def test_the_story_is_told_in_order(soup: memp.Memory) -> None:
    """Runs, who added it, evidence summed up, revisions with their reasons, and what became of it."""
    soup.reflect("warm-the-soup", script='do("wait")', critique="Too hasty")
    soup.erase("warm-the-soup", reason="Nobody eats soup")
    soup.unerase("warm-the-soup", reason="Winter came")
    story = soup.why("warm-the-soup")
    assert sentences(story) == [
        "Recorded 2 runs, 2 won: warm the soup.",
        "Added, built by verbatim from 2 runs.",
        "Helped in 1 of 2 episodes, says a person; against it: It burnt.",
        "Did not help, says a rule, reward 0.25.",
        "Rewritten: Nobody stirred. It burnt.",
        "Offered as a candidate: Too hasty.",
        "Erased: Nobody eats soup.",
        "Brought back: Winter came.",
    ]
    positions = [told.position for told in story.told]
    assert positions == sorted(positions)
    assert {told.actor for told in story.told} == {"me"}
    assert len(story.told[0].more) == 1
    assert story.procedure == soup.procedure("warm-the-soup")


def test_runs_of_different_outcome_are_counted(memory: memp.Memory, run: Run) -> None:
    """A summary of runs says how many were won and how many lost, and of how many tasks."""
    memory.learn([run("warm it", "heat", agent="a"), run("warm it", "heat", reward=0.0)], policy="vanilla")
    assert sentences(memory.why("warm-it"))[0] == "Recorded 2 runs, 1 won, 1 lost: warm it."
    memory.learn([run("boil it", "heat")])
    memory.merge(["warm-it", "boil-it"], reason="alike")
    told = sentences(memory.why("warm-it-2"))
    assert told == [
        "Recorded 3 runs, 2 won, 1 lost: warm it and 1 other task.",
        "Merged from 'warm-it', 'boil-it': alike.",
    ]
    assert sentences(memory.why("boil-it"))[-1] == "Merged into 'warm-it-2': alike."


def test_undo_and_its_undo_are_told(soup: memp.Memory) -> None:
    """What is out of force is marked, and the undo that took it away has its place in the story."""
    [bad] = list(soup.events(type="procedure-reflected"))
    undo = soup.undo([bad.event_id], reason="Worse than before")
    story = soup.why("warm-the-soup")
    assert [told.position for told in story.told if not told.in_force] == [bad.position]
    assert sentences(story)[-1] == f"Undid #{bad.position}: Worse than before."
    soup.undo([undo.event_id], reason="It was right")
    story = soup.why("warm-the-soup")
    assert [told.in_force for told in story.told][-3:] == [True, False, True]
    assert sentences(story)[-1] == f"Undid #{undo.position}: It was right."


def test_a_procedure_that_was_undone_has_a_story(soup: memp.Memory) -> None:
    """The story of what is not there any more ends with what took it away."""
    id = soup.procedure("warm-the-soup").id
    [added] = soup.events(type="procedure-added")
    soup.undo([added.event_id], reason="From a bad source", on_dependents="cascade")
    for wanted in ("warm-the-soup", id, id[:30]):
        story = soup.why(wanted)
        assert (story.id, story.name, story.procedure) == (id, "warm-the-soup", None)
        assert sentences(story)[-1].startswith("Undid #")
    assert json.loads(json.dumps(story.to_dict()))["status"] is None
    with pytest.raises(memp.ProcedureNotFoundError):
        soup.why("boil-the-milk")


def test_an_undo_of_many_names_the_first(memory: memp.Memory, run: Run) -> None:
    """A sentence is no list."""
    memory.learn([run("warm the soup", "heat", agent=str(number)) for number in range(6)])
    memory.undo(batch=next(memory.events(type="procedure-added")).batch, reason="a bad hour", on_dependents="cascade")
    assert sentences(memory.why("warm-the-soup"))[-1] == "Undid #2, #3, #4, #5 and 3 more: a bad hour."


def test_the_past_has_a_shorter_story(soup: memp.Memory) -> None:
    """A view tells what had happened by then."""
    soup.tag("before")
    soup.erase("warm-the-soup", reason="r")
    assert soup.at("before").why("warm-the-soup").told == soup.why("warm-the-soup").told[:-1]


def test_what_was_promoted_says_so(soup: memp.Memory) -> None:
    """An event that was said again on this branch names the fork that it comes from."""
    trial = soup.fork("trial")
    trial.erase("warm-the-soup", reason="No soup")
    soup.promote("trial", reason="It went well")
    assert sentences(soup.why("warm-the-soup"))[-1] == "Erased: No soup. Promoted from 'trial'."


def test_verdicts_and_kept_dependents_are_told(life: Any) -> None:
    """A verdict names the candidate by its position."""
    content = Content(task="t", script="go")
    key = ContentKey("k")
    one = life.tell(ProcedureAdded(procedure_id=P, name="n", builder="hand", content_key=key, content=content))
    base: dict[str, Any] = {"procedure_id": P, "base": one, "content_key": key, "content": content}
    two = life.tell(ProcedureReflected(**base, critique="What?"), one)
    three = life.tell(ProcedureReflected(**base, critique="Why"), one)
    life.tell(RevisionRejected(procedure_id=P, revision=two, reason="worse"))
    life.tell(RevisionAccepted(procedure_id=P, revision=three, reason="better"))
    life.tell(RevisionAccepted(procedure_id=P, revision=EventId("gone"), reason="x"))
    assert sentences(why(life.state, P)) == [
        "Added, built by hand from 0 runs.",
        "Offered as a candidate: What?",
        "Offered as a candidate: Why.",
        "Rejected #2: worse.",
        "Accepted #3: better.",
        "Accepted #?: x.",
    ]


def test_what_was_purged_is_told_as_that(life: Any) -> None:
    """Without its body an event says nothing, and the rest of the story stands."""
    content = Content(task="t", script="go")
    key = ContentKey("k")
    one = life.tell(ProcedureAdded(procedure_id=P, name="n", builder="hand", content_key=key, content=content))
    base: dict[str, Any] = {"procedure_id": P, "base": one, "content_key": key, "content": content}
    two = life.tell(ProcedureReflected(**base, critique="Mr Smith said so", candidate=False), one)
    three = life.tell(ProcedureValidated(procedure_id=P, revision=two, success=True))
    state = life.without_bodies(two, three)
    told = sentences(why(state, P))
    assert told == ["Added, built by hand from 0 runs.", "What it said was purged.", "What it said was purged."]
    assert sentences(why(life.without_bodies(one, two, three), P)) == ["What it said was purged."] * 3


def test_any_event_can_be_told(soup: memp.Memory) -> None:
    """Events are told one by one for who plans an undo."""
    [first, *_] = soup.events()
    [added] = soup.events(type="procedure-added")
    told = soup.tell([added.event_id, first.event_id])
    assert [one.position for one in told] == [added.position, 1]
    assert told[0].to_dict()["sentence"] == "Added, built by verbatim from 2 runs."
    with pytest.raises(memp.NotFoundError):
        soup.tell(["nothing"])
