"""In: hang.jsonl, native/hang-N. Out: what kind of standstill, who waits for what. Pure.
May import `facts`, `probes.outside`.

kind.py                  deadlock, livelock, waiting for others: how a hang is told is told here
still_threads.py         the threads, put together from all looks
waits_for.py             what one thread waits for, from its system call
stacks.py                py-spy's files
"""
