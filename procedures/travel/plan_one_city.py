"""A trip of some days to one city and back."""

from travel import *


@procedure(
    "plan a trip from {origin} to {city} spanning 3 days from {first} to {last} with a budget of {budget}",
    "a 3-day travel plan from {origin} to {city}, {first} to {last}, for {budget}",
)
def plan_one_city(origin: City, city: City, first: Date, last: Date, budget: Text):
    """Go, stay two nights in one place, come back."""
    outward = find_flight(origin, city, first)
    back = find_flight(city, origin, last)
    stay = find_stay(city, "two nights")
    restaurant_search(city)
    attraction_search(city)
    ensure(bookable(stay, 2), "many places ask for a least number of nights")
    plan_day(
        1,
        f"from {origin} to {city}",
        f"Flight Number: {outward}, from {origin} to {city}",
        accommodation=f"{stay}",
    )
    plan_day(2, city, accommodation=f"{stay}")
    plan_day(3, f"from {city} to {origin}", f"Flight Number: {back}, from {city} to {origin}")
    note(
        "every full day needs breakfast, lunch, dinner and a sight, each with its city behind a comma",
    )
    avoid("the same restaurant or sight twice", "variety is one of the rules")
    ensure(
        affordable("0", budget),
        "flights, nights for everybody and meals stay within the budget",
    )
