"""A tool that is not Python is killed from outside; the program raises what subprocess raises for it.

The tool writes its process id to the file that the argument names.
"""

import subprocess
import sys

import weights  # noqa: F401 - it is held

TOOL = 'echo $$ > "$1.draft"; mv "$1.draft" "$1"; exec sleep 20'

print("step 1", flush=True)
subprocess.run(["sh", "-c", TOOL, "tool", sys.argv[1]], check=True)
