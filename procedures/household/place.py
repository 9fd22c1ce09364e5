"""Moving one thing to where it belongs."""

from household import *


@procedure(
    "put a {thing} in {target}",
    "put some {thing} on {target}",
    "find some {thing} and put it in {target}",
)
def place(thing: Object, target: Receptacle):
    """Find an object and put it away as it is."""
    source = find(thing, likely=["countertop", "desk", "shelf", "drawer"])
    take(thing, source)
    go_to(target)
    if closed(target):
        open(target)
    move(thing, target)
    ensure(inside(thing, target), "the thing is in place")
