"""A plan that costs too much."""

from travel import *


@procedure("bring the plan below {budget}", "the plan costs more than {budget}")
def repair_budget(budget: Text):
    """Save where it hurts least: nights first, then the way, then meals."""
    for _ in attempts(4):
        cost_enquiry("the whole plan")
        if affordable("0", budget):
            break
        do("replace the dearest night by the cheapest that still meets every wish")
        do("replace a flight by self-driving, for the whole trip or not at all")
        do("replace the dearest meals")
    else:
        stop(f"no plan below {budget} was found: say which wish is the dearest")
