"""Ends with sys.exit("..."): the words go to stderr, the exit code is 1."""

import sys

sys.exit("no data")
