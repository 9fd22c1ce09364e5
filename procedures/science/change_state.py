"""Boiling, melting and freezing."""

from science import *


@procedure("boil {substance}", "melt {substance}", "change the state of matter of {substance}")
def heat_substance(substance: Thing):
    """Bring a substance into a pot and the pot onto heat until its state has changed."""
    kitchen = find("stove", likely=["kitchen"])
    go_to(kitchen)
    pick_up("thermometer")
    open("cupboard")
    pick_up("metal pot")
    where = find(substance, likely=["kitchen"])
    note(
        f"water comes from the sink: move the pot into it, switch it on and off again; other {substance} is moved into the pot",
    )
    do(f"bring the {substance} from {where} into the metal pot")
    focus_on(f"{substance} in metal pot")
    move("metal pot", "stove")
    activate("stove")
    for _ in attempts(10):
        use("thermometer", f"{substance} in metal pot")
        wait_one()
        if in_state(substance, "in another state of matter than before"):
            break
    else:
        note("what the stove cannot do the blast furnace in the foundry can")
        move("metal pot", "blast furnace")
        activate("blast furnace")


@procedure("freeze {substance}")
def freeze(substance: Thing):
    """Put a substance into the freezer and wait."""
    kitchen = find("freezer", likely=["kitchen"])
    go_to(kitchen)
    focus_on(substance)
    open("freezer")
    move(substance, "freezer")
    close("freezer")
    for _ in attempts(10):
        wait()
        if in_state(substance, "solid"):
            break
