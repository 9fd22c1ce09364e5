"""
Where agents live through tasks, so that it can be said what a memory is worth.

Ports to environments and agents, a small household, and agents that are scripts. These are outer layers: they import
``memp``, and nothing in ``memp`` imports them.
"""
