"""The memory that any trainer holds, taken in small pieces; imported by planted faults for a limit to have a meaning."""

WEIGHTS = [b"\1" * (2 << 20) for _ in range(48)]
