"""Who waits for whom at a standstill, and what would end it: sentences, each with the records that carry it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from harness.facts.folder import TrialFolder
from harness.facts.hang import ranks
from harness.facts.hang.still_threads import StillThread
from harness.facts.hang.tree import FileLock, TreeLook
from harness.facts.hang.waits_for import Waits
from harness.facts.processes import ends as process_ends
from harness.facts.processes import first_death
from harness.model import Fact, Source
from probes import records

MAIN_ENDS = ("end of main", "sys.exit")
SHUTDOWN = {("threading.py", "_shutdown"), ("thread.py", "_python_exit"), ("util.py", "_exit_function")}
MOST_NAMED = 6
PIPES = ("read", "write", "readv", "writev")


def facts(folder: TrialFolder, threads: list[StillThread], look: TreeLook | None) -> list[Fact]:
    """Return `hang_story`, one a sentence, those first that say most."""
    told = [
        *_finished(folder, threads), *_lost(folder), *_ended_threads(folder), *_forked(folder, threads),
        *_meetings(folder, threads), *(_file_locks(folder, look) if look else ()),
        *(_pipes(folder, threads, look) if look else ()),
    ]  # fmt: skip
    return [Fact("hang_story", text, sources) for text, sources in told]


Told = Iterator[tuple[str, tuple[Source, ...]]]


def has_finished(threads: list[StillThread]) -> bool:
    """Whether the main thread is past its program, and waits in the interpreter's own end."""
    main = next((thread for thread in threads if thread.is_main), None)
    inner = {(frame.base, frame.name.rpartition(".")[2]) for frame in main.frames} if main else set()
    own = main is not None and any(frame.is_own for frame in main.frames)
    return bool(inner & SHUTDOWN) and not own


def _finished(folder: TrialFolder, threads: list[StillThread]) -> Told:
    ended = [row for row in folder.own_lines(records.EXITS) if row.value["call"] in MAIN_ENDS]
    if not ended or not has_finished(threads):
        return
    named = [f"thread {name}" for name in ended[-1].value.get("waits_for") or ()]
    named += [f"process {pid}" for pid in ended[-1].value.get("children") or ()]
    whom = ", ".join(named[:MOST_NAMED]) or "a thread that is not a daemon"
    text = f"the main program has ended; the interpreter waits for {whom}"
    yield text, (folder.source(records.EXITS, ended[-1].line),)


def _lost(folder: TrialFolder) -> Told:
    """A process that died before: what it would have done, nobody does."""
    first = first_death.deaths(folder).first
    if first is not None and first.folder:
        rank = f", rank {first.rank}" if first.rank else ""
        where = process_ends.last_words(folder, first)
        text = f"process {first.pid}{rank} was lost before: {first.words}"
        text += f", in {where}" if where and where != "start-up" else ""
        yield text + "; whoever waits for its work waits for ever", first.sources


def _ended_threads(folder: TrialFolder) -> Told:
    """Threads that an exception has ended, in any process: what they would have set, put or released."""
    names = [records.PYTHON_ERROR]
    names += [f"{records.PROCESSES}/{path.parent.name}/{records.PYTHON_ERROR}"
              for path in sorted(folder.path.glob(f"{records.PROCESSES}/*/{records.PYTHON_ERROR}"))]  # fmt: skip
    for name in names:
        for row in folder.lines(name).rows:
            value = row.value
            if not value.get("is_main"):
                text = f"thread {value.get('thread')} of process {value.get('pid')} had ended by "
                text += f"{value.get('type')}: {value.get('message')}"
                yield f"{text}; what it would have done never comes", (folder.source(name, row.line),)


