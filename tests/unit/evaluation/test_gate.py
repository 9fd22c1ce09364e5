"""The gate: what harms is turned down with the numbers, what does not is let in, and nobody is served what waits."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

import memp
from memp.codec import decode
from memp.errors import ConflictError, InvalidInputError
from memp.evaluation.agents.named import register_agent
from memp.evaluation.gate import judge
from memp.evaluation.result import Attempt, Result
from memp.evaluation.suite import Suite, register_suite
from memp.events import EvaluationRecorded
from memp.state import State
from memp.update.base import AcceptRevision, Command, FinishedEpisode, Policy, ReflectOn
from memp.update.trial import open_candidates
from tests.unit.evaluation.tiny import Lot, Sure, boxes, memory_of, say, script


def make_boxes(*, seed: int, n: int | None) -> Suite:
    """Make the suite of boxes by its name."""
    del seed
    return boxes(20 if n is None else n)


def make_sure(memory: object) -> Sure:
    """Make the agent without luck."""
    del memory
    return Sure()


register_suite("boxes", make_boxes)
register_agent("sure", make_sure)


def gated(chances: list[int], **options: float) -> memp.Memory:
    """Return a memory with a gate of twenty boxes."""
    memory, _ = memory_of(chances)
    memory.set_gate(memp.suite("boxes"), Sure(), **options)  # type: ignore[arg-type]
    return memory


# -- working through what waits ----------------------------------------------------------------------------------------


def test_what_harms_is_rejected_and_what_helps_is_accepted() -> None:
    """Candidates are judged in turn, each against what was accepted before, and the numbers are in the log."""
    with gated([60]) as memory:
        worse = say(memory, 40, "hurry", activate=False)
        better = say(memory, 90, "take care", activate=False)
        between = say(memory, 80, "take some care", activate=False)
        verdicts = memp.gate(memory)
        assert [(one.revision, one.verdict) for one in verdicts] == [
            (worse.event_id, "rejected"),
            (better.event_id, "accepted"),
            (between.event_id, "rejected"),
        ]
        assert "try 90" in str(memory.procedure("open-the-box").script)
        first, second, third = (one.judgement for one in verdicts)
        assert first is not None
        assert second is not None
        assert third is not None
        assert (first.base, first.candidate, len(first.lost)) == (0.6, 0.4, 4)
        assert (second.base, second.candidate, second.lost) == (0.6, 0.9, ())
        assert (third.base, third.candidate) == (0.9, 0.8), "the base is what was accepted before"
        assert "60.0%" in verdicts[0].reason
        assert "box/8" in verdicts[0].reason
        assert memp.gate(memory) == ()


def test_a_verdict_names_its_evaluation_as_its_cause() -> None:
    """From the verdict to every attempt it rests on."""
    with gated([60]) as memory:
        say(memory, 40, "hurry", activate=False)
        [verdict] = memp.gate(memory)
        records = {record.event_id: record for record in memory.events()}
        [rejected] = [record for record in records.values() if record.type == "revision-rejected"]
        assert rejected.cause == verdict.evaluation
        assert verdict.evaluation is not None
        evaluation = records[verdict.evaluation]
        assert evaluation.type == "evaluation-recorded"
        assert evaluation.data is not None
        assert {attempt["arm"] for attempt in evaluation.data["attempts"]} == {"base", "candidate"}


def test_what_is_served_for_no_task_waits() -> None:
    """Of a candidate that nobody meets nothing can be said, so nothing is."""
    with gated([60]) as memory:
        memory.add('@procedure("feed the cat")\ndef feed_the_cat():\n    do("open a tin")\n', name="feed-the-cat")
        for _ in range(3):
            memory.add(script(60, f"twin {_}").replace("open_the_box", f"open_the_box_{_}"), name=f"open-the-box-{_}")
        memory.reflect("feed-the-cat", script='do("open two tins")\n', critique="it is hungry")
        before = memory.position
        [verdict] = memp.gate(memory)
        assert (verdict.verdict, verdict.judgement) == ("waits", None)
        assert "nothing can be said" in verdict.reason
        assert memory.position == before
        assert len(memory.candidates()) == 1


def test_a_dry_run_writes_nothing() -> None:
    """It says what would become of each, against the present."""
    with gated([60]) as memory:
        say(memory, 40, "hurry", activate=False)
        say(memory, 90, "take care", activate=False)
        before = memory.position
        assert [one.verdict for one in memp.gate(memory, dry_run=True)] == ["rejected", "accepted"]
        assert memory.position == before


def test_a_candidate_on_trial_is_what_accepting_it_would_give() -> None:
    """The version that is measured has the digest of the version that the verdict then makes."""
    with gated([60]) as memory:
        waiting = say(memory, 90, "take care", activate=False)
        trying = memory.trying([waiting.event_id])
        found = trying.retrieve("open the box")
        memory.accept(waiting.event_id, reason="try it")
        assert trying.state_digest() == memory.state_digest()
        assert found.prompt() == memory.retrieve("open the box").prompt()
        with pytest.raises(ConflictError):
            memory.trying([waiting.event_id])


# -- while a gate is set -----------------------------------------------------------------------------------------------


def eager(state: State, episode: FinishedEpisode) -> Iterator[Command]:
    """Rewrite what was served and accept it at once, whatever it is worth: a deliberately bad reflector."""
    served = episode.served[0]
    procedure = served.procedure
    chance = max(5, int(str(served.revision.content.script).split("try ")[1].split('"')[0]) - 5)
    yield ReflectOn(
        procedure_id=procedure.id,
        base=served.revision.id,
        content=attrs.evolve(served.revision.content, script=script(chance, f"worse {episode.id}")),
        critique="do less",
        reason="to be quick",
    )
    now = state.get(procedure.id)
    assert now is not None
    newest = open_candidates(now)[-1]
    yield AcceptRevision(procedure_id=procedure.id, revision=newest.id, reason="at once")


def live(memory: memp.Memory, *, policy: Policy | str = eager) -> None:
    """Live through one episode, by default with the bad reflector."""
    with memory.episode("open the box", policy=policy) as episode:
        episode.step(action="wait")
        episode.finish(reward=0.0)


def test_no_policy_accepts_while_a_gate_is_set() -> None:
    """The candidate is there and waits; the episode's remarks say why."""
    with gated([60]) as memory:
        live(memory)
        assert "try 60" in str(memory.procedure("open-the-box").script)
        assert len(memory.candidates()) == 1
        [finished] = memory.events(type="episode-finished")
        assert finished.data is not None
        assert any("waits for it" in remark for remark in finished.data["remarks"])
        memory.set_gate(None, reason="enough")
        assert memory.gate() is None
        live(memory)
        assert "try 55" in str(memory.procedure("open-the-box").script)


