"""Episodes, credit, policies, candidates, capacity and the queue, as users of a memory see them."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

import pytest

import memp
from memp.episodes import EpisodeStatus
from memp.evaluation.agent import Prompt, play
from memp.evaluation.agents import Follower
from memp.evaluation.environment import Task
from memp.evaluation.household import Household, make_tasks, solve
from memp.evaluation.household.rules import SHIFTS
from memp.log import Identity
from memp.update.base import Erase, FinishedEpisode, Remark
from memp.update.erasure import BOUND
from memp.update.posterior import Posterior

REPOSITORY = Path(__file__).parents[2]


def run(task: str, action: str, reward: float = 1.0) -> memp.Trajectory:
    """A run of one step."""
    return memp.Trajectory(task=task, steps=[memp.Step(action=action, observation="Done.")], reward=reward)


@pytest.fixture
def memory() -> Iterator[memp.Memory]:
    """A memory that knows two procedures."""
    with memp.open(":memory:", actor="test") as opened:
        opened.learn([run("put a hot mug in the cabinet", "heat mug 1"), run("find two pens", "take pen 1")])
        yield opened


def types(memory: memp.Memory, after: int) -> list[str]:
    """Types of the records behind a position."""
    return [record.type for record in memory.events() if record.position > after]


def live(memory: memp.Memory, task: str, *, success: bool, policy: object = "none") -> None:
    """One episode."""
    with memory.episode(task, policy=policy) as episode:  # type: ignore[arg-type]
        episode.step(action="look", observation="You see nothing.")
        episode.finish(success=success)


def test_an_episode_is_two_batches(memory: memp.Memory) -> None:
    """First what was served; then the run, the outcome and the evidence for all that was served, at once."""
    memory.retrieve("put a hot cup in the cabinet").prompt()
    before = memory.position
    with memory.episode("put a hot cup in the cabinet", policy="none") as episode:
        assert types(memory, before) == ["episode-started"]
        assert "heat mug 1" in episode.prompt
        assert len(episode.matches) == 2
        episode.step(action="heat cup 1", observation="Done.", thought="as before")
        records = episode.finish(reward=1.0, tokens=30)
    assert [r.type for r in records] == ["trajectory-recorded", "episode-finished", *["procedure-validated"] * 2]
    assert len({r.batch for r in records}) == 1
    assert [r.data["weight"] for r in records[2:]] == [0.666667, 0.333333]  # type: ignore[index]
    best = memory.evidence(episode.matches[0].procedure.id)
    assert (best.helped, best.episodes, best.steps, best.tokens, best.support) == (1, 1, 1.0, 30.0, 1)


def test_searching_credits_nothing(memory: memp.Memory) -> None:
    """Only what was served in an episode gets evidence."""
    before = memory.state_digest()
    memory.retrieve("find two pens")
    assert memory.state_digest() == before


def test_an_exception_passes_and_leaves_an_abandoned_episode(memory: memp.Memory) -> None:
    """What was lived is kept, nothing is evidence, and the agent's own error is what the caller sees."""
    episode = memory.episode("find two pens")

    def agent() -> None:
        with episode:
            episode.step(action="take pen 1")
            raise ZeroDivisionError("oh")

    with pytest.raises(ZeroDivisionError):
        agent()
    [one] = memory.episodes()
    assert (one.status, one.why, one.steps) == (EpisodeStatus.ABANDONED, "ZeroDivisionError: oh", 1)
    with memory.episode("find two pens"):
        pass
    assert memory.episodes()[-1].status is EpisodeStatus.ABANDONED
    assert all(memory.evidence(known.id).episodes == 0 for known in memory.procedures())
    with pytest.raises(memp.ConflictError):
        episode.finish(reward=1.0)


def test_a_past_view_sees_the_episode_as_it_was(memory: memp.Memory) -> None:
    """At the position of its start it is started; later it is finished."""
    live(memory, "find two pens", success=True)
    [one] = memory.episodes()
    assert memory.at(one.position).episodes()[0].status is EpisodeStatus.STARTED
    assert memory.at(one.position - 1).episodes() == []
    assert one.status is EpisodeStatus.FINISHED


