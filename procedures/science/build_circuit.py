"""Electric circuits."""

from science import *


@procedure("turn on the {component}", "power the {component} with the {source}")
def build_circuit(component: Thing, source: Thing = "battery"):
    """Lead one wire from each end of a source to an end of the component."""
    focus_on(component)
    connect(f"{source} anode", "black wire terminal 1")
    connect(f"{source} cathode", "orange wire terminal 1")
    connect("black wire terminal 2", f"cathode in {component}")
    connect("orange wire terminal 2", f"anode in {component}")
    for _ in attempts(5):
        wait_one()
        if powered(component):
            break
    else:
        stop(
            "the circuit has a gap, or the source gives nothing: a solar panel needs the outside, a generator wind",
        )


@procedure("determine if {substance} is electrically conductive: if so {yes}, otherwise {no}")
def test_conductivity(substance: Thing, yes: Thing, no: Thing):
    """Put a substance into a circuit with a lamp and see whether it shines."""
    focus_on(substance)
    connect("battery anode", "blue wire terminal 1")
    connect("battery cathode", "orange wire terminal 1")
    connect("blue wire terminal 2", "cathode in red light bulb")
    connect("black wire terminal 2", "anode in red light bulb")
    connect(f"terminal 1 in {substance}", "orange wire terminal 2")
    connect(f"terminal 2 in {substance}", "black wire terminal 1")
    wait_one()
    if powered("red light bulb"):
        move(substance, yes)
    else:
        move(substance, no)
