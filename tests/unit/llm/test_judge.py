"""A model as judge, and how far it agrees with what is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import memp
from memp.errors import InvalidInputError, ModelAnswerError, ModelKeyError, TemplateError
from memp.llm.judge import agreement, judge_all
from memp.testing import ScriptedServer

VERDICT = {"score": 0.75, "reasons": ["The mug is in the cabinet."], "steps": [2, 1, 2]}


def run(task: str = "put a mug in the cabinet") -> memp.Trajectory:
    """A run of two steps."""
    steps = [memp.Step(action="take mug 1"), memp.Step(action="move mug 1")]
    return memp.Trajectory(task=task, steps=steps, reward=1.0)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that judges."""
    with ScriptedServer() as opened:
        opened.when("You judge", VERDICT)
        yield opened


@pytest.fixture
def judge(server: ScriptedServer) -> Iterator[memp.Judge]:
    """A judge that asks it."""
    opened = memp.Judge(memp.Model("small", base_url=server.url, attempts=1))
    yield opened
    opened.close()


def test_a_verdict_has_a_score_reasons_and_the_steps_that_it_cites(judge: memp.Judge, server: ScriptedServer) -> None:
    """Steps come sorted and once; the model is not told how the run ended."""
    verdict = judge.score(run())
    assert (verdict.score, verdict.success, verdict.steps) == (0.75, True, (1, 2))
    assert verdict.reasons == ("The mug is in the cabinet.",)
    assert "Outcome: for you to say" in server.requests[0].text


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({**VERDICT, "steps": [3]}, "The steps 3 do not exist: the run has the steps 1 to 2"),
        ({**VERDICT, "steps": [0, 2]}, "The steps 0 do not exist"),
        ({**VERDICT, "steps": []}, "No step is cited"),
        ({**VERDICT, "score": 1.5}, "from 0 to 1"),
        ({**VERDICT, "reasons": [" "]}, "no reasons"),
    ],
)
def test_a_verdict_that_cannot_be_checked_goes_back_to_the_model(
    judge: memp.Judge, server: ScriptedServer, answer: dict[str, object], complaint: str
) -> None:
    """What is wrong is said to the model, which may mend it; if it never does, that is an error."""
    server.say(answer)
    assert judge.score(run()).score == 0.75
    assert complaint in server.requests[1].texts[-1]
    assert complaint in judge.calls[0].error
    server.say(*[answer] * 3)
    with pytest.raises(ModelAnswerError):
        judge.score(run())


def test_a_rubric_is_a_text_a_file_or_a_template_that_names_the_task(server: ScriptedServer, tmp_path: Path) -> None:
    """The rubric stands in the question; one that is empty or no template is refused at once."""
    model = memp.Model("small", base_url=server.url)
    (tmp_path / "rubric.txt").write_text("Was {{ task }} done politely?\n")
    for rubric in ("Was {{ task }} done politely?", tmp_path / "rubric.txt"):
        opened = memp.Judge(model, rubric=rubric)
        opened.score(run())
        opened.close()
        assert "Was put a mug in the cabinet done politely?" in server.requests[-1].text
    with pytest.raises(InvalidInputError, match="'rubric' must say what counts"):
        memp.Judge(model, rubric=" ")
    with pytest.raises(TemplateError):
        memp.Judge(model, rubric="{{ reward }}")


def test_a_judge_stands_in_where_a_rule_cannot_say(judge: memp.Judge, server: ScriptedServer) -> None:
    """It is a metric; after a rule it is asked only for what the rule leaves open."""
    assert judge(run()) == 0.75
    metric = judge.after(lambda lived: 1.0 if "mug" in lived.task else None)
    assert (metric(run()), metric(run("put a pan away"))) == (1.0, 0.75)
    assert len(server.requests) == 2


def test_verdicts_with_a_memory_are_on_record_and_answered_from_it(server: ScriptedServer) -> None:
    """Each call is an event about the run; the same question is not asked again if it need not be."""
    model = memp.Model("small", base_url=server.url)
    with memp.open(":memory:") as memory:
        memory.learn([run()])
        for cached in (False, True):
            opened = memp.Judge(model, memory=memory, cached=cached)
            opened.score(run())
            opened.close()
        [call] = memory.events(type="model-called")
        [recorded] = memory.events(type="trajectory-recorded")
        assert call.derived_from == (recorded.event_id,)
        assert (call.data or {})["purpose"] == "judge"


def test_a_run_that_cannot_be_judged_stops_nobody_and_a_wrong_key_stops_all(server: ScriptedServer) -> None:
    """Verdicts come in the order of the runs; an endpoint that is at fault is an error."""
    server.when("a pan", {**VERDICT, "steps": [9]})
    opened = memp.Judge(memp.Model("small", base_url=server.url))
    judged = judge_all(opened, [run(), run("put a pan away"), run()], parallel=3)
    assert [one.verdict is None for one in judged] == [False, True, False]
    assert "do not exist" in judged[1].problem
    server.fail("wrong-key", times=9)
    with pytest.raises(ModelKeyError):
        judge_all(opened, [run()])
    opened.close()


def test_agreement_is_what_its_sources_say() -> None:
    """Accuracy, kappa, Brier score and calibration of a table worked out by hand."""
    pairs = [(0.9, True)] * 20 + [(0.9, False)] * 5 + [(0.1, True)] * 10 + [(0.1, False)] * 15
    found = agreement(pairs, failed=2)
    assert (found.runs, found.failed) == (50, 2)
    assert found.accuracy == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.brier == pytest.approx((20 * 0.01 + 5 * 0.81 + 10 * 0.81 + 15 * 0.01) / 50)
    assert found.calibration_error == pytest.approx(0.5 * 0.1 + 0.5 * 0.3)
    assert [(one.low, one.runs) for one in found.bins] == [(0.0, 25), (0.8, 25)]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_agreement_stays_in_its_ranges(pairs: list[tuple[float, bool]]) -> None:
    """Whatever is judged, shares are shares, kappa is at most accuracy's best, and every run is in one bin."""
    found = agreement(pairs)
    assert 0.0 <= found.accuracy <= 1.0
    assert found.kappa is None or -1.0 <= found.kappa <= 1.0 + 1e-9
    assert 0.0 <= found.brier <= 1.0
    assert 0.0 <= found.calibration_error <= 1.0 + 1e-9
    assert sum(one.runs for one in found.bins) == len(pairs)


def test_agreement_of_nothing_is_refused() -> None:
    """Without a judged run there is nothing to say; a score out of range is no score."""
    with pytest.raises(InvalidInputError, match="no run with a known outcome"):
        agreement([])
    with pytest.raises(InvalidInputError, match="from 0 to 1"):
        agreement([(1.2, True)])
