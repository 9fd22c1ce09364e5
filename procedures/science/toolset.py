"A school laboratory with a house and a garden around it, played in words; ScienceWorld speaks so."

toolset("science")
no_effect(
    "No known action matches that input.",
    "It's not clear how to *",
    "I'm not sure how to *",
    "You can't *",
    "Unknown action.*",
)


class Thing: "Anything that can be named, with where it is if that is needed: 'apple seed in seed jar'."
class Place(Thing): "A room or the outside, such as 'kitchen'."
class Terminal(Thing): "An end of a wire or a component, such as 'anode in red light bulb'."


@action("look around")
@observing
def look_around(): "See the room and what is in it."

@action("look at {thing}")
@observing
def look_at(thing: Thing): "See something and what can be seen of it."

@action("look in {thing}")
@observing
def look_in(thing: Thing): "See what is in something."

@action("examine {thing}")
@observing
def examine(thing: Thing): "See something closely."

@action("read {thing}")
@observing
def read(thing: Thing): "Read a recipe or a note."

@action("inventory")
@observing
def inventory(): "See what is carried."

@action("task")
@observing
def task(): "Read the task again."

@action("open {thing}")
@no_effect("The * is already open.")
def open(thing: Thing): "Open a door or a container."

@action("close {thing}")
@no_effect("The * is already closed.")
def close(thing: Thing): "Close a door or a container."

@action("go to {place}", "go {place}")
def go_to(place: Place): "Walk to a neighbouring place whose door is open."

@action("teleport to {place}")
def teleport_to(place: Place): "Be in a place at once, where that is allowed."

@action("pick up {thing}")
def pick_up(thing: Thing): "Take something along."

@action("put down {thing}", "drop {thing}")
def put_down(thing: Thing): "Leave something here."

@action("move {thing} to {target}")
def move(thing: Thing, target: Thing): "Put something into or onto something else."

@action("pour {thing} into {target}", "pour {thing} in {target}")
def pour(thing: Thing, target: Thing): "Pour what is in a container into another."

@action("dunk {thing} into {target}", "dunk {thing} in {target}")
def dunk(thing: Thing, target: Thing): "Fill a container by dipping it."

@action("mix {thing}")
@no_effect("That container is empty*")
def mix(thing: Thing): "Mix what is in a container."

@action("use {tool} on {target}", "use {tool}")
def use(tool: Thing, target: Thing = None): "Use a tool, such as a thermometer, on something."

@action("activate {thing}")
@no_effect("The * is already activated.", "The * appears broken*")
def activate(thing: Thing): "Switch something on."

@action("deactivate {thing}")
@no_effect("The * is already deactivated.", "The * appears broken*")
def deactivate(thing: Thing): "Switch something off."

@action("connect {first} to {second}")
def connect(first: Terminal, second: Terminal): "Join two ends of an electrical circuit."

@action("disconnect {thing}")
def disconnect(thing: Terminal): "Take an end out of its circuit."

@action("focus on {thing}")
def focus_on(thing: Thing): "Tell the teacher which thing is meant; the wrong thing ends the task."

@action("eat {thing}")
def eat(thing: Thing): "Eat something."

@action("flush {thing}")
def flush(thing: Thing): "Flush a toilet."

@action("wait")
def wait(): "Let ten rounds pass."

@action("wait1")
def wait_one(): "Let one round pass."

@action("{choice}")
def choose(choice: Number): "Answer which of several things was meant, by its number."


@condition("{thing} is open")
def is_open(thing: Thing): ...

@condition("{thing} can be seen")
def visible(thing: Thing): ...

@condition("the thermometer shows more than {degrees} degrees for {thing}")
def hotter_than(thing: Thing, degrees: Number): ...

@condition("{thing} is {state}")
def in_state(thing: Thing, state: Text): ...

@condition("{thing} is switched on")
def powered(thing: Thing): ...


@finder("look for {thing}", by=[open, go_to, look_around])
def find(thing: Thing, likely: list[Place] = []) -> Place: "Walk from room to room, opening doors, until the thing is seen."
