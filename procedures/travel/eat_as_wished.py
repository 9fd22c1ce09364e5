"""Cuisines that were wished for."""

from travel import *


@procedure("eat {wish} in {city}", "we would like to try {wish} cuisines in {city}")
def eat_as_wished(wish: Text, city: City):
    """As long as a cuisine is missing, a meal must bring one of the missing."""
    restaurant_search(city)
    meals = find_meals(city, wish)
    for meal in meals:
        ensure(still_wished(meal), "every cuisine that was wished for is had at least once")
