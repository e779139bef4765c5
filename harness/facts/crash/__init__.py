"""Stacks of a dead or hanging process: parsers of what tools print, and which frames of them carry meaning."""
