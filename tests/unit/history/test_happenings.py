"""What happened beside procedures, told in sentences: in the log, and by a view that knows names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import memp
from memp import codec
from memp.events import EVENT_TYPES, Event, ProcedureAdded, ProcedureValidated
from memp.history.happenings import happening

RECORDS = Path(__file__).parents[2] / "golden" / "records" / "schema-1.jsonl"


def run(task: str, action: str) -> memp.Trajectory:
    return memp.Trajectory(task=task, steps=[memp.Step(action=action, observation="Done.")], reward=1.0)


def golden() -> dict[str, Event]:
    """One event of each kind."""
    found: dict[str, Event] = {}
    for line in RECORDS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        record = row.get("record", row)
        body = record["body"] if isinstance(record["body"], str) else json.dumps(record["body"])
        found[record["type"]] = codec.decode(record["type"], record["schema"], body.encode(), position=1)
    return found


def test_a_day_with_an_agent_reads_as_sentences() -> None:
    """Every event of an episode, of the rules and of the queue says what it says, with the names of procedures."""
    with memp.open(":memory:", actor="test") as memory:
        memory.learn([run("find two pens", "take pen 1")])
        after = memory.position
        memory.set_policy("validation", "erasure", max_procedures=9, half_life_days=30, reason="we tidy up")
        with memory.episode("find two pens") as episode:
            episode.step(action="take pen 2", observation="Done.")
            episode.finish(reward=0.5, tokens=12)
        with memory.episode("knit a sock") as episode:
            episode.step(action="take wool")
        memory.learn_later([run("water plants", "water plant 1"), run("open the window", "open window 1")])
        memory.drop(memory.queue()[0].id, reason="not ours")
        memory.drain()
        memory.tag("evening", reason="a good day")
        told = memory.tell([r.event_id for r in memory.events() if r.position > after])
    said = [one.sentence for one in told]
    for expected in (
        "Outcomes are decided by validation, erasure; build 'verbatim', outcomes count half after 30 days, "
        "at most 9 procedures. we tidy up.",
        "An agent began: find two pens. It was served 'find-two-pens'.",
        "The agent did not solve its task in 1 step, reward 0.5, 12 tokens.",
        "The episode was abandoned after 1 step: the block was left without an outcome.",
        "Put a run by for later, won: water plants.",
        "Dropped a run that waited: not ours.",
        "Took a run out of the queue and learned from it: it was its turn.",
    ):
        assert any(sentence.startswith(expected) for sentence in said), (expected, said)
    assert not any("purged" in sentence for sentence in said)
    assert any(sentence.startswith("Called #") and "'evening'. a good day." in sentence for sentence in said)


def test_what_was_purged_is_told_as_that() -> None:
    """An episode whose body was removed says so and nothing else."""
    with memp.open(":memory:", actor="test") as memory:
        memory.learn([run("find two pens", "take pen 1")])
        with memory.episode("find two pens") as episode:
            episode.step(action="take pen 3")
            episode.finish(reward=0)
        [lived] = memory.episodes()
        assert lived.trajectory_id is not None
        memory.purge(trajectory_ids=[lived.trajectory_id], derived=True, reason="asked for")
        [started] = [record.event_id for record in memory.events(type="episode-started")]
        assert memory.tell([started])[0].sentence.startswith("What it said was purged by #")


@pytest.mark.parametrize("kind", sorted(golden()))
def test_every_kind_of_event_is_told_somewhere(kind: str) -> None:
    """What is about no procedure, run or undo has a sentence that ends as one; the others are told by their stories."""
    said = happening(golden()[kind])
    told_elsewhere = kind.startswith(("procedure-", "revision-")) or kind in ("trajectory-recorded", "events-undone")
    assert (said is None) == told_elsewhere
    assert said is None or said[-1] in ".!?…"


def test_the_golden_records_hold_every_kind() -> None:
    """A kind of event without a golden record would be asked by none of these tests."""
    assert set(golden()) == set(EVENT_TYPES)
    assert happening(golden()[ProcedureAdded.TYPE]) is None
    assert happening(golden()[ProcedureValidated.TYPE]) is None
