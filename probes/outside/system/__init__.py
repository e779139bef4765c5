"""In: the kernel's own tracepoints. Out: refusals.jsonl, signals.jsonl. May import `outside`, `records`.

Direct evidence: what the system refused the target, and who sent it a signal.

    refusals.py signals.py   the two probes (trace_probe.py: what they share)
    instance.py rows.py tracefs.py    a trace of our own; a line of it; where tracing can be reached
    counter.py counting.py ring.py    refusals counted in the kernel: by which programs; how the first of a kind comes
    bpf.py btf.py assembly.py         the kernel's machine: bpf(2); where a field lies; its instructions
    tree.py sender.py        which threads are the target's; who a sender is
    calls.py about.py        the calls and errors of want; what one was about
    files.py limits.py       open files and their file systems; limits and their use
    quiet.py                 system calls that answer with a number and never raise
"""
