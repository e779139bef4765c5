"""Calls sys.exit(5) in a thread: that ends the thread alone, and the process ends with exit code 0."""

import sys
import threading

worker = threading.Thread(target=sys.exit, args=(5,), name="quitter")
worker.start()
worker.join()
print("main goes on", flush=True)
