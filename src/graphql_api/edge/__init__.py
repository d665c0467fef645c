"""The HTTP edge: what is asked, whether it may run, what it costs, and how it is answered.

`view.py` reads from top to bottom as one request does; each of its steps is a module beside it.
"""
