"""
A task to the procedures that helped with its like.

``patterns`` says what two tasks have in common, ``scoring`` how alike two vectors are, ``ranking`` in which order rows
come, and ``corpus`` holds the rows. All of it is pure: the same version, task and key give the same order.
"""
