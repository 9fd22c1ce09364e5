"""
A task to the procedures that helped with its like.

``patterns`` says what two tasks have in common, ``scoring`` how alike two vectors are, ``ranking`` in which order rows
come; ``catalogue`` holds what can be found in which version, and ``search`` the keys by which people ask. The same
version, task and key give the same order.
"""
