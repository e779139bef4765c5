"""Who sent a signal: the kernel, the process itself, another of its tree, this supervisor, or a stranger.

Sources: the tracepoint signal:signal_generate, in the context of the thread that sends; `si_code` in sigaction(2).
Where kernel code sends without a siginfo of its own (SIGPIPE, SIGXFSZ), the row says SI_USER and, unlike that of
kill(2), names no group: __send_signal_locked() and TP_STORE_SIGINFO in include/trace/events/signal.h.
"""

from __future__ import annotations

import os
import re
from typing import Any

from probes.outside.system import quiet, rows, tree
from probes.outside.system.rows import Row
from probes.outside.system.tree import Tree

SI_USER, SI_QUEUE, SI_TKILL = 0, -1, -6
SENT_BY_CALL = (SI_USER, SI_QUEUE, SI_TKILL)  # kill(2), sigqueue(3), tgkill(2)
USER = re.compile(r"^Uid:\s+(\d+)", re.MULTILINE)
MOST_LETTERS = 400
KERNEL, ITSELF, TREE, HARNESS, STRANGER = "kernel", "itself", "tree", "harness", "stranger"


def of(row: Row, target: int, code: int, group: int, kin: Tree) -> dict[str, Any]:
    """Return `by`, and of a process that sent it: `sender`, its name, command and user, and the same of its parent."""
    if code not in SENT_BY_CALL or (code == SI_USER and not group):
        return {"by": KERNEL, "sender": None}
    pid = kin.process_of(row.thread) or tree.process_of(row.thread) or row.thread
    name = row.comm if row.comm != rows.UNKNOWN else quiet.read_text(f"/proc/{row.thread}/comm").strip() or None
    found = {"by": _relation(pid, target, kin), "sender": pid, "sender_name": name, **_described(pid, "sender_")}
    parent = kin.parent_of(pid) if found["by"] == STRANGER else None
    return {**found, **({"parent": parent, **_described(parent, "parent_")} if parent else {})}


def _relation(pid: int, target: int, kin: Tree) -> str:
    if pid == target:
        return ITSELF
    if pid == os.getpid():
        return HARNESS
    return TREE if kin.process_of(pid) is not None else STRANGER


def _described(pid: int, prefix: str) -> dict[str, str]:
    """Return the command line and the user of a process that still lives; nothing of one that has gone."""
    words = quiet.read_text(f"/proc/{pid}/cmdline").replace("\0", " ").strip()
    user = USER.search(quiet.read_text(f"/proc/{pid}/status"))
    command = {f"{prefix}command": words[:MOST_LETTERS]} if words else {}
    return {**command, **({f"{prefix}user": _user_name(int(user.group(1)))} if user else {})}


def _user_name(number: int) -> str:
    import pwd  # not on Windows, where this file is imported as well

    return next((entry.pw_name for entry in pwd.getpwall() if entry.pw_uid == number), str(number))
