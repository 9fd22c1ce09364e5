"""A longer trip through several cities of one state."""

from travel import *


@procedure(
    "plan a trip from {origin} through {count} cities in {state} starting on {first} with a budget of {budget}",
    "visit {count} cities in {state} from {origin} from {first}, budget {budget}",
)
def plan_state(origin: City, count: Number, state: Text, first: Date, budget: Text):
    """Choose cities that hang together, then plan each as a short stay."""
    city_search(state)
    cities = find_cities(state, count)
    for city in cities:
        accommodation_search(city)
        restaurant_search(city)
        attraction_search(city)
    notebook_write(f"what there is in the cities of {state}")
    do(f"order the cities so that no way is gone twice, starting and ending in {origin}")
    planner(f"a plan for {count} cities in {state} from {first} within {budget}")
    ensure(affordable("0", budget), "the whole trip stays within the budget")
