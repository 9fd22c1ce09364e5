"""Meals and sights, each of them once."""

from travel import *


@procedure(
    "choose meals and sights in {city} with {wish}",
    "restaurants and attractions in {city}: {wish}",
)
def vary_places(city: City, wish: Text):
    """Eat and look around somewhere else every time."""
    restaurant_search(city)
    meals = find_meals(city, wish)
    for meal in meals:
        ensure(new(meal), "no restaurant is visited twice in a trip")
    attraction_search(city)
    sights = find_sights(city)
    for sight in sights:
        ensure(new(sight), "nothing is looked at twice in a trip")
