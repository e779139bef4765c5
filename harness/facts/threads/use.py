"""threads.jsonl, inside.jsonl, environment.json, maps.txt -> what the threads did and were told; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from harness.facts.folder import TrialFolder
from harness.facts.threads import limits as thread_limits
from harness.facts.threads import runtimes
from harness.model import Fact, Source
from probes import records
from probes.records import Row

BUSY_SHARE = 0.1  # of one core, over the trial
MOST_THREADS = 8
STEERING = (
    "OMP_", "KMP_", "MKL_", "OPENBLAS_", "GOMP_", "TBB_", "NUMEXPR_", "VECLIB_", "ATEN_", "ONEDNN_", "DNNL_", "TORCH_",
    "PYTORCH_", "MALLOC_", "LD_",
)  # fmt: skip
GLIBC_STACK_BYTES = 2 << 20
FACTORS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
GNU_STACK = (("OMP_STACKSIZE", "k"), ("GOMP_STACKSIZE", "k"))
LLVM_STACK = (("KMP_STACKSIZE", "b"), ("GOMP_STACKSIZE", "k"), ("OMP_STACKSIZE", "k"))
Reader = Callable[[TrialFolder], list[Fact]]


def facts(folder: TrialFolder) -> list[Fact]:
    """Return everything that the hypotheses ask of threads; what no record tells is left out."""
    readers: tuple[Reader, ...] = (
        runtimes.copies, runtimes.static_mkl, thread_limits.facts, cpu, stacks, torch_threads, variables, forks,
    )  # fmt: skip
    return [fact for reader in readers for fact in reader(folder)]


def cpu(folder: TrialFolder) -> list[Fact]:
    """Return `busy_threads` (how many used more than a tenth of a core over the trial) and `thread_cpu_seconds`.

    The second: the 8 that used most, as {id, name, seconds}, the busiest first; each as of the last sample it was in.
    """
    last: dict[int, tuple[Row, dict[str, Any]]] = {}
    rows = [row for row in folder.lines(records.THREADS).rows if row.value.get("threads")]
    for row in rows:
        last.update({thread["id"]: (row, thread) for thread in row.value["threads"]})
    if not rows:
        return []
    began = folder.exit.get("started_monotonic", rows[0].value["t"])
    seconds = max(rows[-1].value["t"] - began, 0.01)  # what one tick of the accounts lasts
    most = sorted(last.values(), key=lambda entry: -_used(entry[1]))
    busy = [entry for entry in most if _used(entry[1]) > BUSY_SHARE * seconds]
    table = [{"id": it["id"], "name": it.get("name"), "seconds": round(_used(it), 3)} for _, it in most[:MOST_THREADS]]
    return [
        Fact("busy_threads", len(busy), _lines(folder, [row for row, _ in busy] or rows[-1:])),
        Fact("thread_cpu_seconds", table, _lines(folder, [row for row, _ in most[:MOST_THREADS]])),
    ]


def _used(thread: dict[str, Any]) -> float:
    return float(thread["user_seconds"] + thread["system_seconds"])


def _lines(folder: TrialFolder, rows: list[Row], name: str = records.THREADS) -> tuple[Source, ...]:
    return tuple(folder.source(name, line) for line in dict.fromkeys(row.line for row in rows))


def stacks(folder: TrialFolder) -> list[Fact]:
    """Return `stack_bytes_main` (-1: no limit), `stack_bytes_threads`, and those that Python and OpenMP were told.

    `stack_bytes_threads` is what a thread gets that asks for nothing: with glibc, RLIMIT_STACK as the process started,
    2 MiB where that is unlimited (pthread_create(3)). `stack_bytes_python_threads`: threading.stack_size(), where set.
    """
    limit, source = _stack_limit(folder)
    found = [] if limit is None else [Fact("stack_bytes_main", limit, (source,))]
    if limit is not None and str(folder.exit.get("system", "linux")).startswith("linux"):
        found.append(Fact("stack_bytes_threads", GLIBC_STACK_BYTES if limit < 0 else limit, (source,)))
    return [*found, *_python_stack(folder), *_openmp_stack(folder)]


def _stack_limit(folder: TrialFolder) -> tuple[int | None, Source]:
    """The child's own limit where /proc told it, else the supervisor's, which the child inherits."""
    row = next((row for row in folder.lines(records.THREADS).rows if "stack_limit_bytes" in row.value), None)
    if row is not None:
        return row.value["stack_limit_bytes"], folder.source(records.THREADS, row.line)
    limits = _environment(folder).get("rlimits", {}).get("RLIMIT_STACK", [None])
    return limits[0], folder.key_source(records.ENVIRONMENT, "RLIMIT_STACK")


def _python_stack(folder: TrialFolder) -> list[Fact]:
    rows = [row for row in _told(folder) if row.value.get("python_stack_bytes")]
    return [
        Fact("stack_bytes_python_threads", row.value["python_stack_bytes"], _inside(folder, row)) for row in rows[-1:]
    ]


def _openmp_stack(folder: TrialFolder) -> list[Fact]:
    """Return `openmp_stacksize` in bytes, where a variable sets it that the loaded runtime heeds.

    Sources: libgomp's env.c (OMP_STACKSIZE, else GOMP_STACKSIZE; both in KiB) and LLVM's kmp_settings.cpp
    (KMP_STACKSIZE in bytes, else GOMP_, else OMP_STACKSIZE in KiB); a letter B, K, M, G, T overrides the unit.
    """
    values, sources = _in_force(folder)
    loaded = {file.family for file in runtimes.mapped(folder) if runtimes.OPENMP.match(file.name)}
    order = GNU_STACK if "libgomp" in loaded and not loaded & {"libiomp5", "libomp"} else LLVM_STACK
    sizes = (_size(values[name], unit) for name, unit in order if name in values)
    size = next((size for size in sizes if size is not None), None)
    return [] if size is None else [Fact("openmp_stacksize", size, sources)]


def _size(text: str, unit: str) -> int | None:
    match = re.fullmatch(r"\s*(\d+)\s*([bkmgt]?)b?\s*", text.lower())
    return int(match.group(1)) * FACTORS[match.group(2) or unit] if match else None


def torch_threads(folder: TrialFolder) -> list[Fact]:
    """Return `torch_threads` and `torch_interop_threads` as last told (the first forward)."""
    at_import = [row for row in folder.own_lines(records.INSIDE) if row.value.get("event") == "torch"][:1]
    later = [row for row in [*at_import, *_told(folder)] if "threads" in row.value][-1:]
    wanted = (("torch_threads", "threads"), ("torch_interop_threads", "interop_threads"))
    return [Fact(name, row.value[key], _inside(folder, row)) for name, key in wanted for row in later]


def variables(folder: TrialFolder) -> list[Fact]:
    """Return `thread_variables` (those last told: at the first forward) and `thread_variables_changed`.

    The second: what the program or its imports changed since it was started, name -> {before, after, at}; `at` is
    "import" (by then torch was imported) or "first forward"; None stands for a variable that is not there.
    """
    told = _told(folder)
    if not told:
        return []
    newest = told[-1]
    start = _environment(folder).get("variables", {})
    started = {name: value for name, value in start.items() if name.startswith(STEERING)}
    changes = {change[0]: change[1] for row in reversed(told) for change in _changes(started, row, newest)}
    here, there = _inside(folder, newest), folder.key_source(records.ENVIRONMENT, "variables")
    return [
        Fact("thread_variables", newest.value["variables"], here),
        Fact("thread_variables_changed", changes, (*here, there)),
    ]


def _changes(started: dict[str, str], row: Row, newest: Row) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what differs from the start both at the end and at this row, which is thus where it was first seen."""
    now, last = row.value["variables"], newest.value["variables"]
    for name in sorted(started.keys() | now.keys()):
        if now.get(name) != started.get(name) and last.get(name) != started.get(name):
            yield name, {"before": started.get(name), "after": last.get(name), "at": row.value["at"]}


