"""Has many threads that all do their work and end."""

import threading
import time

threads = [threading.Thread(target=time.sleep, args=(0.8,)) for _ in range(64)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("step 1", flush=True)
