"""The atlas: many questions about depth and width, asked once, kept, and looked at from above."""

from depthsep.atlas.driver import Progressed, run
from depthsep.atlas.plan import Plan, PlanError, plan_of, read_plan
from depthsep.atlas.store import Store
from depthsep.atlas.task import Task

__all__ = ["Plan", "PlanError", "Progressed", "Store", "Task", "plan_of", "read_plan", "run"]