def test_a_run_is_never_support_and_evidence_of_one_procedure(memory: memp.Memory) -> None:
    """A success that does what was served is evidence alone; what it is new about becomes a procedure of its own."""
    with memory.episode("put a hot mug in the cabinet", k=1, policy="validation") as episode:
        episode.step(action="heat mug 1", observation="Done.")
        episode.finish(reward=1.0)
    served = memory.procedure(episode.matches[0].procedure.id)
    assert (served.support, served.evidence.episodes) == (1, 1)


def test_evidence_prints_as_people_say_it(memory: memp.Memory) -> None:
    """Helped in 9 of 12, with the interval of Jeffreys."""
    name = memory.procedures()[0].name
    for number in range(12):
        memory.validate(name, success=number < 9)
    assert str(memory.evidence(name)) == "helped in 9 of 12 (95 %: .47–.92)"
    assert memory.evidence(name, half_life_days=1).mean == pytest.approx(memory.evidence(name).mean, abs=1e-6)


def test_outcomes_do_not_age_by_forking() -> None:
    """Ages count to the last thing that happened, and a fork is none: however late, it answers as its past does."""
    days = count(20_000)
    identity = Identity(clock=lambda: next(days) * 86_400_000_000)
    with memp.open(":memory:", actor="me", identity=identity) as memory:
        memory.learn([memp.Trajectory(task="t", steps=[memp.Step(action="a")], reward=1.0)])
        memory.validate(memory.procedures()[0].id, success=True)
        past, fork = memory.at(memory.position), memory.fork("trial")
        name = memory.procedures()[0].id
        assert fork.evidence(name, half_life_days=1) == past.evidence(name, half_life_days=1)
        fork.validate(name, success=False)
        assert fork.evidence(name, half_life_days=1).mean < 0.5


def test_what_a_parent_takes_back_later_stays_on_its_fork(memory: memp.Memory) -> None:
    """A fork sees its parent as it was then, however far both have gone on since: runs and procedures alike."""
    fork = memory.fork("trial")
    taken = [one.event_id for one in memory.events() if one.type in ("procedure-added", "trajectory-recorded")]
    memory.undo(taken, reason="wrong", on_dependents="cascade")
    known = run("put a hot mug in the cabinet", "heat mug 1")
    assert fork.learn([run("cool an egg", "cool egg 1")]).recorded == 1
    assert fork.learn([known]).known == 1
    assert memory.learn([known]).recorded == 1
    assert (len(fork.procedures()), len(memory.procedures())) == (3, 1)


def test_undoing_names_the_episodes_that_were_exposed(memory: memp.Memory) -> None:
    """Episodes stay, and the plan says which of them were served what goes."""
    live(memory, "find two pens", success=True)
    added = [record.event_id for record in memory.events(type="procedure-added")]
    plan = memory.plan_undo([added[0]], on_dependents="cascade")
    assert plan.exposed == (memory.episodes()[0].event_id,)
    memory.undo([added[0]], reason="wrong", on_dependents="cascade")
    assert len(memory.episodes()) == 1
    assert not any(record.type.startswith("episode") for record in memory.events() if record.event_id in plan.undone)


def test_a_poisoned_procedure_is_gone_within_ten_episodes(memory: memp.Memory) -> None:
    """What leads astray is out of the top three before the tenth episode, and the log says why."""
    poisoned = memory.procedures()[0].name
    for _ in range(10):
        live(memory, "put a hot mug in the cabinet", success=False, policy="erasure")
    assert poisoned not in [match.procedure.name for match in memory.retrieve("put a hot mug in the cabinet")]
    [erased] = memory.events(type="procedure-erased", procedure=poisoned)
    assert "erasure: helped in 0 of" in str(erased.data)
    assert erased.cause in {r.event_id for r in memory.events(type="episode-finished")}


def test_the_papers_rule_needs_three_uses(memory: memp.Memory) -> None:
    """Two failures leave it; the third takes it away."""
    for left in (2, 2, 0):
        live(memory, "find two pens", success=False, policy="paper")
        assert len(memory.procedures()) == left


