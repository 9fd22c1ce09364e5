"""Finding a kind of thing and bringing it to a box."""

from science import *


@procedure(
    "find a {kind} and move it to the {box} in the {room}",
    "focus on a {kind}, then move it to the {box} in the {room}",
)
def find_and_bring(kind: Thing, box: Thing, room: Place):
    """Plants and animals are outside or in the greenhouse; things without life are everywhere."""
    where = find(kind, likely=["outside", "greenhouse", "kitchen"])
    go_to(where)
    look_around()
    note("say the thing itself, such as dove, not the kind")
    focus_on(kind)
    pick_up(kind)
    do(f"go to {room}, opening doors on the way")
    move(kind, box)
