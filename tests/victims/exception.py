"""An exception that nobody catches, its message not ASCII."""


def measure(width: str) -> float:
    """Refuse every width."""
    raise ValueError(f"Größe {width} µm ist ungültig, 猫")


print("before the exception", flush=True)
measure("−3")
