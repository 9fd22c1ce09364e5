"""Requests for embeddings on record: what they cost, whose they are, and what becomes of work that they stop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import memp
from memp.errors import EmbeddingError
from memp.operations.calls import NO_PROCEDURE
from memp.testing import ScriptedServer

HEAT = '''@procedure("put a hot {thing} in {target}")
def heat_it(thing: Object, target: Receptacle):
    """Heat something, then put it away."""
    source = find(thing)
    take(thing, source)
    heat(thing, "microwave 1")
    move(thing, target)
'''


def run(task: str = "put a hot mug in cabinet", *, won: bool = True) -> memp.Trajectory:
    """A run in the house."""
    thing = task.split()[3]
    actions = (f"take {thing} 1 from fridge 1", f"heat {thing} 1 with microwave 1", f"move {thing} 1 to cabinet 1")
    return memp.Trajectory(
        task=task, steps=tuple(memp.Step(action=action, observation="Done.") for action in actions), reward=float(won)
    )


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that writes a procedure, and embeds."""
    with ScriptedServer() as opened:
        opened.when("put a hot", {"script": HEAT})
        yield opened


def opened(server: ScriptedServer, **more: Any) -> memp.Memory:
    """A memory whose texts are compared by an endpoint that is asked once."""
    embedder = memp.OpenAIEmbedder("text", base_url=server.url, attempts=1, price_in=10.0)
    return memp.open(":memory:", embedder=embedder, **more)


def with_model(server: ScriptedServer) -> memp.Memory:
    """The same with a model."""
    return opened(server, model=memp.Model("small", base_url=server.url, attempts=1))


def calls(memory: memp.Memory, purpose: str = "embed") -> list[memp.Record]:
    """The calls on record, purged ones apart."""
    return [one for one in memory.events(type="model-called") if one.data and one.data["purpose"] == purpose]


def test_what_is_learned_says_what_embedding_it_cost(server: ScriptedServer) -> None:
    """Each request is an event, beside the operation and not in its report, and is added up for its procedures."""
    with opened(server) as memory:
        report = memory.learn([run(), run("put a hot pan in cabinet")])
        assert "model-called" not in {record.type for record in report.events}
        [_, call] = calls(memory)
        assert call.data is not None
        stored = {row["text"] for row in vectors_named(memory)}
        assert len(json.loads(call.data["request"])["input"]) == len(stored)
        assert set(call.data["procedures"]) == {procedure.id for procedure in memory.procedures()}
        [cost] = memory.costs()
        assert (cost.what, cost.calls, cost.failed, cost.unpriced) == ("text", 2, 0, 0)
        assert cost.price == pytest.approx(10.0 * cost.tokens_in / 1_000_000)
        assert {one.what for one in memory.costs("procedure")} == {one.name for one in memory.procedures()}
        assert memory.verify().ok


def since(memory: memp.Memory, position: int) -> list[memp.Record]:
    """What was written after *position*."""
    return [record for record in memory.events() if record.position > position]


def vectors_named(memory: memp.Memory) -> list[dict[str, Any]]:
    """The embeddings that events name."""
    return [one for record in memory.events() for one in (record.data or {}).get("vectors", ())]


def test_reading_writes_nothing_and_an_episode_says_what_its_question_cost(server: ScriptedServer) -> None:
    """A question leaves no trace in the log, unless an episode does, which is then what it was for."""
    with opened(server) as memory:
        memory.learn([run()])
        before, asked = memory.position, len(server.requests)
        memory.retrieve("put a hot cup in cabinet")
        assert memory.position == before
        assert len(server.requests) > asked
        with memory.episode("put a hot jar in cabinet", policy="none") as episode:
            started, *asking = since(memory, before)
            assert started.type == "episode-started"
            assert {(call.type, call.derived_from) for call in asking} == {("model-called", (started.event_id,))}
            episode.finish(reward=1.0)
        server.fail("wrong-key")
        with pytest.raises(EmbeddingError), memory.episode("put a hot bowl in cabinet"):
            pass
        assert list(memory.events())[-1].data["error"] != ""  # type: ignore[index]
        assert NO_PROCEDURE in {one.what for one in memory.costs("procedure")}


def test_a_failure_leaves_the_request_alone_on_record(server: ScriptedServer) -> None:
    """What could not be embedded is not there, and its request holds nothing that a later purge would have to find."""
    with opened(server) as memory:
        memory.learn([run()])
        before = memory.position
        server.fail("error")
        with pytest.raises(EmbeddingError):
            memory.learn([run("put a hot pan in cabinet")])
        [failed] = since(memory, before)
        assert failed.data is not None
        assert json.loads(failed.data["request"]) == {"model": "text", "input": 2}
        assert "failed (HTTP 500)" in failed.data["error"]
        assert (failed.derived_from, failed.data["procedures"]) == ((), [])
        [cost] = memory.costs()
        assert cost.failed == 1
        assert memory.learn([run("put a hot pan in cabinet")]).recorded == 1


