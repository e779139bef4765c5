"""In: flight rings and output files. Out: what moves, and hang.jsonl with native/hang-N.
May import `outside`, `records`.

flight.py                reads a ring, live or after the death
live_progress.py         all processes' rings and forwards, while they are written
hang_looks.py            three looks at a program that makes no progress
"""
