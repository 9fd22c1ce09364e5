"""Procedures to render."""

from __future__ import annotations

import pytest

from memp.model import (
    Content,
    ContentKey,
    EventId,
    Evidence,
    Procedure,
    ProcedureId,
    Revision,
    Step,
    Trajectory,
    TrajectoryId,
)

RUN = Trajectory(
    task="put a hot mug in the cabinet",
    success=True,
    steps=(
        Step(action="go to counter 1", observation="You arrive at counter 1.\nOn it, you see a mug 2."),
        Step(action="take mug 2 from counter 1", observation="You pick up the mug 2."),
        Step(action=" ", observation="nothing was done"),
        Step(action="heat mug 2 with microwave 1"),
        Step(action="move mug 2 to cabinet 3", observation="You move the mug 2 to the cabinet 3."),
    ),
)

SCRIPT = """\
@procedure("put a hot {thing} in {target}")
def heat_then_place(thing: Object, target: Receptacle):
    take(thing, "counter 1")
    if closed(target):
        open(target)
    move(thing, target)
"""


def make_procedure(*, content: Content, sources: tuple[str, ...] = (), evidence: Evidence | None = None) -> Procedure:
    revision = EventId("revision-of-secret-id")
    return Procedure(
        id=ProcedureId("procedure-of-secret-id"),
        name="secret-name",
        builder="verbatim",
        revisions=(
            Revision(
                id=revision,
                content=content,
                content_key=ContentKey("secret-key"),
                sources=tuple(TrajectoryId(source) for source in sources),
                family=revision,
            ),
        ),
        active=revision,
        evidences={} if evidence is None else {revision: evidence},
    )


@pytest.fixture
def from_run() -> Procedure:
    """Return a procedure that is only a run, served before."""
    return make_procedure(
        content=Content(
            task=RUN.task, patterns=("put a hot {} in the {}",), run=RUN, facts=("A microwave heats what is put in.",)
        ),
        sources=("secret-1", "secret-2"),
        evidence=Evidence(episodes=12, helped=9),
    )


@pytest.fixture
def from_script() -> Procedure:
    """Return a procedure that is only a script, written by hand and never served."""
    return make_procedure(content=Content(task="put a hot {thing} in {target}", script=SCRIPT))


@pytest.fixture
def from_both() -> Procedure:
    """Return a procedure with script and run, built from one run and served once."""
    return make_procedure(
        content=Content(task="put a hot {thing} in {target}", script=SCRIPT, run=RUN),
        sources=("secret-1",),
        evidence=Evidence(episodes=1, helped=0),
    )


@pytest.fixture
def every_kind(from_run: Procedure, from_script: Procedure, from_both: Procedure) -> list[Procedure]:
    """Return one procedure of each kind."""
    return [from_run, from_script, from_both]
