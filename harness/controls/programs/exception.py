"""An exception that nobody catches."""

import weights  # noqa: F401 - it is held

print("step 1", flush=True)
raise ValueError("expected 3 channels, got 4")