def test_a_purge_takes_the_requests_along(server: ScriptedServer) -> None:
    """Of a procedure, and of a task that an agent asked about, no digest of a text is left behind."""
    with opened(server) as memory:
        memory.learn([run()])
        memory.learn([run("put a hot pan in cabinet")])
        with memory.episode("put a hot jar in cabinet", policy="vanilla") as episode:
            episode.finish(reward=1.0)
        made = {one.name: one.id for one in memory.procedures()}
        lived = next(one for one in memory.events(type="trajectory-recorded") if "jar" in str(one.data))
        assert len(calls(memory)) >= 5, "how long vectors are, two procedures, a question, and what the episode left"
        memory.purge(
            procedure_ids=[made["put-a-hot-mug-in-cabinet"]],
            trajectory_ids=[str((lived.data or {})["trajectory_id"])],
            derived=True,
            reason="they asked us to",
        )
        [left] = calls(memory)
        assert left.data is not None
        assert left.data["procedures"] == [made["put-a-hot-pan-in-cabinet"]]
        assert memory.verify().ok


def test_changing_embedders_is_paid_for_on_record(server: ScriptedServer) -> None:
    """The texts that are embedded anew are requests as well, those of a change that failed too."""
    with memp.open(":memory:") as memory:
        memory.learn([run(), run("put a hot pan in cabinet")])
        new = memp.OpenAIEmbedder("text", base_url=server.url, dim=8, attempts=1)
        server.fail("error")
        with pytest.raises(EmbeddingError):
            memory.reembed(new)
        memory.reembed(new)
        [cost] = memory.costs()
        assert (cost.what, cost.calls, cost.failed) == ("text", 2, 1)
        assert {one.what for one in memory.costs("procedure")} > {one.name for one in memory.procedures()}


def test_what_a_model_wrote_is_not_lost_with_the_embedder(server: ScriptedServer) -> None:
    """The runs wait, the answer is on record, and having it again from there asks no model."""
    with with_model(server) as memory:
        memory.learn([run("put a hot egg in cabinet")])
        with failing_embeddings(server):
            report = memory.learn([run(), run("put a hot pan in cabinet")], build="distil")
        assert (report.waiting, report.recorded, report.added) == (2, 0, ())
        assert "waits" in report.problems[0]
        assert len(calls(memory, "distil")) == 1
        chats = chat_requests(server)
        done = memory.drain(build="distil", cached=True)
        assert (done.runs, done.added, done.waiting) == (2, ("heat-it",), 0)
        assert chat_requests(server) == chats
        assert memory.verify().ok


def test_how_an_episode_ended_is_not_lost_with_the_embedder(server: ScriptedServer) -> None:
    """Outcome, run and evidence are recorded; what would have been made of the run is not, and that is said."""
    with opened(server) as memory:
        memory.learn([run()])
        with (
            memory.episode("put a hot jar in cabinet", policy="vanilla") as episode,
            failing_embeddings(server),
            pytest.warns(RuntimeWarning, match="could not be embedded"),
        ):
            records = episode.finish(reward=1.0)
        assert {record.type for record in records} == {
            "trajectory-recorded", "episode-finished", "procedure-validated"
        }  # fmt: skip
        [info] = memory.episodes()
        assert (info.success, info.reward) == (True, 1.0)
        assert "could not be embedded" in info.remarks[0]
        assert [one.name for one in memory.procedures()] == ["put-a-hot-mug-in-cabinet"]
        assert memory.verify().ok


@pytest.mark.parametrize("what", ["facts", "reflect"])
def test_a_question_is_on_record_though_its_answer_could_not_be_embedded(server: ScriptedServer, what: str) -> None:
    """Facts and reflections that the embedder stops have been paid for; nothing else of them is there."""
    with with_model(server) as memory:
        memory.learn([run()], build="distil")
        before = memory.procedure("heat-it")
        server.when("when a procedure applies", {"facts": ["Hot things keep warm."]})
        opening = HEAT.replace("    move", "    open(target)\n    move").replace("put a hot", "serve a hot")
        server.when("failed with it", {"critique": "It never opens.", "script": opening})
        with failing_embeddings(server):
            if what == "facts":
                report = memory.find_facts()
                assert (report.changed, report.left) == ((), 1)
                assert "no vector" in report.problems[0]
            else:
                with pytest.raises(EmbeddingError):
                    memory.reflect("heat-it", trajectory=run("put a hot jar in cabinet", won=False))
        assert len(calls(memory, what)) == 1
        assert memory.procedure("heat-it") == before


class failing_embeddings:  # noqa: N801 - it is used as a function is
    """Lets requests for embeddings fail, and no others."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server, self._embedded = server, server._vectors

    def __enter__(self) -> None:
        self._server._vectors = lambda _: [float("nan")]

    def __exit__(self, *_: object) -> None:
        self._server._vectors = self._embedded


def chat_requests(server: ScriptedServer) -> int:
    """How often a model was asked."""
    return sum(asked.path.endswith("/chat/completions") for asked in server.requests)
