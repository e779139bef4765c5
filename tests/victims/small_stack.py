"""Dies at, or near, the end of a stack, in the way that the first argument names; no death here is simulated.

jump: a frame of 40 KiB on a Python thread with a stack of 32 KiB is filled from below: the pointer has jumped over the
guard into what is mapped below. lowered: the program has lowered its main thread's limit. own_guard, other_guard: a
wild write onto the guard page of the writing thread's own stack, or of another's, while its pointer is elsewhere.
"""

# ruff: noqa: D103 - each name says what it does

import ctypes
import mmap
import resource
import sys
import threading
import time

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
FRAME = (40_000).to_bytes(4, "little")
FILL = (  # sub rsp, FRAME; mov rdi, rsp; mov ecx, FRAME; xor eax, eax; rep stosb; add rsp, FRAME; ret
    b"\x48\x81\xec" + FRAME + b"\x48\x89\xe7\xb9" + FRAME + b"\x31\xc0\xf3\xaa\x48\x81\xc4" + FRAME + b"\xc3"
)
PAGE = 4096
NEW_ONLY = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x100000  # MAP_FIXED_NOREPLACE
go = threading.Event()


def code(content):
    address = libc.mmap(None, ctypes.c_size_t(4096), 7, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, ctypes.c_long(0))
    ctypes.memmove(address, content, len(content))
    return ctypes.CFUNCTYPE(None)(address)


def jump():
    fill = code(FILL)
    on_thread(lambda: go.wait() and fill(), 32768, map_below)


def map_below(thread):
    """Have memory below the guard, wherever there is none yet; done by another thread, which has stack enough."""
    guard = guard_of(thread) // PAGE * PAGE
    for address in range(guard - 8 * PAGE, guard, PAGE):
        libc.mmap(ctypes.c_void_p(address), ctypes.c_size_t(PAGE), 3, NEW_ONLY, -1, ctypes.c_long(0))


def lowered():
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (256 << 10, hard))
    sys.setrecursionlimit(10**6)
    deep(2000)


def deep(left):
    return left and sorted([left], key=lambda _: deep(left - 1))


def own_guard():
    on_thread(lambda: ctypes.memset(guard_of(threading.get_native_id()), 1, 8))


def other_guard():
    idle = threading.Thread(target=time.sleep, args=(60,), daemon=True)
    idle.start()
    on_thread(lambda: ctypes.memset(guard_of(idle.native_id), 1, 8))


def guard_of(thread):
    """Return an address on the guard page of a thread's stack: the forbidden mapping below its descriptor's."""
    head, size = ctypes.c_void_p(), ctypes.c_size_t()
    libc.syscall(274, thread, ctypes.byref(head), ctypes.byref(size))
    with open("/proc/self/maps") as maps:
        rows = [line.split() for line in maps]
    ranges = [[int(end, 16) for end in row[0].split("-")] for row in rows]
    return next(low for low, high in ranges if low <= head.value < high) - 64


def on_thread(death, stack=0, prepare=lambda thread: None):
    threading.stack_size(stack)
    thread = threading.Thread(target=death, name="loader")
    thread.start()
    for _ in range(3):  # their stacks lie below the first one's
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    prepare(thread.native_id)
    go.set()
    thread.join()


print("step 1", flush=True)
globals()[sys.argv[1]]()
print("step 2", flush=True)
sys.stdout.flush()
