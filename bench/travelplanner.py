"""
TravelPlanner: how far our verdicts agree with published ones, and which constraint each procedure mends.

Run it with ``python -m bench.travelplanner DIR [--split train] [--plans FILE …]``; DIR holds the benchmark's tables and
tasks. The first tables are about plans of others, the last about our own planner, a script, served nothing, one shipped
procedure at a time, one of another world, and all of them: in how many of the tasks to which it applies each constraint
is kept.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from memp.evaluation.agent import Prompt, play
from memp.evaluation.environment import Task
from memp.evaluation.travelplanner.commonsense import COMMONSENSE
from memp.evaluation.travelplanner.hard import HARD, check_hard
from memp.evaluation.travelplanner.judge import judge
from memp.evaluation.travelplanner.plan import plan_of
from memp.evaluation.travelplanner.planner import Planner
from memp.evaluation.travelplanner.request import Request
from memp.evaluation.travelplanner.suite import MAX_STEPS, judge_file, read_tasks
from memp.evaluation.travelplanner.tables import Tables, read_tables
from memp.evaluation.travelplanner.world import TravelWorld, task_of
from memp.model import Content, ContentKey, EventId, Procedure, ProcedureId, Revision

PROCEDURES = Path(__file__).parents[1] / "procedures"
CONSTRAINTS = (*COMMONSENSE, *HARD)


def written(path: Path) -> Procedure:
    """Return the procedure of a shipped script, as if somebody had added it."""
    event, content = EventId("e"), Content(task=path.stem, script=path.read_text(encoding="utf-8"))
    revision = Revision(id=event, content=content, content_key=ContentKey("k"), family=event)
    return Procedure(id=ProcedureId(path.stem), name=path.stem, builder="hand", revisions=(revision,), active=event)


def measure(tables: Tables, tasks: tuple[Task, ...], *served: Procedure) -> dict[str, str]:
    """Return, by constraint, in how many tasks of how many the planner keeps it."""
    environment = TravelWorld(tables)
    kept, asked = Counter[str](), Counter[str]()
    won, reward = 0, 0.0
    for task in tasks:
        assert isinstance(task.setting, Request)
        run = play(environment, task, Planner(), Prompt(procedures=served), max_steps=MAX_STEPS)
        plan = plan_of(run)
        # The hard constraints are asked of every plan here: what memory mends shows even where something else is amiss.
        said = {verdict.constraint: verdict.kept for verdict in judge(task.setting, plan, tables).verdicts}
        said |= {verdict.constraint: verdict.kept for verdict in check_hard(task.setting, plan, tables)}
        for name, one in said.items():
            asked[name] += one is not None
            kept[name] += one is True
        won, reward = won + bool(run.success), reward + (run.reward or 0.0)
    figures = {name: f"{kept[name]}/{asked[name]}" for name in CONSTRAINTS}
    return figures | {"everything": f"{won}/{len(tasks)}", "mean reward": f"{reward / len(tasks):.3f}"}


def main() -> None:
    """Judge files of plans, and let the planner plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?")
    parser.add_argument("--split", default="all")
    parser.add_argument("--plans", nargs="*", default=[])
    chosen = parser.parse_args()
    if chosen.data is None:
        print("no folder was named: python -m bench.travelplanner DIR [--plans FILE]")
        return
    for path in chosen.plans:
        print(f"{Path(path).name}\n{judge_file(chosen.data, path)}\n")
    tables = read_tables(chosen.data)
    tasks = tuple(map(task_of, read_tasks(chosen.data, chosen.split)))
    shipped = [written(path) for path in sorted((PROCEDURES / "travel").glob("[!_]*.py")) if path.stem != "toolset"]
    other = written(PROCEDURES / "household" / "heat_then_place.py")
    arms = {"nothing": (), "household": (other,)} | {one.name: (one,) for one in shipped} | {"all": tuple(shipped)}
    for arm, served in arms.items():
        figures = measure(tables, tasks, *served)
        if arm == "nothing":
            base = figures
            print(f"{arm:18}" + "; ".join(f"{name} {figure}" for name, figure in figures.items()))
        else:
            changed = {name: figure for name, figure in figures.items() if figure != base[name]}
            print(f"{arm:18}" + ("; ".join(f"{name} {figure}" for name, figure in changed.items()) or "the same"))


if __name__ == "__main__":
    main()
