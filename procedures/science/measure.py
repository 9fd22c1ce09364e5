"""Measuring a temperature and answering by a box."""

from science import *


@procedure(
    "measure the temperature of {substance}: above {degrees} degrees {above}, otherwise {below}",
)
def measure(substance: Thing, degrees: Number, above: Thing, below: Thing):
    """Fetch the thermometer, find the substance, read, and focus on the right box."""
    kitchen = find("thermometer", likely=["kitchen"])
    go_to(kitchen)
    pick_up("thermometer")
    focus_on("thermometer in inventory")
    where = find(substance, likely=["living room", "kitchen", "workshop"])
    go_to(where)
    pick_up(substance)
    focus_on(f"{substance} in inventory")
    use("thermometer in inventory", f"{substance} in inventory")
    if hotter_than(substance, degrees):
        move(substance, above)
    else:
        move(substance, below)
