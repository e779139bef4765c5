"""The memory that any trainer holds, taken in small pieces: without it, no limit would mean anything."""

WEIGHTS = [b"\1" * (2 << 20) for _ in range(48)]
