"""Runs controls in workers of their own, two at a time; hands the results out in the catalogue's order."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from harness.controls import score
from harness.controls.catalogue import Planted
from harness.controls.score import Score
from harness.controls.store import RESULT
from harness.facts.proven import NAME
from probes import records

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 2
LOOK_SECONDS = 0.05
MOST_SECONDS = 180.0  # of one worker: far beyond its own limit
END_SECONDS = 30.0
ERRORS = "worker.log"


@dataclasses.dataclass
class _Worker:
    """One running control."""

    planted: Planted
    folder: Path
    popen: subprocess.Popen[bytes]
    began: float

    @property
    def is_late(self) -> bool:
        return time.monotonic() - self.began > MOST_SECONDS


class Pool:
    """Runs a list of controls; `began` and `ended` are told as it goes."""

    def __init__(
        self, folder: Path, proven: Path | None, began: Callable[[Planted], None], ended: Callable[[Score], None]
    ) -> None:
        """Take the folder below which each control gets its own.

        `proven`: the controls.json of the quick set, with which all are judged in full; None: this is the quick set.
        """
        self._folder, self._proven = folder, proven
        self._mode = "full" if proven else "quick"
        self._began, self._ended = began, ended
        self._running: list[_Worker] = []
        self._scores: dict[str, Score] = {}

    def run(self, wanted: Sequence[Planted], keep_going: Callable[[], bool]) -> list[Score]:
        """Run them all, those that must be alone at the end; return the scores in the order of `wanted`."""
        waiting = sorted(wanted, key=lambda planted: planted.alone)
        with ExitStack() as stack:
            stack.callback(self._end_all)
            while (waiting or self._running) and keep_going():
                while waiting and self._has_room(waiting[0]):
                    self._start(waiting.pop(0))
                self._collect()
                time.sleep(LOOK_SECONDS)
        return [self._scores[planted.id] for planted in wanted if planted.id in self._scores]

    def _has_room(self, planted: Planted) -> bool:
        lonely = planted.alone or any(worker.planted.alone for worker in self._running)
        return len(self._running) < (1 if lonely else AT_ONCE)

    def _start(self, planted: Planted) -> None:
        self._began(planted)
        reason = planted.needs()
        if reason is not None:
            self._take(score.missing(planted, reason))
            return
        folder = self._folder / planted.id
        self._hand_down(folder)
        command = [sys.executable, "-m", "harness.controls.run", planted.id, str(folder.resolve()), self._mode]
        with open(self._folder / f"{planted.id}.{ERRORS}", "wb") as log:
            popen = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # a Ctrl-C is ours to pass on: a second one would end it in disorder
            )  # fmt: skip
        self._running.append(_Worker(planted, folder, popen, time.monotonic()))

    def _hand_down(self, folder: Path) -> None:
        """Put what is proven so far where the judge looks for it: without a control, nothing can be ruled out."""
        folder.mkdir(parents=True)
        if self._proven is not None:
            shutil.copyfile(self._proven, folder / NAME)

    def _collect(self) -> None:
        for worker in list(self._running):
            if worker.is_late:
                worker.popen.terminate()
                worker.popen.wait(END_SECONDS)
            if worker.popen.poll() is not None:
                self._running.remove(worker)
                self._take(_result(worker))

    def _take(self, found: Score) -> None:
        self._scores[found.id] = found
        self._ended(found)

    def _end_all(self) -> None:
        """Ask those that still run to end their trial in order, as on Ctrl-C."""
        for worker in self._running:
            worker.popen.terminate()
        for worker in self._running:
            worker.popen.wait(END_SECONDS)


def _result(worker: _Worker) -> Score:
    """Read what a worker wrote; one without a result has failed, and its last words say why."""
    row = records.read_json(worker.folder / RESULT)
    if row is not None:
        return score.from_row(row)
    log = worker.folder.with_name(f"{worker.planted.id}.{ERRORS}")
    words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    reason = f"its worker ended with {worker.popen.returncode} and no result: {' '.join(words)}"
    return score.failed(worker.planted, reason)
