"""In: refusals.jsonl, signals.jsonl, native/*/fault.json. Out: direct evidence. Pure. May import `facts`, `model`.

refusals.py              what the system refused the target, each kind once
senders.py               who sent the target each deadly signal
clock.py                 the instants that both are told against
"""
