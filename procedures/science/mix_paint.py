"""Making a colour out of others."""

from science import *


@procedure("use chemistry to create {color} paint", "mix {color} paint")
def mix_paint(color: Thing, first: Thing, second: Thing):
    """Pour two paints into one container and mix."""
    studio = find(first, likely=["art studio"])
    go_to(studio)
    open("door to art studio")
    pour(first, "jug")
    pour(second, "jug")
    mix("jug")
    ensure(visible(f"{color}"), "the mixture has the colour that was asked for")
    focus_on(color)
