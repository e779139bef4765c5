"""Ends with the plain exit code 137, which is not a SIGKILL."""

import sys

sys.exit(137)
