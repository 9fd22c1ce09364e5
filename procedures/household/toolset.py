"A house with things to move, heat, cool, clean and look at, played in words; ALFWorld speaks so, in two dialects."

toolset("household")
no_effect("Nothing happens.")


class Object: "Something that can be carried, such as 'mug 1'."
class Receptacle: "A place that holds objects, such as 'cabinet 3'."
class Appliance(Receptacle): "A place that does something to what is in it, such as 'microwave 1'."


@action("go to {place}")
def go_to(place: Receptacle): "Walk to a place; shows what is on it, or that it is closed."

@action("take {thing} from {source}")
@undoes(move)
def take(thing: Object, source: Receptacle): "Pick up an object; one can be carried at a time."

@action("move {thing} to {target}", older="put {thing} in/on {target}")
@undoes(take)
def move(thing: Object, target: Receptacle): "Put what is carried in or on the place where one stands."

@action("open {place}")
@no_effect("The * is already open.")
@undoes(close)
def open(place: Receptacle): "Open the place where one stands; shows what is in it."

@action("close {place}")
@no_effect("The * is already closed.")
@undoes(open)
def close(place: Receptacle): "Close the place where one stands."

@action("heat {thing} with {appliance}")
@overrides(cool)
def heat(thing: Object, appliance: Receptacle): "Heat what is carried, standing at a microwave."

@action("cool {thing} with {appliance}")
@overrides(heat)
def cool(thing: Object, appliance: Receptacle): "Cool what is carried, standing at a fridge."

@action("clean {thing} with {appliance}")
def clean(thing: Object, appliance: Receptacle): "Clean what is carried, standing at a sink basin."

@action("use {device}")
def use(device: Object): "Switch something on, such as a lamp."

@action("slice {thing} with {tool}")
def slice(thing: Object, tool: Object): "Cut something with a knife that is carried."

@action("examine {thing}")
@observing
def examine(thing: Text): "Look closely at an object or a place."

@action("look")
@observing
def look(): "Look around where one stands."

@action("look at {thing} under {lamp}")
def look_under(thing: Object, lamp: Object): "Look at what is carried in the light of a lamp that is on."

@action("inventory")
@observing
def inventory(): "See what is carried."

@action("help")
@observing
def help(): "List the commands."


@condition("{place} is closed")
def closed(place: Receptacle): ...

@condition("{thing} is in or on {place}")
def inside(thing: Object, place: Receptacle): ...

@condition("{thing} can be seen")
def visible(thing: Object): ...

@condition("{thing} is carried")
def carried(thing: Object): ...


@finder("look for {thing}", by=[go_to, open, close])
def find(thing: Object, likely: list[Text] = []) -> Receptacle: "Go from place to place, opening what is closed, until the thing is seen."
