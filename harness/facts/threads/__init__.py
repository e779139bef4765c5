"""In: threads.jsonl, inside.jsonl, maps.txt. Out: facts of threads. Pure.
May import `facts`, `probes.outside`, `model`.

use.py                   what the threads did, and what they were told
limits.py                how many there could have been, and what was refused
runtimes.py              which OpenMP, BLAS and TBB libraries were loaded, and how often
"""
