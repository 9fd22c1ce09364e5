"""Moving two things of a kind, with one pair of hands."""

from household import *


@procedure(
    "put two {thing} in {target}",
    "find two {thing} and put them in {target}",
    "put two {thing} on {target}",
)
def place_two(thing: Object, target: Receptacle):
    """Carry two objects of one kind to the same place, one after the other."""
    note("only one object can be carried; the second is often near where the first was found")
    for _ in times(2):
        source = find(thing, likely=["countertop", "shelf", "drawer", "sidetable"])
        take(thing, source)
        go_to(target)
        if closed(target):
            open(target)
        move(thing, target)
    avoid(f"taking a {thing} out of the {target} again", "it is already where it belongs")
