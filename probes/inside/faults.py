"""The crash handlers: a fatal signal writes all Python stacks into fault.log and holds the process for the supervisor.

torch's own handler adds the native stacks of all threads, on stderr, where this torch has it.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import os
import sys
import types
from typing import Any, Optional

from . import imports
from .lines import Lines

PR_SET_PDEATHSIG, SIGKILL = 1, 9
TORCH_SWITCH = "_set_print_stack_traces_on_fatal_signal"
_streams: list = []  # faulthandler writes to the descriptor; the stream must live as long as the process
_holds: list = []  # the one Hold of this process, its forked children included


def enable(path: str, held: bool = False) -> None:
    """Enable all handlers; Python's stacks go to `path`, so that the target's stderr stays its own.

    `held`: there is a supervisor, who releases what is held. In a forked child: the same handlers, other files.
    """
    stream = open(path, "ab", buffering=0)  # noqa: SIM115 - lives as long as the process
    _streams.append(stream)
    page = os.path.join(os.path.dirname(path), "fault.page")
    if _holds:
        faulthandler.enable(file=stream, all_threads=True)
        _holds[0].move(page)
    elif held and not _missing():
        _enable_held(path, page, stream)
    else:
        faulthandler.enable(file=stream, all_threads=True)
        _gap(path, "hold", _missing() or "there is no supervisor who would release a process that is held")


def die_with(supervisor: int) -> None:
    """End this process when its supervisor ends, whatever ends that; at once where it has ended already (Linux)."""
    if sys.platform == "linux" and importlib.util.find_spec("_ctypes") is not None:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor and not os.path.exists(f"/proc/{supervisor}"):  # a wrapper may stand in between
            os.kill(os.getpid(), SIGKILL)


def _enable_held(path: str, page: str, stream: Any) -> None:
    from . import altstack, hold

    held = hold.Hold(page)
    _holds.append(held)
    faulthandler.enable(file=stream, all_threads=True)
    altstack.give()  # instead of faulthandler's own, which is too small for torch's handler
    held.close_gate()
    if not held.is_armed:
        _gap(path, "hold", "the fault page cannot be mapped, so a crash cannot be held")
    elif not held.has_code:
        _gap(path, "fault address", "this system does not execute memory of ours: the crash is held by pause(2) alone")
    if not altstack.give_to_threads():
        _gap(path, "alternate stacks", f"Python {sys.version.split()[0]} starts threads in another way")
    imports.when_imported("torch", lambda torch: _with_torch(torch, path, held))


def _with_torch(torch: types.ModuleType, path: str, held: Any) -> None:
    """Have torch print the native stacks of all threads at a crash, under the gate."""
    _above_worker_handlers(held)
    native: Any = getattr(torch, "_C", None)
    if not hasattr(native, TORCH_SWITCH):
        _gap(path, "native stacks of all threads", f"torch {torch.__version__} has no torch._C.{TORCH_SWITCH}")
        return
    held.lift_gate()
    getattr(native, TORCH_SWITCH)(True)
    held.close_gate()


def _above_worker_handlers(held: Any) -> None:
    """Put the gate on top again where a DataLoader's worker installs torch's handlers, which end it at once.

    The worker is not held then, but its fault is noted: when, where, with which registers.
    """
    handling: Any = sys.modules.get("torch.utils.data._utils.signal_handling")
    original = getattr(handling, "_set_worker_signal_handlers", None)
    if original is None:
        return

    def _set_worker_signal_handlers(*arguments: object) -> object:
        result = original(*arguments)
        held.close_gate()
        return result

    handling._set_worker_signal_handlers = _set_worker_signal_handlers


def _missing() -> Optional[str]:
    """Return why a crash cannot be held here, or None where it can."""
    if sys.platform != "linux":
        return "a crash is held on Linux only"
    if importlib.util.find_spec("_ctypes") is None:
        return "this Python has no ctypes, so a crash cannot be held"
    from . import hold

    return hold.missing()


def _gap(path: str, probe: str, reason: str) -> None:
    Lines(os.path.join(os.path.dirname(path), "inside.jsonl")).write(event="gap", probe=probe, reason=reason)
