"""What the public names are to a type checker: mypy reads this file in strict mode, and it runs as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_type

import memp


def test_the_first_five_minutes_are_typed() -> None:
    """Opening, learning, asking and looking back give the types that the reference promises."""
    run = memp.Trajectory(task="put a mug away", steps=(memp.Step(action="take mug 1"),), reward=1.0)
    with memp.open(":memory:", actor="me") as memory:
        assert_type(memory, memp.Memory)
        assert_type(memory.learn([run]), memp.LearnReport)
        found = memory.retrieve("put a mug away")
        assert_type(found, memp.Found)
        assert_type(found[0], memp.Match)
        assert_type(found[0].procedure, memp.Procedure)
        assert_type(found.prompt(), str)
        assert_type(memory.procedures(), list[memp.Procedure])
        assert_type(memory.events(), Iterator[memp.Record])
        assert_type(memory.at(0), memp.View)
        assert_type(memory.fork("trial"), memp.Memory)
        assert len(assert_type(memory.state_digest(), str)) == 64


def test_measuring_is_typed() -> None:
    """A suite, an evaluation and a comparison give the types that the reference promises."""
    suite = memp.suite("household", n=2)
    assert_type(suite, memp.Suite)
    with memp.open(":memory:") as memory:
        result = memp.evaluate(memory, suite, agent="explorer", arms=["none", "random"])
        assert_type(result, memp.Result)
        assert_type(result.compare("none", "random"), memp.Comparison)
        assert_type(result.table(), str)
        assert_type(result.record(memory), memp.Record)
