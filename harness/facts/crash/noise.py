"""Which frames tell nothing of a fault: what the signal, the C library, the interpreter and we ourselves put there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.facts.crash import frame_names
from harness.facts.crash.frames import Frame

HANDLER = re.compile(r"^(?:c10::FatalSignalHandler::|faulthandler_|<signal handler called>|_*restore_rt)")
SIGNALS = re.compile(
    r"^_*(?:GI_+)?(?:restore_rt|raise|gsignal|pause|abort|pthread_kill\w*|tgkill|sigsuspend|rt_sigsuspend)$"
)
LIBC = re.compile(
    r"^(?:__GI_\w*|__libc_\w*|libc_message|malloc_printerr|_*(?:fortify|assert|chk)_fail\w*|_*clone3?|_*start_thread|_start|"
    r"main|_*pthread_(?:once|start)\w*|__cxxabiv1::\w+|__gnu_cxx::__verbose_terminate_handler|_dl_catch_\w+)$"
)
GLUE = re.compile(
    r"^(?:ffi_\w+|_ctypes_\w+|_call_function_pointer|PyCFuncPtr_call|Py_\w+|_?Py[A-Z_]\w*|\w+_vectorcall\w*)$"
)
GLUE_LIBRARY = re.compile(r"^(?:libffi|_ctypes\.|_ctypes_test\.|libpython|python[\d.]*$|pypy)")
C_LIBRARY = re.compile(r"^(?:libc[.-]|ld-linux|ld-musl|libpthread|\[vdso\]|linux-vdso)")
INTERPRETER = re.compile(r"(?:^|/)(?:Objects|Python|Modules|Include/internal)/[^/]+(?:/[^/]+)?\.[ch]$")
OURS = re.compile(r"probes[\\/]inside[\\/](?!plant\.py$)\w+\.py$")  # a planted fault is the fault itself
PYTHON = re.compile(r"^<frozen |(?:^|[\\/])(?:runpy|ctypes[\\/]__init__|torch[\\/]nn[\\/]modules[\\/]module)\.py$")
WRAPPERS = ("stand_in", "observed")  # ours, around a function of the target's: what happens in it is the target's
THREAD_START = {"_bootstrap", "_bootstrap_inner", "run"}


def is_ours(frame: Frame) -> bool:
    """Whether the frame is ours: it lies around the target's own."""
    return not frame.native and bool(OURS.search(frame.file or ""))


def is_noise(frame: Frame) -> bool:
    """Whether the frame is without meaning for a reader who asks what went wrong."""
    return _is_native_noise(frame) if frame.native else _is_python_noise(frame)


def _is_native_noise(frame: Frame) -> bool:
    library = frame.library or ""
    if not frame.function:
        return not library or bool(C_LIBRARY.match(library) or GLUE_LIBRARY.match(library))
    name = frame_names.function(frame.function)
    known = any(rule.match(name) for rule in (HANDLER, SIGNALS, LIBC, GLUE))
    return known or bool(GLUE_LIBRARY.match(library) or INTERPRETER.search(frame.file or ""))


def _is_python_noise(frame: Frame) -> bool:
    file = frame.file or ""
    starts_thread = frame.function in THREAD_START and file.endswith("threading.py")
    return is_ours(frame) or starts_thread or bool(PYTHON.search(file))


def after_handlers(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """Return the frames without those that the signal's arrival put on top, the return trampoline included."""
    last = max((index for index, frame in enumerate(frames[:16]) if HANDLER.match(frame.function)), default=-1)
    rest = frames[last + 1 :]
    has_trampoline = last >= 0 and bool(rest) and not rest[0].function and C_LIBRARY.match(rest[0].library or "")
    return tuple(rest[1:] if has_trampoline else rest)
