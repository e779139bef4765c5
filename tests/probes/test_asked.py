"""Where the program asked to end: ten scripts that stop in the middle of their work, ten that end as they should."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from observing import Observed, observe

from harness.decide.hypotheses import Case, deliberate_exit, external_kill
from harness.facts.ended import early_end
from probes import records

HEAD = """import atexit, os, signal, sys, threading
def step(number):
    return number + 1
"""
EARLY = {
    "loop of the module": "for n in range(9):\n    step(n)\n    if n == 3:\n        sys.exit(0)\nstep(0)\n",
    "while": "number = 0\nwhile True:\n    number = step(number)\n    if number > 3: sys.exit()\n",
    "function in a loop": "def check(n):\n    if n == 3: sys.exit(0)\nfor n in range(9):\n    step(n)\n    check(n)\n",
    "main with a loop": (
        "def main():\n    for n in range(9):\n        if n == 3:\n            sys.exit(0)\n    return 0\n"
        "if __name__ == '__main__':\n    sys.exit(main())\n"
    ),
    "callback": (
        "class Trainer:\n    def fit(self, after):\n        for n in range(9):\n            after(n)\n"
        "Trainer().fit(lambda n: n == 3 and sys.exit(0))\n"
    ),
    "method of a class": (
        "class Stop:\n    def __call__(self, n):\n        raise SystemExit(0)\n"
        "stop = Stop()\nfor n in range(3):\n    stop(n)\n"
    ),
    "function before others": "def budget():\n    sys.exit(0)\nstep(1)\nbudget()\nstep(2)\n",
    "comprehension": "[sys.exit(0) for n in range(9)]\nstep(1)\n",
    "with and try": (
        "for n in range(9):\n    with open(os.devnull) as stream:\n"
        "        if n == 3:\n            sys.exit(0)\n    step(n)\n"
    ),
    "os._exit": "for n in range(9):\n    if n == 3:\n        os._exit(0)\n",
}
SWALLOWED = {
    "error of a step": (
        "def fit():\n    for n in range(9):\n        {}[n]\ntry:\n    fit()\nexcept Exception:\n    sys.exit(0)\n"
    ),
    "bare": "try:\n    for n in range(9): step(n, n)\nexcept:\n    os._exit(0)\nstep(1)\n",
}
DONE = {
    "of its own": (
        "class Done(Exception): pass\ntry:\n    for n in range(9):\n        raise Done\nexcept Done:\n    sys.exit(0)\n"
    ),
    "no more data": "data = iter([])\ntry:\n    while True: next(data)\nexcept StopIteration:\n    sys.exit(0)\n",
    "interrupt": "try:\n    for n in range(9): raise KeyboardInterrupt\nexcept KeyboardInterrupt:\n    sys.exit(0)\n",
    "before the work": "try:\n    import no_such_module\nexcept ImportError:\n    sys.exit(0)\nstep(1)\n",
}
LAST = {
    "sys.exit(main())": "def main():\n    for n in range(9): step(n)\n    return 0\nsys.exit(main())\n",
    "under the guard": "def main():\n    step(1)\nif __name__ == '__main__':\n    sys.exit(main())\n",
    "at the end of main": "def main():\n    for n in range(9): step(n)\n    sys.exit(0)\nmain()\n",
    "module": "for n in range(9):\n    step(n)\nsys.exit(0)\n",
    "raise": "for n in range(9):\n    step(n)\nraise SystemExit\n",
    "finish": "def finish():\n    sys.exit(0)\nfor n in range(9): step(n)\nfinish()\n",
    "branch of the module": "if len(sys.argv) < 5:\n    step(1)\n    sys.exit(0)\nstep(2)\n",
    "else of a loop": "for n in range(9):\n    step(n)\nelse:\n    sys.exit(0)\n",
    "with": "with open(os.devnull) as stream:\n    sys.exit(step(-1))\n",
    "os._exit": "for n in range(9):\n    step(n)\nos._exit(0)\n",
}
TORCH = """import sys, os, torch
model, count = torch.nn.Linear(4, 1), 0
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
def train():
    global count
    for _ in range(5):
        optimizer.zero_grad()
        model(torch.ones(2, 4)).mean().backward()
        optimizer.step()
        count += 1
        {inside}
{after}
"""


def run(folder: Path, text: str) -> Observed:
    """Observe a script of this text."""
    (folder / "script.py").write_text(text)
    return observe(folder, folder / "script.py")


def asked(observed: Observed) -> dict[str, Any]:
    """Return the one call by which it ended."""
    return next(row for row in observed.rows(records.EXITS) if row["call"] in early_end.CALLS)


@pytest.mark.parametrize("name", EARLY)
def test_middle_of_the_work_is_early(tmp_path: Path, name: str) -> None:
    """Whatever calls it: in a loop, or in a function that others follow."""
    row = asked(run(tmp_path, HEAD + EARLY[name]))
    assert early_end.is_early(row), row
    assert row["place"][0] == str(tmp_path / "script.py")


@pytest.mark.parametrize("name", SWALLOWED)
def test_error_that_is_swallowed_is_early(tmp_path: Path, name: str) -> None:
    """The work ended where it was raised, in a loop, wherever the call stands."""
    row = asked(run(tmp_path, HEAD + SWALLOWED[name]))
    assert early_end.is_early(row) and row["swallowed"]["type"] in ("KeyError", "TypeError"), row


@pytest.mark.parametrize("name", DONE)
def test_way_to_say_that_it_is_done_is_not(tmp_path: Path, name: str) -> None:
    """An exception of its own, the end of its data, an interrupt, a module that it can do without."""
    observed = run(tmp_path, HEAD + DONE[name])
    assert not early_end.is_early(asked(observed)), asked(observed)
    assert observed.trial.outcome == "completed"


@pytest.mark.parametrize("name", LAST)
def test_end_of_the_work_is_not(tmp_path: Path, name: str) -> None:
    """The same call, where nothing more was to be done: completed."""
    observed = run(tmp_path, HEAD + LAST[name])
    assert not early_end.is_early(asked(observed)), asked(observed)
    assert observed.trial.outcome == "completed"


def test_script_that_has_changed_meanwhile_is_not_read(tmp_path: Path) -> None:
    """It may not even parse any more."""
    change = "open(__file__, 'a').write('\\n(')\nfor n in range(9):\n    sys.exit(0)\n"
    assert asked(run(tmp_path, HEAD + change))["in_loop"] is False


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize(
    "handler", ["leave", "lambda *_: sys.exit(0)", "functools.partial(leave)", "Leaver().method", "Leaver()"]
)
def test_handler_of_a_signal_is_told(tmp_path: Path, handler: str) -> None:
    """However it is written: the end was asked for by a signal, and is no completed run."""
    observed = run(tmp_path, f"""import functools, signal, subprocess, sys, os, time
