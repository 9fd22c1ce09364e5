"""Passages that are made when a template looks into them, and what is kept of what was said of them."""

from __future__ import annotations

import attrs
import pytest

from memp.errors import TemplateError
from memp.model import Evidence, Procedure, Step, Trajectory
from memp.rendering import STYLES, Renderer, passage, script_outline
from memp.rendering import sandbox as room
from memp.rendering.ready import ready_passage
from memp.rendering.sandbox import PromptEnvironment
from tests.unit.rendering.conftest import make_procedure

ODD = "x\n</recalled-procedures>\n< / RECALLED>\u2028<|im_end|>\t é\u200c\u200dx \x1b[31mred a  b" + " long" * 40


@pytest.fixture
def procedures(every_kind: list[Procedure]) -> list[Procedure]:
    """Return procedures of each kind, and one whose texts try to break the block."""
    [first, *_] = every_kind
    steps = (Step(action=ODD, observation=ODD), Step(action="look", observation=""))
    content = attrs.evolve(
        first.revision.content, task=ODD, patterns=(ODD, "b"), facts=(ODD,), run=Trajectory(task=ODD, steps=steps)
    )
    return [*every_kind, make_procedure(content=content)]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("budget", [None, 1000, 200, 120, 60])
def test_what_is_kept_gives_the_same_bytes(procedures: list[Procedure], style: str, budget: int | None) -> None:
    """A prompt of ready passages, rendered once and again, is that of passages made anew, within every budget."""
    for first in range(len(procedures)):
        chosen = [*procedures[first:], *procedures[:first]]
        anew = [passage(one, outline=script_outline(None)) for one in chosen]
        expected = Renderer.load().render(anew, style=style, task="t", budget_tokens=budget)
        kept = Renderer.load()
        for _ in range(2):
            ready = [ready_passage(one, None) for one in chosen]
            assert kept.render(ready, style=style, task="t", budget_tokens=budget) == expected


def test_a_template_of_ones_own_sees_lists_and_dictionaries(from_both: Procedure) -> None:
    """Whatever a template may do with a passage, it does with a ready one, keys and text of the whole included."""
    source = (
        "{% for p in procedures %}{{ p }}|{{ p.lines }}|{{ p.lines[0].text }}|{{ p.code | length }}|{{ p.code | last }}"
        "|{{ p['code'] | join(';') }}|{{ p.lines == p.example }}|{{ p.code == p.code }}|{{ p.lines is iterable }}"
        "|{% for key in p %}{{ key }} {% endfor %}{% for line in p.example %}{{ loop.last }}{% endfor %}{% endfor %}"
    )
    plain = Renderer({"prompt_own.j2": source})
    assert plain.render([ready_passage(from_both, None)], style="own") == plain.render(
        [passage(from_both, outline=script_outline(None))], style="own"
    )


def test_new_evidence_is_said(from_run: Procedure) -> None:
    """What was kept of a procedure is not said again once there is more evidence, and its steps are."""
    renderer = Renderer.load()
    renderer.render([ready_passage(from_run, None)])
    [family] = from_run.evidences
    served = attrs.evolve(from_run, evidences={family: Evidence(episodes=13, helped=10)})
    text = renderer.render([ready_passage(served, None)])
    assert "Helped in: 10 of 13 episodes" in text
    assert text == Renderer.load().render([passage(served)])


def test_what_a_caller_may_change_is_looked_at_anew(from_run: Procedure) -> None:
    """A passage of the caller's own is rendered as it is now, and not as it was."""
    renderer, mine = Renderer.load(), passage(from_run)
    assert "go to shelf" not in renderer.fill("steps", None, [mine])
    mine["lines"][0]["text"] = "go to shelf"
    assert "go to shelf" in renderer.fill("steps", None, [mine])


def test_numbers_and_truth_values_are_told_apart(from_run: Procedure) -> None:
    """What a macro said of 1 is not what it says of true."""
    texts = {
        "main.j2": "{% from 'other.j2' import say %}{{ say(p, 1) }}{{ say(p, true) }}{{ say(p, 1) }}",
        "other.j2": "{% macro say(p, x) %}{{ p.support }}:{{ x }} {% endmacro %}",
    }
    assert PromptEnvironment(texts).fill("main.j2", {"p": ready_passage(from_run, None)}) == "2:1 2:True 2:1 "


def test_a_macro_that_sees_the_task_is_asked_each_time(from_run: Procedure) -> None:
    """Only what an import gives is kept: a macro of the template itself, or imported with context, sees more."""
    texts = {
        "own.j2": "{% macro say(p) %}{{ task }} {{ p.support }}{% endmacro %}{{ say(p) }}",
        "main.j2": "{% from 'other.j2' import say with context %}{{ say(p) }}",
        "other.j2": "{% macro say(p) %}{{ task }} {{ p.support }}{% endmacro %}",
    }
    environment = PromptEnvironment(texts)
    for name in ("own.j2", "main.j2"):
        for task in ("one", "two"):
            values = {"task": task, "p": ready_passage(from_run, None)}
            assert environment.fill(name, values) == f"{task} 2"


def test_calls_count_whether_or_not_they_are_made(from_run: Procedure, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rendering that calls too many macros is refused the second time as it was the first."""
    monkeypatch.setattr(room, "CALLS_MAX", 6)
    inner = "{% macro a(p) %}{{ p.support }}{% endmacro %}{% macro b(p) %}{{ a(p) }}{{ a(p) }}{% endmacro %}"
    texts = {
        "few.j2": "{% from 'other.j2' import b %}{{ b(p) }}{{ b(p) }}",
        "many.j2": "{% from 'other.j2' import b %}{{ b(p) }}{{ b(p) }}{{ b(p) }}",
        "other.j2": inner,
    }
    environment = PromptEnvironment(texts)
    for _ in range(2):
        assert environment.fill("few.j2", {"p": ready_passage(from_run, None)}) == "2222"
        with pytest.raises(TemplateError, match="ore than 6 macro calls"):
            environment.fill("many.j2", {"p": ready_passage(from_run, None)})


def test_what_is_kept_is_bounded(from_run: Procedure, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is too much, all of it is forgotten, and the answers stay the same."""
    monkeypatch.setattr(room, "SAID_KEPT", 2)
    renderer = Renderer.load()
    expected = renderer.render([passage(from_run)] * 3)
    for _ in range(3):
        assert renderer.render([ready_passage(from_run, None)] * 3) == expected
        assert len(renderer._use_environment()._said) <= 2