def test_nobody_is_served_a_candidate_while_a_gate_is_set() -> None:
    """Trials by episode are for stores without a gate."""
    with gated([60]) as memory:
        say(memory, 40, "hurry", activate=False)
        for _ in range(4):
            with memory.episode("open the box", policy="trial") as episode:
                assert "try 60" in episode.prompt
                episode.finish(success=True)
        memory.set_gate(None)
        served = []
        for _ in range(2):
            with memory.episode("open the box", policy="trial") as episode:
                served.append("try 40" in episode.prompt)
                episode.finish(success=True)
        assert any(served)


def test_by_hand_it_stays_possible_and_says_so() -> None:
    """A person may pass the gate by; the log tells."""
    with gated([60]) as memory:
        waiting = say(memory, 40, "hurry", activate=False)
        record = memory.accept(waiting.event_id, reason="I know better")
        assert record.data is not None
        assert record.data["reason"] == "I know better (by hand, past the gate)"
        assert record.cause is None


def test_two_hundred_episodes_with_a_bad_reflector() -> None:
    """Ungated, success decays; gated, it never falls below its best by more than the tolerance."""
    curves = {}
    for name in ("ungated", "gated"):
        memory, _ = memory_of([90])
        with memory, memp.Runner(memory, boxes(), Sure()) as runner:
            if name == "gated":
                memory.set_gate(memp.suite("boxes"), "sure", tolerance=0.0)
            curve = []
            for episode in range(200):
                live(memory, policy=eager if episode % 5 == 0 else "none")
                if name == "gated" and episode % 40 == 39:
                    memp.gate(memory)
                if episode % 20 == 19:
                    curve.append(sum(one.won for one in runner.attempts(memory)) / 20)
            curves[name] = curve
    assert curves["ungated"][-1] <= 0.05 < 0.5 <= curves["ungated"][0]
    best = 0.0
    for share in curves["gated"]:
        best = max(best, share)
        assert share >= best - 0.0
    assert curves["gated"][-1] == 0.9


# -- what is set -------------------------------------------------------------------------------------------------------


def test_a_gate_is_an_event_and_belongs_to_its_version() -> None:
    """Another process finds the suite and the agent by their names; before it was set there was none."""
    with gated([60], tolerance=0.1, confidence=0.9) as memory:
        setting = memory.gate()
        assert setting is not None
        assert (setting.suite, setting.agent, setting.tolerance, setting.confidence) == ("boxes", "sure", 0.1, 0.9)
        assert setting.suite_digest == memp.suite("boxes").digest
        assert memory.at("v1").gate() is None
        fork = memory.fork("trial")
        fork.set_gate(None)
        assert fork.gate() is None
        assert memory.gate() == setting


