"""In: a process' threads. Out: threads.jsonl. May import `outside`, `records`.

thread_samples.py        each thread's name and CPU time, once a second
thread_ceilings.py       what bounds their number, and how much is in use
thread_states.py         reads threads.txt: state, system call and CPU time of each thread
"""
