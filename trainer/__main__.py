"""Entry point of `python -m trainer`."""

import sys

from trainer import errors
from trainer.cli import main

if __name__ == "__main__":  # DataLoader workers that are spawned import this file again
    errors.install_hook()
    sys.exit(main())