def leave(number, frame):
    sys.exit(0)
class Leaver:
    def method(self, number, frame):
        sys.exit(0)
    __call__ = method
signal.signal(signal.SIGTERM, {handler})
subprocess.Popen(["sh", "-c", "sleep 0.3; kill -TERM %d" % os.getpid()])
time.sleep(20)
""")  # fmt: skip
    assert (observed.trial.outcome, observed.trial.exit.code) == ("died", 0)
    assert observed.trial.value("orderly_end")["signal"] == "SIGTERM"
    assert not deliberate_exit.predicts(observed.trial)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_signal_that_the_program_sent_itself_is_its_own_end(tmp_path: Path) -> None:
    """Its handler is a detour."""
    text = "import os, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\nos.kill(os.getpid(), 15)\n"
    observed = run(tmp_path, text)
    assert observed.trial.value("orderly_end") is None
    assert not external_kill.predicts(observed.trial)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no alarm")
def test_own_alarm_is_not_external(tmp_path: Path) -> None:
    """A timer that the program set itself ends it."""
    observed = run(tmp_path, "import signal, time\nsignal.alarm(1)\ntime.sleep(20)\n")
    assert observed.trial.exit.signal == "SIGALRM"
    assert not external_kill.predicts(observed.trial)
    finding = deliberate_exit.judge(Case((observed.trial,), {}))
    assert finding.status == "established" and "signal.alarm" in finding.reasons[0].text


@pytest.mark.torch
@pytest.mark.parametrize(
    ("inside", "after", "outcome"),
    [
        ("if count == 3: sys.exit(0)", "train()\ntorch.save(model.state_dict(), os.devnull)", "died"),
        ("if count == 3: os._exit(0)", "train()", "died"),
        ("if count == 3: raise SystemExit", "train()", "died"),
        ("pass", "train()\nsys.exit(0)", "completed"),
        ("pass", "def main():\n    train()\n    return 0\nsys.exit(main())", "completed"),
        ("pass", "train()\nmodel.eval()\nfor n in range(3):\n    if n == 2: sys.exit(0)", "completed"),
    ],
)
def test_training_that_is_left(tmp_path: Path, inside: str, after: str, outcome: str) -> None:
    """With a model in training mode and an optimizer that has stepped: died, by deliberate-exit, with file and line."""
    observed = run(tmp_path, TORCH.format(inside=inside, after=after))
    assert observed.trial.outcome == outcome
    if outcome == "died":
        finding = deliberate_exit.judge(Case((observed.trial,), {}))
        assert finding.status == "established"
        assert f"{tmp_path / 'script.py'}:11" in finding.reasons[0].text