def test_policies_compose_and_may_be_functions(memory: memp.Memory) -> None:
    """They act in their order; what makes no sense any more is remarked and not done."""

    def blunt(_: object, episode: FinishedEpisode) -> Iterable[Erase | Remark]:
        for served in episode.served:
            yield Erase(procedure_id=served.procedure.id, reason="blunt")
            yield Erase(procedure_id=served.procedure.id, reason="again")

    live(memory, "find two pens", success=True, policy=(blunt, "validation"))
    [one] = memory.episodes()
    assert one.policies == ("blunt", "validation")
    assert sum("cannot be erased" in remark for remark in one.remarks) == 2
    with pytest.raises(memp.InvalidInputError, match="register_policy"):
        memory.set_policy("blunt")
    memp.register_policy("blunt for a test", blunt)
    memory.set_policy("blunt for a test")
    with pytest.raises(memp.ConflictError):
        memp.register_policy("erasure", blunt)


def test_capacity_keeps_what_is_expected_to_help_most(memory: memp.Memory) -> None:
    """What is over the limit is erased, the least useful first, and says why."""
    worst = memory.procedures()[0].name
    memory.validate(worst, success=False)
    memory.set_policy("validation", max_procedures=2)
    memory.learn([run("open the window", "open window 1")])
    assert memory.procedure(worst).status == "erased"
    assert "more than 2 procedures" in str(next(memory.events(type="procedure-erased")).data)


def test_a_candidate_is_served_in_turn_and_accepted_when_better(memory: memp.Memory) -> None:
    """Every second episode gets it, only outcomes since it was written count, and the active one stays until then."""
    name = memory.procedures()[0].name
    for _ in range(20):
        memory.validate(name, success=True)
    memory.reflect(name, script='do("heat it twice")', critique="cold")
    [candidate] = memory.candidates()
    shown = []
    while memory.candidates():
        with memory.episode("put a hot mug in the cabinet", k=1, policy="trial") as episode:
            shown.append(episode.matches[0].procedure.active == candidate.revision.id)
            episode.finish(success=shown[-1])
    assert shown[:4] == [True, False, True, False]
    assert len(shown) < 12
    assert memory.procedure(name).active == candidate.revision.id
    assert "better than the active one" in str(next(memory.events(type="revision-accepted")).data)


def test_a_candidate_is_not_served_where_nothing_judges_it(memory: memp.Memory) -> None:
    """Without a policy that tries candidates, what works is what is served."""
    name = memory.procedures()[0].name
    memory.reflect(name, script='do("heat it twice")', critique="cold")
    with memory.episode("put a hot mug in the cabinet", k=1, policy="erasure") as episode:
        assert episode.matches[0].procedure.active == memory.procedure(name).active
        episode.finish(success=True)


def test_a_verdict_by_hand(memory: memp.Memory) -> None:
    """Accepting and rejecting take the event's id or its position, and only candidates."""
    name = memory.procedures()[0].name
    record = memory.reflect(name, script='do("a")', critique="cold")
    memory.accept(str(record.position), reason="looks right")
    assert memory.procedure(name).active == record.event_id
    other = memory.reflect(name, script='do("b")', critique="cold")
    memory.reject(other.event_id, reason="looks wrong")
    assert memory.candidates() == []
    with pytest.raises(memp.ConflictError):
        memory.reject(other.event_id, reason="again")


def test_the_queue_keeps_runs_for_later(memory: memp.Memory) -> None:
    """What is put off waits through a look at the past, is learned in its turn or dropped by hand."""
    memory.learn_later([run("open the window", "open window 1"), run("water plants", "water plant 1")], key="k")
    memory.learn_later([run("open the window", "open window 1")], key="k")
    assert [one.task for one in memory.queue()] == ["open the window", "water plants"]
    memory.drop(memory.queue()[1].id, reason="not ours")
    before = memory.position
    assert memory.drain().added == ("open-the-window",)
    assert memory.queue() == []
    assert len(memory.at(before).queue()) == 1
    with pytest.raises(memp.NotFoundError):
        memory.drop("nothing", reason="r")


# -- the household ----------------------------------------------------------------------------------------------------


def clean_run(task: Task) -> memp.Trajectory:
    """The shortest sensible run of a task."""
    world = Household()
    world.reset(task)
    steps = [memp.Step(action=c, observation=world.step(c).observation) for c in solve(task.setting)]  # type: ignore[arg-type]
    return memp.Trajectory(task=task.text, steps=steps, reward=1.0)


