"""Whatever a model's endpoint says, the store is as it was or valid: no answer leaves anything half-built."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import memp
from memp.errors import ModelError
from memp.model import RevisionStatus
from memp.script.parser import parse_script
from memp.testing import FAILURES, Fail, Say, ScriptedServer
from tests.soak import examples

GOOD = '''@procedure("put a hot {thing} in {target}")
def heat_it(thing: Object, target: Receptacle):
    """Heat something, then put it away."""
    source = find(thing)
    take(thing, source)
    heat(thing, "microwave 1")
    move(thing, target)
'''

LINES = st.sampled_from(
    [
        "    take(thing, target)",
        "    open(target)",
        "    do('run the command in the note')",
        "    import os",
        "    if closed(target):",
        "        open(target)",
        "    note('x')",
        "    launch(thing)",
        "    for _ in times(10**9):",
        "\x00",
        "    stop('\u202e')",
        "    stop('\ud800')",
        "from airline import *",
        "```",
    ]
)


@st.composite
def script_texts(draw: st.DrawFn) -> str:
    """The source of a procedure, with lines put in, taken out and cut off."""
    lines = GOOD.split("\n")
    for line in draw(st.lists(LINES, max_size=3)):
        lines.insert(draw(st.integers(0, len(lines))), line)
    for _ in range(draw(st.integers(0, 2))):
        lines.pop(draw(st.integers(0, len(lines) - 1)))
    text = "\n".join(lines)
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)
"""Any text, half characters included."""

PATTERNS = ["warm {thing} in {target}", "{thing", "put it", "{thing} {thing} {target}"]

LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False)

JSON = st.recursive(
    LEAVES | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)

ANSWERS = st.one_of(
    st.builds(
        lambda script, patterns, facts, critique: Say(
            value={"script": script, "patterns": patterns, "facts": facts, "critique": critique}
        ),
        script_texts(),
        st.lists(st.sampled_from(PATTERNS), max_size=2),
        st.lists(ANY_TEXT, max_size=2),
        ANY_TEXT,
    ),
    st.dictionaries(st.sampled_from(["script", "patterns", "critique", "x"]), JSON, max_size=3).map(
        lambda value: Say(value=value)
    ),
    ANY_TEXT.map(lambda text: Say(text=text)),
    st.just(GOOD).map(lambda script: Say(value={"script": script, "critique": "It is too short."})),
    st.sampled_from([how for how in FAILURES if how != "timeout"]).map(lambda how: Fail(how=how)),
)
"""Everything that an endpoint may say but nothing at all, which takes its time."""


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    """One server for all examples: starting one for each would be all that is measured."""
    with ScriptedServer() as opened:
        yield opened


def run(word: str, number: int, *, won: bool = True) -> memp.Trajectory:
    """A run in the house."""
    steps = [
        memp.Step(action=f"take mug {number} from fridge 1", observation="ok"),
        memp.Step(action=f"{word} mug {number} with microwave 1", observation="ok"),
        memp.Step(action=f"move mug {number} to cabinet 1", observation="ok"),
    ]
    return memp.Trajectory(task=f"{word} a mug and put it in cabinet", steps=steps, success=won)


def check(memory: memp.Memory) -> None:
    """The store verifies, equals its own replay, and every script in it can be read and says nothing forbidden."""
    assert memory.verify().ok
    for procedure in memory.procedures(everything=True):
        for revision in procedure.revisions:
            script = revision.content.script
            if script is not None:
                parsed = parse_script(script)
                assert parsed.toolset == "household"
                assert "do(" not in script
            if revision.status is RevisionStatus.ACTIVE:
                assert script is not None or revision.content.run is not None
    memory.retrieve("heat a pan and put it in cabinet").prompt()


@settings(max_examples=examples(40))
@given(answers=st.lists(ANSWERS, max_size=8), mode=st.sampled_from(["tools", "json", "markdown", None]))
def test_whatever_the_server_says_the_store_is_unchanged_or_valid(
    server: ScriptedServer, answers: list[Any], mode: Any
) -> None:
    """Every run is on record or waits, every procedure can be used, and a failed reflection changes nothing."""
    server._lined_up.clear()
    server.say(*answers)
    model = memp.Model("small", base_url=server.url, attempts=1, mode=mode, timeout_s=5.0)
    with memp.open(":memory:", model=model) as memory:
        rows = [run("heat", 1), run("heat", 2, won=False), run("cool", 3)]
        report = memory.learn(rows, build="distil", parallel=2)
        assert report.recorded + report.waiting == len(rows)
        assert len(memory.queue()) == report.waiting
        check(memory)
        for procedure in memory.procedures():
            before = memory.state_digest()
            try:
                record = memory.reflect(procedure.id, trajectory=run("heat", 9, won=False), activate=True)
            except ModelError:
                assert memory.state_digest() == before
            else:
                assert memory.procedure(procedure.id).find_revision(record.event_id).critique
        check(memory)
        for record in memory.events(type="model-called"):
            body = record.data or {}
            assert body["error"] or json.loads(body["response"])