def _forked(folder: TrialFolder, threads: list[StillThread]) -> Told:
    """A forked child at a lock, whose parent had threads that do not live on in the child, while their locks do."""
    for thread in threads:
        place = f"{records.PROCESSES}/{thread.process}/{records.PROCESS}"
        born = records.read_json(folder.path / place) or {}
        at_lock = thread.is_main and thread.wait.how is Waits.LOCK and not thread.is_idle_worker
        if not at_lock or born.get("how") != "fork":
            continue
        name = ranks.place_of(folder, born["parent"]) + records.INSIDE
        rows = [row for row in folder.lines(name).rows if row.value.get("event") == "fork"]
        before = [row for row in rows if row.value.get("t", 0.0) <= born["t"]]
        count = before[-1].value.get("native_threads") if before else None
        if count and count > 1:
            known = before[-1].value.get("python_threads") or 1
            text = f"process {thread.process} was forked when its parent had {count} threads, {known} of them Python's"
            text += ": the others are not in the child, and what they had locked stays locked there"
            yield text, (folder.source(name, before[-1].line), folder.source(place, 1))


def _meetings(folder: TrialFolder, threads: list[StillThread]) -> Told:
    """Ranks that wait for others to come: how many came, of how many."""
    pids = list(dict.fromkeys(thread.process for thread in threads))
    groups = {pid: ranks.group_rows(folder, pid) for pid in pids}
    begun = {pid: rows[-1] for pid, rows in groups.items() if rows and rows[-1].value["at"] == "begin"}
    for pid, row in list(begun.items())[:1]:
        came = {rows[-1].value["rank"] for rows in groups.values() if rows}
        size, which = row.value["world_size"], ", ".join(map(str, sorted(came)))
        text = (
            f"process {pid} waits in init_process_group for the other ranks: {len(came)} of {size} came (rank {which})"
        )
        yield text, (folder.source(ranks.place_of(folder, pid) + records.INSIDE, row.line),)
    for pid in pids:
        for row in ranks.group_rows(folder, pid, "rendezvous")[-1:]:
            if row.value["came"] < row.value["least"]:
                text = f"process {pid} waits in the rendezvous {row.value['run_id']} for other nodes: "
                text += f"{row.value['came']} of {row.value['least']} came"
                yield text, (folder.source(ranks.place_of(folder, pid) + records.INSIDE, row.line),)


def _file_locks(folder: TrialFolder, look: TreeLook) -> Told:
    for lock in look.locks:
        if lock.waiter in look.parents:
            text = f"process {lock.waiter} waits for a file's lock{_file(look, lock)}, which {_holder(look, lock)}"
            yield text, (folder.source(f"{look.folder}/locks.txt", lock.line),)


def _file(look: TreeLook, lock: FileLock) -> str:
    waiting = (one for one in look.threads_of(lock.waiter) if one.arguments)
    paths = (look.descriptors.get((lock.waiter, one.arguments[0])) for one in waiting)
    path = next((path for path in paths if path and path.startswith("/")), None)
    return f" ({path})" if path else ""


def _holder(look: TreeLook, lock: FileLock) -> str:
    pid = lock.holder
    if pid is None:
        return "whoever opened the file so holds"
    known = [one for one in (*look.threads.values(), *look.outside.values()) if one.process == pid]
    if not known:
        return f"process {pid} took, and that has ended: another process keeps the file open"
    name = f"process {pid} ({known[0].name}{'' if pid in look.parents else ', not of this program'})"
    return f"{name} holds" + (", and that is stopped" if look.is_stopped(pid) else "")


def _pipes(folder: TrialFolder, threads: list[StillThread], look: TreeLook) -> Told:
    """Who has the pipe open that a main thread waits at: where it is the waiting process alone, nobody can come."""
    main = threads[0].process if threads else 0
    for thread in threads:
        if thread.is_helper or (thread.process != main and thread.is_idle_worker):
            continue
        holders = look.holders.get(thread.descriptor) if thread.wait.call in PIPES else None
        if holders and len(holders) <= MOST_NAMED:
            who = ", ".join(str(pid) for pid in sorted(holders))
            only = "nobody but itself" if holders == {thread.process} else f"processes {who} only"
            text = f"{thread.name} of process {thread.process} waits at a pipe that {only} has open"
            yield text.replace("only has", "only have"), (folder.source(records.STILL, look.line),)