PATIENCE = 25
"""Steps that a task may take: enough for whoever knows how, too few for trying everything."""


def lived(memory: memp.Memory, world: Household, tasks: list[Task]) -> int:
    """Let the follower do *tasks* in episodes, and return how many it solved."""
    solved = 0
    for task in tasks:
        with memory.episode(task.text) as episode:
            prompt = Prompt(procedures=tuple(match.procedure for match in episode.matches))
            done = play(world, task, Follower(seed=7), prompt, max_steps=PATIENCE)
            for step in done.steps:
                episode.step(action=step.action, observation=step.observation)
            episode.finish(reward=done.reward)
        solved += bool(done.success)
    return solved


def test_reflection_brings_success_back_after_the_world_changed() -> None:
    """Thirty tasks go well; then another appliance heats: success falls, and comes back where failures are answered."""
    tasks = [task for task in make_tasks(600, seed=11) if "heat" in str(task.type)]
    shift = next(rules for rules in SHIFTS if rules.name == "toaster heats")
    after: dict[str, list[int]] = {}
    for policies in (("validation",), ("validation", "reflection")):
        with memp.open(":memory:") as memory:
            memory.learn([clean_run(task) for task in tasks[90:94]], build="induce")
            memory.set_policy(*policies, build="induce")
            assert lived(memory, Household(), tasks[:30]) >= 22
            changed = memory.position
            each = [lived(memory, Household(rules=shift), tasks[start : start + 5]) for start in range(30, 70, 5)]
            after[policies[-1]] = each
            if "reflection" in policies:
                [accepted] = memory.events(type="revision-accepted")
                [offered] = (r for r in memory.events(type="procedure-reflected") if r.position < accepted.position)
                assert changed < offered.position < accepted.position
                # The log says which events did it, and of which episodes they are the answer.
                ends = {record.event_id for record in memory.events(type="episode-finished")}
                assert {offered.cause, accepted.cause} <= ends
                told = [one.sentence for one in memory.why("put-a-hot-thing-in-target").told]
                assert any("it is done with toaster, as in a run that won" in sentence for sentence in told)
                assert any("on trial it helped in" in sentence for sentence in told)
    # It falls, to next to nothing, and stays there without an answer to failures; with one it comes back.
    assert sum(after["validation"]) <= 12
    assert after["reflection"][0] <= 4
    assert sum(after["reflection"][-4:]) >= 16


def test_reflection_does_no_harm_where_a_new_procedure_already_helps() -> None:
    """Where runs that won teach the new way by themselves, reflection costs at most a task in twenty."""
    tasks = [task for task in make_tasks(600, seed=11) if "cool" in str(task.type)]
    shift = next(rules for rules in SHIFTS if rules.name == "sink cools")
    solved = []
    for policies in (("validation",), ("validation", "reflection")):
        with memp.open(":memory:") as memory:
            memory.learn([clean_run(task) for task in tasks[90:94]], build="induce")
            memory.set_policy(*policies, build="induce")
            solved.append(lived(memory, Household(rules=shift), tasks[:40]))
    assert solved[1] >= solved[0] - 2


# -- simulated lives ---------------------------------------------------------------------------------------------------


def test_lives_in_a_store_go_as_the_simulated_ones(memory: memp.Memory) -> None:
    """What the policy does in a store to one procedure is what its bound says, outcome by outcome."""
    lot = random.Random("a hard life")
    name = memory.procedures()[0].name
    helped = 0.0
    for number in range(1, 41):
        success = lot.random() < 0.35
        helped += success
        with memory.episode("put a hot mug in the cabinet", k=1, policy="erasure") as episode:
            assert [match.procedure.name for match in episode.matches] == [name]
            episode.finish(success=success)
        gone = Posterior(helped=helped, failed=number - helped).lies_below(BOUND)
        assert (memory.procedure(name).status == "erased") == gone
        if gone:
            return
    pytest.fail("this life was not hard enough")


# -- processes, threads, asyncio --------------------------------------------------------------------------------------


