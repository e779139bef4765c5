"""Ends as the interpreter ends; where it is asked to, it forks a child that calls C exit() before."""

import ctypes
import os
import sys

if sys.argv[1] == "fork":
    child = ctypes.CDLL(None).fork()  # native code's fork: Python does not hear of it
    if child == 0:
        ctypes.CDLL(None).exit(0)
    os.waitpid(child, 0)
if sys.argv[1] == "sys.exit":
    sys.exit(0)
