"""Growing a plant from a seed."""

from science import *


@procedure("grow a {plant} plant from seed", "grow a {plant}")
def grow_plant(plant: Thing):
    """Seed, soil, water and patience."""
    kitchen = find("seed jar", likely=["kitchen", "greenhouse"])
    go_to(kitchen)
    pick_up("seed jar")
    greenhouse = find("flower pot 1", likely=["greenhouse"])
    go_to(greenhouse)
    move(f"{plant} seed in seed jar", "flower pot 1")
    choose(0)
    focus_on(f"{plant} seed in flower pot 1")
    move("jug", "sink")
    activate("sink")
    deactivate("sink")
    pour("jug", "flower pot 1")
    for _ in attempts(20):
        wait()
        if in_state(plant, "in the reproducing stage"):
            break
    note("for fruit, grow several plants side by side and let the bees out of their hive")
