"""A place to sleep that the rules allow."""

from travel import *


@procedure(
    "find a place to stay in {city} for {nights} nights with {wish}",
    "accommodation in {city} for {nights} nights: {wish}",
)
def choose_stay(city: City, nights: Number, wish: Text):
    """Filter by what cannot be bent before looking at the price."""
    accommodation_search(city)
    for _ in attempts(3):
        stay = find_stay(city, wish)
        if bookable(stay, nights) and meets(stay, wish):
            break
        note(f"{stay} is out: look at least nights, house rules, room type and most guests")
    else:
        stop(f"no place in {city} meets {wish}: ask which wish may go")
    notebook_write(f"place to stay in {city}")
