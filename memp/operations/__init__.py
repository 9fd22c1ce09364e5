"""
What a user does with a memory, a file for each kind of operation; ``memp.memory.Memory`` is all of them together.

Each file asks the pure core what it would say (``memp.decide``, ``memp.history``, ``memp.update``, ``memp.build``) and
hands the answer to the store. One class with every method was not taken: it would be the file where every change lands.
"""
