"""Slow, and well: prints a line every `PAUSE` seconds, `LINES` times: `slow_printer.py PAUSE LINES`."""

import sys
import time

for number in range(int(sys.argv[2])):
    time.sleep(float(sys.argv[1]))
    print(number, flush=True)
