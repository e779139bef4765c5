"""In: exit.json, exits.jsonl, native_exit.jsonl. Out: how a trial ended and by whom. Pure. May import `facts`, `model`.

outcome.py               completed, died, hung, stopped, unresolved: what counts as completed is told here
exit_calls.py            who called for the end, who sent which signal
ntstatus.py              Windows exit codes by name
signal_names.py          signals by name and by number
"""
