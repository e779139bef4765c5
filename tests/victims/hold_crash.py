"""Dies in the way that the first argument names; with `torch` as the second, after it has imported torch.

No death here is simulated: the process really faults, on the thread that the name says.
"""

# ruff: noqa: D101, D102, D103 - each name says what it does

import ctypes
import mmap
import os
import sys
import tempfile
import threading
import time

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.malloc.restype = ctypes.c_void_p
ADDRESS = 0x1230


def segv():
    ctypes.string_at(ADDRESS)


def abort():
    os.abort()


def double_free():
    block = libc.malloc(ctypes.c_size_t(4096))
    libc.free(ctypes.c_void_p(block))
    libc.free(ctypes.c_void_p(block))


def fpe():
    libc.div(ctypes.c_int(-(2**31)), ctypes.c_int(-1))


def bus():
    with tempfile.TemporaryFile() as file:
        file.truncate(4096)
        page = mmap.mmap(file.fileno(), 4096)
        file.truncate(0)
    page[0]


def code(content):
    address = libc.mmap(None, ctypes.c_size_t(4096), 7, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, ctypes.c_long(0))
    ctypes.memmove(address, content, len(content))
    return address


def ill():
    ctypes.CFUNCTYPE(None)(code(b"\x0f\x0b" if os.uname().machine == "x86_64" else bytes(4)))()


def overflow():
    again = ctypes.CFUNCTYPE(None)(lambda: again())
    sys.setrecursionlimit(10**8)
    again()


def terminate():
    ctypes.CDLL("libstdc++.so.6")._ZSt9terminatev()


def sent():
    os.kill(os.getpid(), 11)


def native_thread(start, argument=None):
    thread = ctypes.c_ulong()
    libc.pthread_create(ctypes.byref(thread), None, ctypes.c_void_p(start), ctypes.c_void_p(argument))
    time.sleep(30)


def native():
    native_thread(ctypes.cast(libc.strlen, ctypes.c_void_p).value, ADDRESS)


def native_overflow():
    native_thread(code(b"\xe8\xfb\xff\xff\xff"))


def on_thread(death):
    thread = threading.Thread(target=death, name="doomed")
    thread.start()
    thread.join()


def race():
    threading.Thread(target=segv, daemon=True).start()
    time.sleep(0.15)
    os._exit(0)


def together():
    for _ in range(6):
        threading.Thread(target=segv, daemon=True).start()
    time.sleep(30)


def forked():
    child = os.fork()
    if child == 0:
        segv()
    print(child, os.waitpid(child, 0)[1], flush=True)


def fpe_torch():
    import torch

    torch.tensor([-(2**63)] * 64).div(torch.tensor([-1] * 64), rounding_mode="trunc")


def pool():
    import torch

    size = 1 << 24
    torch.set_num_threads(4)
    region = mmap.mmap(-1, size)
    base = ctypes.addressof(ctypes.c_char.from_buffer(region))
    libc.mprotect(ctypes.c_void_p(base + size // 2), ctypes.c_size_t(size // 4), 0)
    torch.frombuffer((ctypes.c_char * size).from_address(base), dtype=torch.float32) * 2


def autograd():
    import torch

    class Deep(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, depth):
            ctx.depth = depth
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            if ctx.depth == 0 or threading.current_thread() is not threading.main_thread():
                segv()
            with torch.enable_grad():
                Deep.apply(torch.ones(1, requires_grad=True), ctx.depth - 1).backward()
            return gradient, None

    Deep.apply(torch.ones(1, requires_grad=True), 70).backward()


DEATHS = dict(list(globals().items()))
name, *rest = sys.argv[1:]
if "torch" in rest:
    import torch  # noqa: F401
print("out: before", flush=True)
print("err: before", file=sys.stderr, flush=True)
if name.endswith("_thread") and name != "native_thread":
    on_thread(DEATHS[name.removesuffix("_thread")])
else:
    DEATHS[name]()
