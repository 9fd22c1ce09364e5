"""Arms, what they serve, and doing each play once, here or in workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import memp
from memp.errors import InvalidInputError, NotFoundError, ServiceError
from memp.evaluation.agent import TOKENS, Choice, FunctionAgent, Prompt
from memp.evaluation.agents.named import agent_named, register_agent
from memp.evaluation.arms import Server, named_arms
from memp.evaluation.environment import Task
from memp.evaluation.result import Result
from memp.evaluation.runner import Runner
from memp.model import Step

from .measuring import door_suite, lived, memory_with_versions, opener  # noqa: TID252


@pytest.fixture(scope="module")
def memory() -> Iterator[memp.Memory]:
    """A memory of three versions, and a fork that lost its first procedure."""
    with memory_with_versions(lived(24)) as made:
        fork = made.fork("trial", at="v2")
        fork.erase(fork.procedures()[0].name, reason="to see what it was worth")
        yield made


SUITE = memp.suite("household", n=6)


def open_door(
    _task: Task, _prompt: Prompt, _observation: str, _admissible: tuple[str, ...], _history: tuple[Step, ...]
) -> str:
    """Open the door at once."""
    return "open door"


def cost(
    _task: Task, prompt: Prompt, _observation: str, _admissible: tuple[str, ...], history: tuple[Step, ...]
) -> Choice:
    """Wait once and open the door, at ten tokens a step and one for each letter that was read."""
    return Choice(action="open door" if history else "wait", extra={TOKENS: 10 + len(prompt.text)})


def fail(
    task: Task, _prompt: Prompt, _observation: str, _admissible: tuple[str, ...], _history: tuple[Step, ...]
) -> str:
    """Fail at the third task."""
    if task.id == "door-2":
        raise ServiceError("The model is away.")
    return "open door"


# -- arms ------------------------------------------------------------------------------------------------------------


def test_none_and_random_are_always_there(memory: memp.Memory) -> None:
    """Whatever is asked for, the two yardsticks stand before it; named ones stay where they are."""
    assert list(named_arms(["v1", 3])) == ["none", "random", "v1", "3"]
    assert list(named_arms(["v1", "random@v1", "none"])) == ["v1", "random@v1", "none"]
    assert list(named_arms({"base": memory.at("v1"), "now": memory})) == ["none", "random", "base", "now"]
    for wrong in (["v1", "v1"], [True], [None], {"none": "v1"}):
        with pytest.raises(InvalidInputError, match="rm"):
            named_arms(wrong)  # type: ignore[arg-type]


def test_any_view_of_any_branch_is_an_arm(memory: memp.Memory) -> None:
    """Tags, positions, branches, positions on a branch, and views without some events all serve as they would."""
    server = Server(memory)
    task = SUITE.tasks[0].text
    fork = memory.branch("trial")
    what_if = memory.at("v3", without=[next(memory.events(type="procedure-added")).event_id])
    for spec, view in (("v1", memory.at("v1")), ("trial", fork), (f"trial@{fork.position}", fork), (what_if, what_if)):
        source = server.source(spec)
        assert source.arm.state_digest == view.state_digest()
        found = [one.name for one in server.serve(source, task).served]
        assert found == [match.procedure.name for match in view.retrieve(task)]
    with pytest.raises(NotFoundError, match="no version 'v9'"):
        server.source("v9")


def test_the_yardsticks_serve_what_they_say(memory: memp.Memory) -> None:
    """Random draws another lot with another seed, bm25 goes by words, raw gives whole runs, none gives nothing."""
    server = Server(memory)
    task = SUITE.tasks[0].text
    assert server.serve(server.source("none"), task).digest == ""
    drawn = [server.serve(server.source("random"), task, seed=seed).served for seed in range(8)]
    assert len(set(drawn)) > 1
    words = [one.name for one in server.serve(server.source("bm25"), task).served]
    assert words == [match.procedure.name for match in memory.retrieve(task, key="bm25")]
    raw = server.serve(server.source("raw"), task)
    won = {run.digest for run in lived(24) if run.success}
    assert {one.subject for one in raw.served} <= {f"run/{digest}" for digest in won}
    assert all(procedure.run is not None and procedure.script is None for procedure in raw.prompt.procedures)
    early = server.source("raw@v1").arm
    assert early.position == memory.at("v1").position
    server.close()


def test_versions_are_asked_as_if_each_were_alone(memory: memp.Memory) -> None:
    """Sharing embeddings and products between versions changes no answer, whatever the key."""
    views = [memory.at(position) for position in range(memory.position + 1)]
    for key in ("pattern", "query", "hybrid", "facts"):
        alone = [[match.score for match in view.retrieve(task.text, key=key)] for view in views for task in SUITE.tasks]
        with memory.asked_again():
            shared = [
                [match.score for match in view.retrieve(task.text, key=key)] for view in views for task in SUITE.tasks
            ]
        assert shared == alone


def test_each_question_is_embedded_once_for_all_versions() -> None:
    """However many versions are asked, the embedder sees a text once."""
    seen: list[str] = []

    class Counting(memp.HashedEmbedder):
        def embed(self, texts):  # type: ignore[no-untyped-def]
            seen.extend(texts)
            return super().embed(texts)

    with memp.open(":memory:", embedder=Counting()) as counted:
        counted.learn(lived(12), build="both", toolset="household")
        views = {str(position): position for position in range(1, counted.position + 1)}
        seen.clear()
        with Runner(counted, SUITE) as runner:
            runner.plan(views)
    assert len(views) > 10
    assert len(seen) == len(set(seen))


# -- plays -----------------------------------------------------------------------------------------------------------


def test_the_same_plays_whoever_does_them(memory: memp.Memory) -> None:
    """One worker and two come to the same result, bit for bit."""
    arms = ["v1", "v3"]
    here = memp.evaluate(memory, SUITE, arms=arms, seeds=[0, 1])
    assert memp.evaluate(memory, SUITE, arms=arms, seeds=[0, 1], workers=2) == here
    assert [arm.name for arm in here.arms] == ["none", "random", "v1", "v3"]
    assert {(one.task_id, one.seed) for one in here.of("v1")} == {(t.id, s) for t in SUITE.tasks for s in (0, 1)}


def test_what_cannot_differ_is_not_played_again(memory: memp.Memory) -> None:
    """A deterministic agent does a task once for each prompt, whichever arms serve it."""
    with Runner(memory, SUITE) as runner:
        first = runner.attempts("v3")
        played = runner.plays
        assert played == len(SUITE.tasks)
        assert [one.won for one in runner.attempts(memory.at("v3"), name="again")] == [one.won for one in first]
        assert runner.attempts("none") == runner.attempts("none")
        assert runner.plays == played + len(SUITE.tasks)
        assert len(runner.prompts("v3")) == len(SUITE.tasks)
        assert runner.attempts("v3", seeds=(5,))[0].seed == 5


def test_an_agent_that_may_act_otherwise_is_asked_for_every_arm(memory: memp.Memory) -> None:
    """Nothing is taken from another arm unless the caller shares plays."""
    agent = opener(open_door)
    for share, plays in ((False, 8), (True, 4)):
        with Runner(memory, door_suite(), agent, share=share) as runner:
            assert not runner.deterministic
            runner.play(runner.plan({"a": "none", "b": "none"}))
            assert runner.plays == plays


def test_tokens_are_counted_where_the_agent_says_them(memory: memp.Memory) -> None:
    """What steps say they cost is summed, and arms are compared by it; scripts say nothing."""
    result = memp.evaluate(memory, door_suite(), opener(cost), arms=["v3"])
    assert result.score("none").tokens == 20
    assert (result.score("v3").tokens or 0) > 20
    tokens = result.compare("none", "v3").tokens
    assert tokens is not None
    assert tokens.difference > 0
    assert memp.evaluate(memory, SUITE, "explorer").score("none").tokens is None


def test_a_lost_task_counts_the_limit(memory: memp.Memory) -> None:
    """The limit is the suite's or the caller's; what was won counts the steps that were taken."""
    waits = FunctionAgent(name="waiter", act=lambda *_: "wait")
    assert {one.steps for one in memp.evaluate(memory, door_suite(), waits).attempts} == {3}
    assert {one.steps for one in memp.evaluate(memory, door_suite(), waits, max_steps=5).attempts} == {5}
    assert {one.steps for one in memp.evaluate(memory, door_suite(), opener(open_door)).attempts} == {1}


def test_a_users_own_agent_has_a_name(memory: memp.Memory) -> None:
    """Registered, it is found by name; a name that nobody has is refused with those there are."""
    register_agent("test-opener", lambda _: opener(open_door))
    assert memp.evaluate(memory, door_suite(), "test-opener").measured.agent == "opener"
    with pytest.raises(InvalidInputError, match=r"'agent' must be one of .*explorer, follower.*test-opener"):
        agent_named("nobody")


def test_an_error_of_an_agent_comes_out_of_a_worker(memory: memp.Memory) -> None:
    """The group of the error and its words are the same here and from another process."""
    for workers in (1, 2):
        with pytest.raises(ServiceError, match="The model is away"):
            memp.evaluate(memory, door_suite(), opener(fail), workers=workers)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"workers": 0}, "'workers' must be 1"),
        ({"max_steps": 0}, "'max_steps' must be 1"),
        ({"seeds": []}, "'seeds' must be"),
        ({"seeds": [1, 1]}, "'seeds' must be"),
        ({"k": 0}, "'k' must be"),
    ],
)
def test_what_is_out_of_range_is_refused(memory: memp.Memory, said: dict[str, object], says: str) -> None:
    """Numbers that ask for nothing are refused before anybody acts."""
    with pytest.raises(InvalidInputError, match=says):
        memp.evaluate(memory, door_suite(), opener(open_door), **said)  # type: ignore[arg-type]


def test_the_name_of_a_suite_is_no_suite(memory: memp.Memory) -> None:
    """Whoever passes the name is told how a suite is made, by an evaluation and by a search alike."""
    with pytest.raises(InvalidInputError, match=r"memp\.suite\(name\).*got 'household'"):
        memp.evaluate(memory, "household")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match=r"memp\.suite\(name\)"):
        memp.bisect(memory, "household", good=0, bad="main")  # type: ignore[arg-type]


def test_what_cannot_be_sent_to_a_worker_says_so(memory: memp.Memory) -> None:
    """An agent of a local function is fine here and refused with several workers."""
    local = FunctionAgent(name="local", act=lambda *_: "open door")
    assert memp.evaluate(memory, door_suite(), local).score("none").success == 1.0
    with pytest.raises(InvalidInputError, match="picklable"):
        memp.evaluate(memory, door_suite(), local, workers=2)


def test_progress_says_how_much_there_is(memory: memp.Memory) -> None:
    """Whoever watches is told what is done of how much, up to the end."""
    told: list[tuple[str, int, int]] = []
    memp.evaluate(memory, SUITE, arms=["v1"], on_progress=lambda *said: told.append(said))
    assert told[-1][1] == told[-1][2] > 0
    assert {what for what, _, _ in told} == {"asking versions", "doing tasks"}


def test_a_result_knows_what_it_was_measured_on(memory: memp.Memory) -> None:
    """Suite, agent, code, arms with branch, position and digest, and the procedures that were served."""
    result = memp.evaluate(memory, SUITE)
    assert (result.measured.suite, result.measured.suite_digest) == ("household", SUITE.digest)
    assert (result.measured.agent, result.measured.memp_version) == ("follower", memp.__version__)
    now = result.arms[-1]
    assert (now.name, now.branch, now.position) == ("main", "main", memory.position)
    assert now.state_digest == memory.state_digest()
    names = {one.name for one in result.involved}
    assert names == {name for one in result.attempts for name in one.served}
    assert Result.from_json(result.to_json()) == result
