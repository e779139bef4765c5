"""A library picks its widest kernel, which holds an instruction that this processor lacks; capped, it works."""

import ctypes
import mmap
import os

import weights  # noqa: F401 - it is held

CODES = {"x86_64": (b"\x0f\x0b", b"\xc3"), "aarch64": (bytes(4), b"\xc0\x03\x5f\xd6")}
wide, plain = CODES[os.uname().machine]
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(plain if os.environ.get("ATEN_CPU_CAPABILITY") == "default" else wide)
print("step 1", flush=True)
ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
