"""An exception that nobody catches."""

print("step 1", flush=True)
raise ValueError("expected 3 channels, got 4")
