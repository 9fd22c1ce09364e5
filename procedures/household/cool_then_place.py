"""Chilling something before it is put away."""

from household import *


@procedure(
    "put a cool {thing} in {target}",
    "cool some {thing} and put it in {target}",
    "put a cool {thing} on {target}",
)
def cool_then_place(thing: Object, target: Receptacle):
    """Cool an object at the fridge, then put it away."""
    source = find(thing, likely=["countertop", "diningtable", "cabinet", "sinkbasin"])
    take(thing, source)
    go_to("fridge 1")
    cool(thing, "fridge 1")
    go_to(target)
    if closed(target):
        open(target)
    move(thing, target)
    ensure(inside(thing, target), "the cool thing is in place")
