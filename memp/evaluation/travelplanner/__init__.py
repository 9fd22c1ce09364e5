"""
TravelPlanner: trips planned in a closed world of tables, and judged by thirteen constraints.

The constraints are written from their published definitions (arXiv 2402.01622) and held against published verdicts.
They serve as a metric for plans from anywhere, as the reward of a suite with an agent that is a script, and as the
reward with which runs are learned.
"""

from memp.evaluation.travelplanner.agreement import Agreement, judge_plans
from memp.evaluation.travelplanner.judge import Judgement, judge, score_runs
from memp.evaluation.travelplanner.plan import Day, plan_of, read_plan
from memp.evaluation.travelplanner.planner import Planner
from memp.evaluation.travelplanner.request import Request, read_request, read_requests
from memp.evaluation.travelplanner.tables import Tables, read_tables
from memp.evaluation.travelplanner.world import TravelWorld, task_of

__all__ = [
    "Agreement",
    "Day",
    "Judgement",
    "Planner",
    "Request",
    "Tables",
    "TravelWorld",
    "judge",
    "judge_plans",
    "plan_of",
    "read_plan",
    "read_request",
    "read_requests",
    "read_tables",
    "score_runs",
    "task_of",
]