def forks(folder: TrialFolder) -> list[Fact]:
    """Return `fork_after_threads`: how many forks came after a pool of OpenMP had started; its source is the first.

    The child has the pool's locks and not its threads. A pool shows in that threads wait inside libgomp; where that is
    not told (another runtime) or they may not wait yet (they spin first), in more native threads than there were when
    torch had just been imported: the pool of numpy's OpenBLAS, which it ends itself before a fork, does not count.
    """
    rows = [row for row in folder.own_lines(records.INSIDE) if row.value.get("event") == "fork"]
    known = [row for row in rows if row.value.get("native_threads") is not None]
    before = next((_native(row) for row in _told(folder)), 0)
    after = [row for row in known if _has_pool(row.value, _native(row) > before)]
    if rows and not known:
        return []
    ran = folder.own_lines(records.INSIDE)[:1]
    first = (after or known or ran)[:1]
    return [Fact("fork_after_threads", len(after), _inside(folder, row)) for row in first]


def _has_pool(fork: dict[str, Any], has_more: bool) -> bool:
    is_open = "gomp_waiting" not in fork or fork["running"] > 0
    return fork.get("gomp_waiting", 0) > 0 or (is_open and has_more)


def _native(row: Row) -> int:
    native, python = row.value.get("native_threads"), row.value.get("python_threads", 0)
    return native - python if native is not None else 0


def _told(folder: TrialFolder) -> list[Row]:
    return [row for row in folder.own_lines(records.INSIDE) if row.value.get("event") == "environment"]


def _in_force(folder: TrialFolder) -> tuple[dict[str, str], tuple[Source, ...]]:
    """The variables as the process had them when its first model ran, or as it was started."""
    told = _told(folder)
    if told:
        return told[-1].value["variables"], _inside(folder, told[-1])
    start = (folder.key_source(records.ENVIRONMENT, "variables"),)
    return _environment(folder).get("variables", {}), start


def _inside(folder: TrialFolder, row: Row) -> tuple[Source, ...]:
    return (folder.source(records.INSIDE, row.line),)


def _environment(folder: TrialFolder) -> dict[str, Any]:
    return records.read_json(folder.path / records.ENVIRONMENT) or {}
