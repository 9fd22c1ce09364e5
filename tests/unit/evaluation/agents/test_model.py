"""The agent that is a model, against a scripted endpoint."""

from __future__ import annotations

import json
import pickle

import attrs
import pytest

import memp
from memp.errors import InvalidInputError, ModelError
from memp.evaluation.agent import Prompt, play
from memp.evaluation.agents.model import NO_ACTION, NO_USE, RECALLED, ModelAgent
from memp.evaluation.agents.named import agent_named
from memp.evaluation.environment import Place, ScriptedEnvironment, Task
from memp.evaluation.result import Result
from memp.evaluation.suite import Suite
from memp.operations.calls import NO_PROCEDURE
from memp.testing import ScriptedServer

TASK = Task(id="door", text="open the door")


def doors() -> ScriptedEnvironment:
    """Return a world with one door that must be found first."""
    return ScriptedEnvironment(
        {
            "here": Place(moves={"look": ("You see a door.", "seen")}),
            "seen": Place(moves={"open door": ("It is open.", "there")}),
            "there": Place(won=True),
        },
        start="here",
    )


def agent(server: ScriptedServer) -> ModelAgent:
    """Return the agent of a model that is given up on quickly."""
    return ModelAgent(
        model=memp.Model("small", base_url=server.url, api_key="k", mode="tools", attempts=1, timeout_s=2.0)
    )


def test_it_thinks_acts_and_reads() -> None:
    """Each turn it is shown all that happened and what can be done, and what it says is done."""
    with ScriptedServer() as server:
        server.say(
            {"thought": "I see nothing yet.", "action": "look"}, {"thought": "There it is.", "action": "open door"}
        )
        run = play(doors(), TASK, agent(server), Prompt(text="Doors are opened with 'open door'."))
        first, second = (asked.text for asked in server.requests)
    assert run.success
    assert [(step.thought, step.action) for step in run.steps] == [
        ("I see nothing yet.", "look"),
        ("There it is.", "open door"),
    ]
    assert RECALLED in first
    assert "Doors are opened with" in first
    assert "open the door" in first
    assert "Possible actions" in first
    assert "You see a door." in second
    assert "Action: look" in second
    assert all(step.extra["tokens"] > 0 for step in run.steps)


def test_nothing_is_said_of_memory_where_nothing_is_served() -> None:
    """The arm without memory gets no empty block."""
    with ScriptedServer() as server:
        server.when("door", {"action": "look"})
        play(doors(), TASK, agent(server), max_steps=1)
        assert RECALLED not in server.requests[0].text


def test_an_answer_of_no_use_costs_a_turn() -> None:
    """What is no form, or empty, changes nothing in the world, and the run goes on."""
    with ScriptedServer() as server:
        server.say({"action": "  "}, {"mood": "good"}, {"action": "look"})
        run = play(doors(), TASK, agent(server), max_steps=3)
    assert [step.action for step in run.steps] == [NO_ACTION, NO_ACTION, "look"]


def test_an_endpoint_that_fails_stops_the_evaluation() -> None:
    """What has nothing to do with the agent is no lost task."""
    suite = Suite(name="doors", version="1", tasks=(TASK,), make_environment=doors)
    with ScriptedServer(key="other") as server, memp.open(":memory:") as memory, pytest.raises(ModelError):
        memp.evaluate(memory, suite, agent(server))


def test_it_is_measured_as_any_other_agent() -> None:
    """An evaluation names the model, counts its tokens, and asks it once for every arm and seed."""
    with ScriptedServer() as server:
        server.when("You see a door", {"action": "open door"})
        server.when("You are here", {"action": "look"}, times=None)
        server.when("You see a door", {"action": "open door"})
        suite = Suite(name="doors", version="1", tasks=(TASK,), make_environment=doors)
        with memp.open(":memory:") as memory:
            result = memp.evaluate(memory, suite, agent(server), seeds=[0, 1])
    assert result.measured.agent == "model/small"
    assert len(server.requests) == 2 * 2 * 3  # two steps, two seeds, three arms
    assert result.score("none").success == 1.0
    assert (result.score("none").tokens or 0) > 0


def test_what_its_moves_cost_is_in_the_result_and_in_the_memory_that_records_it() -> None:
    """Calls, tokens and price stand with every attempt, survive a file, and are added up by model once recorded."""
    suite = Suite(name="doors", version="1", tasks=(TASK,), make_environment=doors)
    with ScriptedServer() as server, memp.open(":memory:") as memory:
        server.say({"mood": "good"})
        server.when("You are here", {"action": "look"})
        server.when("You see a door", {"action": "open door"})
        asking = attrs.evolve(agent(server), model=attrs.evolve(agent(server).model, price_in=1.0, price_out=2.0))
        result = memp.evaluate(memory, suite, asking)
        [spent] = result.spent
        assert (spent.model, spent.calls, spent.failed, spent.unpriced) == ("small", len(server.requests), 1, 0)
        assert spent.price == pytest.approx((spent.tokens_in + 2 * spent.tokens_out) / 1_000_000)
        assert sum(attempt.tokens or 0 for attempt in result.attempts) == spent.tokens_in + spent.tokens_out
        assert f"'small' was asked {spent.calls} times, 1 in vain" in result.table()
        assert Result.from_json(result.to_json()).spent == result.spent
        assert memory.costs() == ()
        result.record(memory)
        for by, what in (("model", "small"), ("procedure", NO_PROCEDURE)):
            [cost] = memory.costs(by)
            assert (cost.what, cost.calls, cost.tokens_in) == (what, spent.calls, spent.tokens_in)
            assert cost.price == pytest.approx(spent.price)
        with memp.open(":memory:") as unpriced:
            memp.evaluate(unpriced, suite, agent(server)).record(unpriced)
            assert [(cost.price, cost.unpriced > 0) for cost in unpriced.costs()] == [(None, True)]


def test_with_a_memory_each_move_is_on_record_without_its_words() -> None:
    """What was said stands in the run, where a purge finds it; the call says how much, and what it cost."""
    with ScriptedServer() as server, memp.open(":memory:") as memory:
        server.say({"thought": "Hm.", "action": "look"}, {"mood": "a door"}, {"action": "open door"})
        run = play(doors(), TASK, attrs.evolve(agent(server), memory=memory), max_steps=3)
        assert run.success
        calls = [record.data or {} for record in memory.events(type="model-called")]
        assert [(call["purpose"], call["error"]) for call in calls] == [("act", ""), ("act", NO_USE), ("act", "")]
        assert "door" not in "".join(str(call) for call in calls)
        assert json.loads(calls[0]["request"])["messages"] == 2
        server.fail("wrong-key")
        with pytest.raises(ModelError):
            play(doors(), TASK, attrs.evolve(agent(server), memory=memory))
        [cost] = memory.costs()
        assert (cost.calls, cost.failed) == (4, 2)
        assert memory.verify().ok


def test_by_name_it_asks_the_model_of_the_memory() -> None:
    """Without a model there is nobody to ask, and it can be sent to workers where there is."""
    with memp.open(":memory:") as memory, pytest.raises(InvalidInputError, match="needs a model"):
        agent_named("model", memory)
    with memp.open(":memory:", model=memp.Model("small", base_url="http://localhost:1/v1")) as memory:
        made = agent_named("model", memory)
    assert made.name == "model/small"
    assert pickle.loads(pickle.dumps(made)) == made
