"""A lost wake-up: the condition is notified before anybody waits for it."""

import signal
import threading

signal.alarm(60)  # where nobody watches it, it ends all the same
condition = threading.Condition()
with condition:
    condition.notify()
with condition:
    condition.wait()
