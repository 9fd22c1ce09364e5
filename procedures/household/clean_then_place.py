"""Washing something before it is put away."""

from household import *


@procedure(
    "put a clean {thing} in {target}",
    "clean some {thing} and put it in {target}",
    "put a clean {thing} on {target}",
)
def clean_then_place(thing: Object, target: Receptacle):
    """Clean an object at a sink basin, then put it away."""
    source = find(thing, likely=["countertop", "sinkbasin", "cabinet", "bathtubbasin"])
    take(thing, source)
    go_to("sinkbasin 1")
    clean(thing, "sinkbasin 1")
    go_to(target)
    if closed(target):
        open(target)
    move(thing, target)
    ensure(inside(thing, target), "the clean thing is in place")
