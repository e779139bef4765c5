"""Waits for a SIGKILL, which a process sends that is no Python: nobody records who sent it."""

import os
import subprocess
import time

subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {os.getpid()}"])
time.sleep(30.0)