def test_a_killed_process_leaves_an_abandoned_episode_and_a_whole_store(tmp_path: Path) -> None:
    """After SIGKILL in the middle of an episode the store verifies, and once it is opened to write it is abandoned."""
    program = """
        import sys, time, memp
        memory = memp.open(sys.argv[1])
        memory.learn([memp.Trajectory(task="find pens", steps=[memp.Step(action="take pen 1")], reward=1.0)])
        episode = memory.episode("find pens").__enter__()
        episode.step(action="take pen 1")
        print("in the middle", flush=True)
        time.sleep(60)
    """
    path = tmp_path / "agent.duckdb"
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"in the middle\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with memp.open(path, read_only=True) as memory:
        assert memory.verify().ok
        assert memory.episodes()[0].status is EpisodeStatus.STARTED
    with memp.open(path, scope="team") as memory:
        assert memory.verify().ok
        [one] = memory.episodes()
        assert (one.status, one.success, one.trajectory_id) == (EpisodeStatus.ABANDONED, None, None)
        assert one.why == "the process that ran it ended before it did"
        assert memory.evidence("find-pens").episodes == 0
        position = memory.position
    with memp.open(path) as memory:
        assert memory.position == position


def test_an_episode_of_a_fork_is_abandoned_on_its_fork(tmp_path: Path) -> None:
    """What stands open when a store is opened ends where it began, and another branch hears nothing of it."""
    path = tmp_path / "agent.duckdb"
    memory = memp.open(path)
    memory.learn([run("find two pens", "take pen 1")])
    trial = memory.fork("trial")
    trial.episode("find two pens").__enter__()
    memory.close()
    with memp.open(path) as memory:
        assert memory.episodes() == []
        assert [one.status for one in memory.branch("trial").episodes()] == [EpisodeStatus.ABANDONED]


def test_a_memory_is_opened_with_a_limit(tmp_path: Path) -> None:
    """The limit becomes a rule on record, once; it keeps other rules; and it is no business of readers."""
    path = tmp_path / "agent.duckdb"
    with memp.open(path) as memory:
        memory.set_policy("validation", "erasure", half_life_days=30)
        memory.learn([run("find two pens", "take pen 1"), run("wash a pan", "wash pan 1")])
    for _ in range(2):
        with memp.open(path, max_procedures=1) as memory:
            rules = memory.policy()
            assert rules is not None
            assert (rules.policies, rules.half_life_days, rules.max_procedures) == (("validation", "erasure"), 30.0, 1)
            assert len(memory.procedures()) == 1
            assert len(list(memory.events(type="policy-set"))) == 2
    with pytest.raises(memp.InvalidInputError, match="max_procedures"):
        memp.open(path, max_procedures=0)
    with pytest.raises(memp.InvalidInputError, match="for reading"):
        memp.open(path, max_procedures=1, read_only=True)


def test_a_hundred_threads_lose_no_evidence(memory: memp.Memory) -> None:
    """Every outcome of a hundred agents at once is there in the end."""
    failures: list[BaseException] = []

    def agent(number: int) -> None:
        try:
            live(memory, "find two pens", success=number % 2 == 0, policy="none")
        except memp.MempError as error:
            failures.append(error)

    threads = [threading.Thread(target=agent, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for known in memory.procedures():
        credit = memory.evidence(known.id)
        assert (credit.episodes, credit.helped) == (100, 50)
    assert all(one.status is EpisodeStatus.FINISHED for one in memory.episodes())


def test_the_async_memory_is_the_same_memory(tmp_path: Path) -> None:
    """Every public method is there, and an episode with 'async with' writes what one with 'with' writes."""

    async def day() -> list[str]:
        async with memp.open_async(tmp_path / "agent.duckdb", actor="test") as memory:
            await memory.learn([run("find two pens", "take pen 1")])
            async with memory.episode("find two pens") as episode:
                episode.step(action="take pen 1", observation="Done.")
                await episode.finish(reward=1.0)
            fork = await memory.fork("trial")
            await fork.erase("find-two-pens", reason="r")
            assert len(await memory.procedures()) == 1
            with pytest.raises(RuntimeError):
                async with memory.episode("find two pens"):
                    raise RuntimeError("oh")
            return [one.status.value for one in await memory.episodes()]

    assert asyncio.run(day()) == ["finished", "abandoned"]
    public = {name for name in dir(memp.Memory) if not name.startswith("_")}
    assert public <= set(dir(memp.AsyncMemory))
