"""In: memory.jsonl, pressure.jsonl, kernel.jsonl, native/headroom-N, last words. Out: facts of memory. Pure.
May import `facts`, `model`.

use.py                   how much was used, how much was left
growth.py                by step, and in which forward
headroom.py              what the looks before the end saw
control_groups.py        the groups around the process, as the kernel counted them
signs.py                 what kernel and program said
kills_elsewhere.py       OOM kills that the machine counts, and that are none of the target's
most_used.py             of each limit, the most that was ever used
spoken.py                whether the program speaks of memory at all
"""
