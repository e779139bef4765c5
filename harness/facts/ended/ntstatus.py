"""What a Windows exit code tells: NTSTATUS values by name, and one plain sentence for any code.

Importable on every system, since a report from Windows is read anywhere. Sources: [MS-ERREF] 2.3.1 (NTSTATUS values)
and the exit codes of real children of CPython 3.11.
"""

from __future__ import annotations

from typing import Final

FIRST_STATUS: Final = 0x40000000
FIRST_NEGATIVE: Final = 0xFFFF0000  # sys.exit(-1) is 0xFFFFFFFF: a negative number, not a status
ENDED_BY_HARNESS: Final = 0x494E51  # "INQ": no program ends so by chance

_STATUSES: Final = (
    (0x40000015, "STATUS_FATAL_APP_EXIT", "the C runtime reported a fatal error and ended the program"),
    (0x40010004, "DBG_TERMINATE_PROCESS", "a debugger, or the end of the user's logon session, ended the process"),
    (0x40010005, "DBG_CONTROL_C", "Ctrl-C was pressed while a debugger was attached"),
    (0x80000001, "STATUS_GUARD_PAGE_VIOLATION", "a guard page was touched that nobody was ready to handle"),
    (0x80000002, "STATUS_DATATYPE_MISALIGNMENT", "data was read or written at an address that it may not lie at"),
    (0x80000003, "STATUS_BREAKPOINT", "a breakpoint was reached with no debugger: often a failed assertion"),
    (0x80000004, "STATUS_SINGLE_STEP", "a single-step trap was reached with no debugger"),
    (0xC0000005, "STATUS_ACCESS_VIOLATION", "memory was read, written or executed that the program may not touch"),
    (0xC0000006, "STATUS_IN_PAGE_ERROR", "a mapped page could not be read from its disk, network drive or pagefile"),
    (0xC0000008, "STATUS_INVALID_HANDLE", "a handle was used that is not, or no longer, open"),
    (0xC000000D, "STATUS_INVALID_PARAMETER", "a system call was given an argument that it does not accept"),
    (0xC0000017, "STATUS_NO_MEMORY", "the system could not give the memory asked for"),
    (0xC000001D, "STATUS_ILLEGAL_INSTRUCTION", "the processor does not know an instruction that was executed"),
    (0xC0000022, "STATUS_ACCESS_DENIED", "the process was denied access to something that it needs"),
    (0xC0000025, "STATUS_NONCONTINUABLE_EXCEPTION", "the program went on after an exception that allows no going on"),
    (0xC0000044, "STATUS_QUOTA_EXCEEDED", "a quota of the process or of its job was used up"),
    (0xC000007B, "STATUS_INVALID_IMAGE_FORMAT", "a DLL is damaged, or of the wrong kind (32-bit against 64-bit)"),
    (0xC000008C, "STATUS_ARRAY_BOUNDS_EXCEEDED", "an array was indexed out of its bounds, and the hardware noticed"),
    (0xC000008E, "STATUS_FLOAT_DIVIDE_BY_ZERO", "a floating-point number was divided by zero with that trap on"),
    (0xC0000090, "STATUS_FLOAT_INVALID_OPERATION", "an invalid floating-point operation was done with that trap on"),
    (0xC0000094, "STATUS_INTEGER_DIVIDE_BY_ZERO", "an integer was divided by zero"),
    (0xC0000095, "STATUS_INTEGER_OVERFLOW", "an integer division overflowed"),
    (0xC0000096, "STATUS_PRIVILEGED_INSTRUCTION", "an instruction was executed that only the kernel may execute"),
    (0xC000009A, "STATUS_INSUFFICIENT_RESOURCES", "the kernel ran out of a resource, such as its own memory pools"),
    (0xC00000FD, "STATUS_STACK_OVERFLOW", "a thread's stack was used up"),
    (0xC000012D, "STATUS_COMMITMENT_LIMIT", "memory and pagefile together are used up: the commit limit was reached"),
    (0xC0000135, "STATUS_DLL_NOT_FOUND", "a DLL that the program needs was not found; the program never began"),
    (0xC0000138, "STATUS_ORDINAL_NOT_FOUND", "a DLL lacks a function (by number); the program never began"),
    (0xC0000139, "STATUS_ENTRYPOINT_NOT_FOUND", "a DLL lacks a function (by name); the program never began"),
    (0xC000013A, "STATUS_CONTROL_C_EXIT", "Ctrl-C or Ctrl-Break was pressed, or the console window was closed"),
    (0xC0000142, "STATUS_DLL_INIT_FAILED", "a DLL failed while it was being initialized; the program never began"),
    (0xC0000194, "STATUS_POSSIBLE_DEADLOCK", "the system saw a possible deadlock on a critical section"),
    (0xC000026B, "STATUS_DLL_INIT_FAILED_LOGOFF", "the program was started while the session was being logged off"),
    (0xC0000374, "STATUS_HEAP_CORRUPTION", "the heap's own data were found damaged; the damage was done earlier"),
    (
        0xC0000409,
        "STATUS_STACK_BUFFER_OVERRUN",
        "the program ended itself at once: abort(), __fastfail, a buffer overrun",
    ),
    (0xC0000417, "STATUS_INVALID_CRUNTIME_PARAMETER", "a C runtime function was given an invalid argument"),
    (0xC000041D, "STATUS_FATAL_USER_CALLBACK_EXCEPTION", "an exception was not handled in a callback from the kernel"),
    (0xC0000420, "STATUS_ASSERTION_FAILURE", "an assertion failed"),
    (0xC0000602, "STATUS_FAIL_FAST_EXCEPTION", "the program asked to be ended at once, without running handlers"),
    (0xC06D007E, "VCPP_EXCEPTION_MODULE_NOT_FOUND", "a DLL that is loaded on first use was not found"),
    (0xC06D007F, "VCPP_EXCEPTION_PROCEDURE_NOT_FOUND", "a DLL that is loaded on first use lacks a function"),
    (0xCFFFFFFF, "STATUS_APPLICATION_HANG", "Windows ended a program that did not respond, by the user's choice"),
    (0xE0434352, "CLR_EXCEPTION", "a .NET exception was not caught"),
    (0xE06D7363, "MSVC_CPP_EXCEPTION", "a C++ exception was not caught"),
)

