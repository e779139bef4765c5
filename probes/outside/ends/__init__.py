"""In: processes as they end. Out: ends.jsonl, native_exit.jsonl, and what is needed to read an end: handled.jsonl,
spoken.jsonl. May import `outside`, `records`.

process_ends.py          when each Python process of a trial ends, and how
handled_signals.py       for which signals they have handlers: what is handled ends nobody
spoken.py                when stderr grew
native_exit.py           a process held in C `exit()`
"""
