"""Does its work, prints on both streams, and ends with sys.exit(0)."""

import sys

sys.stdout.buffer.write("out: Größe\n".encode() + b"\xff\x00 raw\r\n")
sys.stderr.buffer.write("err: µ\n".encode())
sys.exit(0)
