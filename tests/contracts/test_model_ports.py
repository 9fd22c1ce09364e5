"""
What those who ask a model may rely on: a checked value, or an error of one group, and every request noted.

The endpoint is scripted; a real one is asked by ``tests/unit/llm/test_live.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import memp
from memp.errors import ModelError
from memp.llm.base import Distiller, Model, Reflector, Scorer
from memp.llm.client import Client, Talk
from memp.llm.workers import Workers
from memp.model import Content, EventId, Procedure, ProcedureId, Revision
from memp.testing import FAILURES, ScriptedServer

SCRIPT = '@procedure("do {thing}")\ndef do_it(thing: Text):\n    do(f"take {thing}")\n'
RUN = memp.Trajectory(task="do it", steps=[memp.Step(action="take it")], success=False)
PROCEDURE = Procedure(
    id=ProcedureId("p"),
    name="do-it",
    builder="verbatim",
    revisions=(
        Revision(
            id=EventId("e"),
            content=Content(task="do it", patterns=("do it",), run=RUN),
            content_key="k",  # type: ignore[arg-type]
            family=EventId("e"),
        ),
    ),
    active=EventId("e"),
)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that answers every question with something that fits all of them."""
    with ScriptedServer() as opened:
        value: dict[str, Any] = {"script": SCRIPT, "critique": "It was short.", "score": 0.5}
        opened.when("", value | {"reasons": ["It is there."], "steps": [1]})
        yield opened


@pytest.fixture
def workers(server: ScriptedServer) -> Iterator[Workers]:
    """All ports on one connection."""
    model = Model("small", base_url=server.url, attempts=1, timeout_s=0.3, mode="tools")
    with Client(model) as client:
        yield Workers(client=client, talk=Talk("distil"))


@pytest.mark.parametrize("failure", [None, *FAILURES])
def test_a_distiller_gives_a_procedure_that_checks_or_an_error(
    workers: Workers, server: ScriptedServer, failure: str | None
) -> None:
    """Whatever the endpoint does, there is a checked script or a ``ModelError``, and a note of each request."""
    distiller: Distiller = workers
    if failure is not None:
        server.fail(failure, times=3)
    try:
        script = distiller.distil([RUN], toolset=None).written.content.script
        assert script is not None
        assert memp.parse_script(script).procedures
    except ModelError:
        assert failure is not None
    assert len(workers.talk.calls) == len(server.requests)


@pytest.mark.parametrize("failure", [None, *FAILURES])
def test_a_reflector_gives_a_critique_and_a_script_that_checks_or_an_error(
    workers: Workers, server: ScriptedServer, failure: str | None
) -> None:
    """The same of reflections, also for a procedure that is only a run."""
    reflector: Reflector = workers
    if failure is not None:
        server.fail(failure, times=3)
    try:
        reflected = reflector.reflect(PROCEDURE, RUN, successes=[], toolset=None)
        assert reflected.critique == "It was short."
        assert reflected.written.content.script
    except ModelError:
        assert failure is not None
    assert len(workers.talk.calls) == len(server.requests)


@pytest.mark.parametrize("failure", [None, *FAILURES])
def test_a_scorer_gives_a_verdict_that_cites_steps_that_exist_or_an_error(
    server: ScriptedServer, failure: str | None
) -> None:
    """The same of verdicts."""
    judge = memp.Judge(Model("small", base_url=server.url, attempts=1, timeout_s=0.3, mode="tools"))
    scorer: Scorer = judge
    if failure is not None:
        server.fail(failure, times=3)
    try:
        verdict = scorer.score(RUN)
        assert 0.0 <= verdict.score <= 1.0
        assert set(verdict.steps) <= {1}
    except ModelError:
        assert failure is not None
    judge.close()
    assert len(judge.calls) == len(server.requests)
