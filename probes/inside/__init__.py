"""Runs in the child, before and around the target: standard library only, Python 3.9 or later.

`boot.py` loads this folder as a package under a private name, so that no module of the target can be shadowed.
"""
