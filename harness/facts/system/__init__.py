"""In: refusals.jsonl, signals.jsonl, native/*/fault.json. Out: direct evidence. Pure. May import `facts`, `model`.

refusals.py              what the system refused the target, each kind once
senders.py               who sent the target each deadly signal
handled.py               which signals the judged process has handlers for, and which reached it near its end
clock.py                 the instants that both are told against
"""
