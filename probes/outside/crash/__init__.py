"""In: a process that is held at the instant of its death. Out: native/*/fault.json and stacks.
May import `outside`, `records`.

hold.py                  notices it, takes all that it shows, lets it die of its signal
fault_page.py fault_record.py    what the handlers wrote; what fault.json says
held_by_pause.py         where no page tells: held by pause(2)
held_process.py          signals to its threads, a look into its memory
heap_lock.py             opens the heap's lock where a handler waits for it
mapped_file.py torch_stacks.py    which file an address lies in; stderr, split
"""