def test_another_suite_or_agent_is_refused() -> None:
    """A verdict by other tasks, or of another agent, is not the one that was asked for."""
    with gated([60]) as memory:
        with pytest.raises(InvalidInputError, match="digest"):
            memp.gate(memory, memp.suite("boxes", n=5))
        with pytest.raises(InvalidInputError, match="'sure'"):
            memp.gate(memory, agent=Lot())
    with memp.open(":memory:") as memory, pytest.raises(InvalidInputError, match="No gate is set"):
        memp.gate(memory)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"tolerance": -0.1}, "tolerance"),
        ({"tolerance": 1.0}, "tolerance"),
        ({"confidence": 0.5}, "confidence"),
        ({"confidence": 1.0}, "confidence"),
        ({"seeds": ()}, "seeds"),
        ({"seeds": (1, 1)}, "seeds"),
        ({"agent": 7}, "agent"),
    ],
)
def test_wrong_values_are_refused(options: dict[str, float], named: str) -> None:
    """The error says which, and nothing is written."""
    with memp.open(":memory:") as memory:
        with pytest.raises(InvalidInputError, match=named):
            memory.set_gate(boxes(), **({"agent": Sure()} | options))  # type: ignore[arg-type]
        with pytest.raises(InvalidInputError, match="suite"):
            memory.set_gate("boxes")  # type: ignore[arg-type]
        assert memory.position == 0


# -- the judgement -----------------------------------------------------------------------------------------------------


def attempts(won: list[list[bool]]) -> list[Attempt]:
    """Return attempts, for each task one for each seed."""
    return [
        Attempt(arm="x", task_id=f"t{task}", seed=seed, won=one)
        for task, of_seeds in enumerate(won)
        for seed, one in enumerate(of_seeds)
    ]


def test_one_lost_task_is_enough_however_many_are_won() -> None:
    """The guarantee is about each task that worked, not about the mean."""
    base, tried = attempts([[True]] + [[False]] * 9), attempts([[False]] + [[True]] * 9)
    judged = judge(base, tried, exact=True, tolerance=0.5, confidence=0.95)
    assert not judged.passes
    assert judged.lost == ("t0",)
    assert len(judged.gained) == 9


def test_an_agent_that_varies_must_show_that_it_does_no_harm() -> None:
    """The burden of proof is the candidate's: what may be worse by more than the tolerance is turned down."""
    base = attempts([[True, True, False]] * 40)
    same = attempts([[True, False, True]] * 40)
    unsure = attempts([[True, True, False]] * 30 + [[False, True, False]] * 6 + [[True, True, True]] * 4)
    for tried, tolerance, passes in ((same, 0.0, True), (unsure, 0.0, False), (unsure, 0.2, True)):
        judged = judge(base, tried, exact=False, tolerance=tolerance, confidence=0.95)
        assert judged.passes is passes, judged.why
    lost = attempts([[True] * 8] * 1 + [[True] * 8] * 39)
    gone = attempts([[False] * 8] * 1 + [[True] * 8] * 39)
    judged = judge(lost, gone, exact=False, tolerance=0.3, confidence=0.95)
    assert judged.lost == ("t0",)
    assert not judged.passes


def test_falls_that_are_tolerable_one_by_one_do_not_add_up() -> None:
    """With an agent that varies, success stays within the tolerance of the best that was measured."""
    base, tried = attempts([[True]] * 80 + [[False]] * 20), attempts([[True]] * 78 + [[False]] * 22)
    assert judge(base, tried, exact=False, tolerance=0.1, confidence=0.95, best=0.85).passes
    assert not judge(base, tried, exact=False, tolerance=0.1, confidence=0.95, best=0.95).passes
    assert judge(base, base, exact=False, tolerance=0.1, confidence=0.95, best=0.95).passes, "it does not fall"


def test_other_tasks_are_no_pair() -> None:
    """What is compared is the same tasks with the same seeds."""
    with pytest.raises(InvalidInputError, match="same tasks"):
        judge(attempts([[True]]), attempts([[True], [True]]), exact=True, tolerance=0.0, confidence=0.95)


def test_an_evaluation_of_the_gate_can_be_read_again() -> None:
    """What is on record is a result like others."""
    with gated([60]) as memory:
        say(memory, 90, "take care", activate=False)
        memp.gate(memory)
        [record] = memory.events(type="evaluation-recorded")
        assert record.body is not None
        event = decode(record.type, record.schema, record.body)
        assert isinstance(event, EvaluationRecorded)
        result = Result.from_event(event)
        assert result.compare("base", "candidate").success.difference == pytest.approx(0.3)
