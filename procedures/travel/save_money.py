"""Staying below a budget from the first choice on."""

from travel import *


@procedure(
    "spend no more than {budget} from {origin} to {city} on {date}",
    "a trip from {origin} to {city} on {date} for {budget}",
)
def save_money(budget: Text, origin: City, city: City, date: Date):
    """Of all that is suitable, take the cheapest: for all travellers together, not for one."""
    way = find_flight(origin, city, date)
    ensure(cheapest(way), "count what all travellers pay, cars and taxis by the seats")
    stay = find_stay(city, "what was asked for")
    ensure(cheapest(stay), "count the units that so many people need")
    meals = find_meals(city, "what was asked for")
    for meal in meals:
        ensure(cheapest(meal), "three meals a day for everybody add up")
    ensure(affordable("0", budget), "the whole trip stays within the budget")