NTSTATUS: Final[dict[int, str]] = {value: name for value, name, _ in _STATUSES}
SENTENCES: Final[dict[int, str]] = {value: sentence for value, _, sentence in _STATUSES}

_CODES: Final[dict[int, str]] = {
    0: "exit code 0: the program ended itself without an error, or something terminated it with code 0",
    1: "exit code 1: a Python exception that was not caught, sys.exit(1), or terminated (as by the Task Manager)",
    3: "exit code 3: abort() with a SIGABRT handler set, a default raise(SIGSEGV), or a plain exit(3); "
    "the code alone does not tell which",
    ENDED_BY_HARNESS: "the harness ended the process",
}


def is_status(code: int) -> bool:
    """Whether an unsigned 32-bit exit code is in the range of NTSTATUS values rather than a program's own number."""
    return FIRST_STATUS <= code < FIRST_NEGATIVE


def meaning(code: int) -> str:
    """Say in one sentence what a Windows exit code (unsigned 32-bit) means, and what it leaves open.

    Code 3 is not "the program called exit(3)": the C runtime's raise() ends a process so, abort() does wherever a
    SIGABRT handler is set (faulthandler sets one), and with it the OpenMP runtimes' own errors ("OMP: Error #15").
    """
    if code in NTSTATUS:
        return f"{NTSTATUS[code]} (0x{code:08X}): {SENTENCES[code]}"
    if is_status(code):
        return f"0x{code:08X}: an NTSTATUS without an entry in this table"
    if code >= FIRST_NEGATIVE:
        return f"exit code {code - 2**32}: the program's own negative number"
    return _CODES.get(code, f"exit code {code}: the program's own number")
