"""Gives its process to another program, which ends with the code of the argument."""

import os
import sys

os.execv("/bin/sh", ["sh", "-c", f"exit {sys.argv[1]}"])
