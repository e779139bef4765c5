"""Reads a photo whose file ends too early."""

import sys
from pathlib import Path

import weights  # noqa: F401 - it is held
from PIL import Image

path = Path(sys.argv[1])
Image.effect_noise((256, 256), 60).convert("RGB").save(path)
path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
print("step 1", flush=True)
Image.open(path).load()
