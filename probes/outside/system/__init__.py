"""In: the kernel's own tracepoints. Out: refusals.jsonl, signals.jsonl. May import `outside`, `records`.

Direct evidence: what the system refused the target, and who sent it a signal.

    refusals.py signals.py   the two probes (trace_probe.py: what they share)
    instance.py rows.py tracefs.py    a trace of our own; a line of it; where tracing can be reached
    tree.py sender.py        which threads are the target's; who a sender is
    calls.py about.py        the calls and errors of want; what one was about
    files.py limits.py       open files and their file systems; limits and their use
    quiet.py                 system calls that answer with a number and never raise
"""
