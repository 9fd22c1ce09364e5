"""Looking at something under a lamp."""

from household import *


@procedure("look at {thing} under the {lamp}", "examine the {thing} with the {lamp}")
def look_in_light(thing: Object, lamp: Object):
    """Hold an object and switch a lamp on beside it."""
    source = find(thing, likely=["desk", "sidetable", "shelf", "bed"])
    take(thing, source)
    place = find(lamp, likely=["desk", "sidetable", "dresser"])
    go_to(place)
    use(lamp)
    ensure(carried(thing), "it counts only while the thing is in hand")
