"""In: processes as they end. Out: ends.jsonl, native_exit.jsonl. May import `outside`, `records`.

process_ends.py          when each Python process of a trial ends, and how
native_exit.py           a process held in C `exit()`
"""
