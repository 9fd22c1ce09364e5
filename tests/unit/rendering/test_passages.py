"""What a template gets to see of a procedure."""

from __future__ import annotations

import json

import pytest

from memp.model import Content, ContentKey, EventId, Procedure, ProcedureId, Revision, Step, Trajectory
from memp.rendering import passage
from memp.rendering.passages import ACTION_CHARACTERS_MAX, RESULT_CHARACTERS_MAX, shorter, shorter_levels


def test_a_run_becomes_steps_with_short_results(from_run: Procedure) -> None:
    """Actions stand with what came of them on one line; a step without an action is left out."""
    seen = passage(from_run)
    assert [line["text"] for line in seen["lines"]] == [
        "go to counter 1",
        "take mug 2 from counter 1",
        "heat mug 2 with microwave 1",
        "move mug 2 to cabinet 3",
    ]
    assert seen["lines"][0]["result"] == "You arrive at counter 1. On it, you see a mug 2."
    assert seen["code"][1] == 'do("take mug 2 from counter 1")  # You pick up the mug 2.'
    assert seen["code"][2] == 'do("heat mug 2 with microwave 1")'
    assert seen["example"] == []


def test_a_script_keeps_its_shape(from_script: Procedure) -> None:
    """A script's lines stand as they are, with their indentation, as code and as steps."""
    seen = passage(from_script)
    assert seen["code"][4] == "        open(target)"
    assert seen["lines"][4] == {"text": "open(target)", "result": "", "indent": "        "}


def test_an_outline_makes_the_steps_of_a_script(from_script: Procedure) -> None:
    """Whoever knows the script's toolset says its steps in words; the code stays."""
    seen = passage(from_script, outline=lambda source: [source.split('"')[3], "  take it"])
    assert [(line["indent"], line["text"]) for line in seen["lines"]] == [("", "counter 1"), ("  ", "take it")]
    assert seen["code"][0].startswith("@procedure")


def test_script_and_run_are_both_shown(from_both: Procedure) -> None:
    """Where there is a script, the run is an example of it."""
    seen = passage(from_both)
    assert seen["lines"][0]["text"].startswith("@procedure")
    assert seen["example"][0]["text"] == "go to counter 1"


def test_support_and_evidence_stay_apart(from_run: Procedure) -> None:
    """Runs that it was built from and episodes in which it was served are two numbers."""
    seen = passage(from_run)
    assert seen["support"] == 2
    assert seen["evidence"] == {"episodes": 12, "helped": 9}


def test_nothing_but_plain_values_and_no_identity(every_kind: list[Procedure]) -> None:
    """A passage is JSON, and holds neither ids nor names nor keys."""
    text = json.dumps([passage(procedure) for procedure in every_kind])
    assert "secret" not in text


def test_long_texts_are_cut() -> None:
    """An endless action or observation is shown by its head."""
    run = Trajectory(task="write", steps=[Step(action="write " + "x" * 5000, observation="ok " * 500)])
    line = passage(_procedure(run))["lines"][0]
    assert len(line["text"]) == ACTION_CHARACTERS_MAX
    assert len(line["result"]) <= RESULT_CHARACTERS_MAX


def test_levels_leave_out_ever_more(from_both: Procedure) -> None:
    """First the example goes, then facts, then lines at the end; one line always stays."""
    whole = passage(from_both)
    levels = [shorter(whole, level) for level in range(shorter_levels(whole))]
    assert levels[0] == whole
    assert levels[1]["example"] == []
    assert [len(level["code"]) for level in levels] == [6, 6, 6, 5, 4, 3, 2, 1]
    assert [level["shortened"] for level in levels] == [False] * 3 + [True] * 5
    assert whole["example"]
    with pytest.raises(IndexError):
        shorter(whole, len(levels))


def _procedure(run: Trajectory) -> Procedure:
    revision = Revision(
        id=EventId("r"), family=EventId("r"), content=Content(task=run.task, run=run), content_key=ContentKey("k")
    )
    return Procedure(id=ProcedureId("p"), name="n", builder="verbatim", revisions=(revision,), active=revision.id)
