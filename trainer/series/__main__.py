"""Entry point of `python -m trainer.series`."""

import sys

from trainer import errors
from trainer.series.cli import main

if __name__ == "__main__":
    errors.install_hook()
    sys.exit(main())
