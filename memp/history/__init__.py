"""
Asking the past and changing what is in force: views, undo, branches, and why a procedure is as it is.

Everything here is a function of the versions that ``memp.state`` keeps; what is decided is appended elsewhere.
"""
