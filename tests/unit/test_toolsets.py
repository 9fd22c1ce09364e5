"""Which toolset a version of the memory means."""

from __future__ import annotations

import pytest

import memp
from memp.toolsets import available, builder_for, by_digest, by_name, given_toolset, spoken_by

OTHER = memp.Toolset.from_text('toolset("household")\n\n@action("hop {n}")\ndef hop(n: Number): ...\n')
HOPS = memp.Trajectory(task="hop about", steps=[memp.Step(action="hop 3", observation="Hop.")], reward=1.0)


def test_recorded_toolsets_come_before_those_that_ship() -> None:
    """By name the last on record is meant; by digest every one that was ever used is found."""
    shipped = memp.load_toolset("household")
    with memp.open(":memory:") as memory:
        assert by_name(memory._state, "household") == shipped
        memory.learn([HOPS], build="induce", toolset=OTHER)
        state = memory._state
        assert by_name(state, "household") == OTHER == given_toolset(state, "household")
        assert [toolset.name for toolset in available(state)].count("household") == 1
        assert OTHER in available(state)
        assert by_digest(state, OTHER.digest) == OTHER
        assert by_digest(state, shipped.digest) == shipped
        assert by_digest(state, None) is by_digest(state, "0" * 64) is None
        assert by_name(memory.at(0)._state, "household") == shipped
        with pytest.raises(memp.NotFoundError, match="household"):
            by_name(state, "martian")


def test_builders_speak_what_they_are_given() -> None:
    """None gives the choice of all, a digest or a toolset leaves one."""
    with memp.open(":memory:") as memory:
        state = memory._state
        assert {toolset.name for toolset in builder_for(state, "induce").toolsets} >= {"household", "science"}
        assert builder_for(state, "both", toolset=OTHER).toolsets == (OTHER,)
        household = memp.load_toolset("household")
        assert builder_for(state, "induce", digest=household.digest).toolsets == (household,)
        with pytest.raises(memp.InvalidInputError, match=r"must be a memp\.Toolset"):
            builder_for(state, "induce", toolset=7)  # type: ignore[arg-type]


def test_a_script_that_imports_speaks_what_it_imports() -> None:
    """A kept run that was corrected with a typed script has no toolset of its own; the import tells."""
    script = 'from household import *\n\n@procedure("go")\ndef go():\n    look()\n'
    with memp.open(":memory:") as memory:
        memory.learn([HOPS])
        (kept,) = memory.procedures()
        assert spoken_by(memory._state, kept) is None
        memory.reflect(kept.id, script=script, critique="c", activate=True)
        assert spoken_by(memory._state, memory.procedure(kept.id)) == memp.load_toolset("household")
        memory.learn([memp.Trajectory(task="hop", steps=HOPS.steps, reward=1.0)], build="induce", toolset=OTHER)
        assert spoken_by(memory._state, memory.procedures()[-1]) == OTHER
