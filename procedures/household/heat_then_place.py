"""Warming something up before it is put away."""

from household import *


@procedure(
    "put a hot {thing} in {target}",
    "heat some {thing} and put it in {target}",
    "put a hot {thing} on {target}",
)
def heat_then_place(thing: Object, target: Receptacle):
    """Heat an object in the microwave, then put it away."""
    source = find(thing, likely=["countertop", "diningtable", "fridge", "cabinet"])
    take(thing, source)
    go_to("microwave 1")
    note("the microwave need not be opened: heating works with the object in hand")
    heat(thing, "microwave 1")
    go_to(target)
    if closed(target):
        open(target)
    move(thing, target)
    ensure(inside(thing, target), "the hot thing is in place")
