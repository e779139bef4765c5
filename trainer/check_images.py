"""Does every image decode in full? Asked in a helper process, before training starts.

Pillow raises at a broken image, and a native decoder may even kill the process. So a helper reads paths and announces
each one before it decodes it: when the helper dies, the path announced last is the culprit and its stderr the reason.
The parent reports that image and starts a helper for the rest, so that all bad images are reported at once.

A JPEG that was cut short after its last visible block decodes without complaint; therefore a JPEG must also hold an
end-of-image marker (FFD9) after its last start-of-scan marker (FFDA). Neither can occur within compressed data, where
every FF byte is followed by 00 or a restart marker (ITU-T T.81, B.1.1.5).
Not found: bytes that were overwritten inside a scan, which decode to a wrong picture.

`python -m trainer.check_images < paths.jsonl` is the helper: JSON strings in, JSON lists out, one a line.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from trainer.images import open_upright

JPEG_START = b"\xff\xd8"
SCAN_START = b"\xff\xda"
JPEG_END = b"\xff\xd9"
DEATHS_ALLOWED = 100  # each costs the start of a helper, about 0.3 s; more than this is a wrong folder


def stated_problem(content: bytes) -> str | None:
    """What can be told without decoding: an empty file, or a JPEG that was cut short."""
    if not content:
        return "the file is empty"
    if content.startswith(JPEG_START) and content.rfind(JPEG_END) < max(content.rfind(SCAN_START), len(JPEG_START)):
        return "the JPEG is truncated (no end-of-image marker)"
    return None


def helper(lines: Iterator[str]) -> None:
    """Announce, then decode, each path of standard input; an image that raises ends this process."""
    for line in lines:
        path = Path(json.loads(line))
        print(json.dumps(["checking", str(path)]), flush=True)
        problem = stated_problem(path.read_bytes())
        if problem is None:
            open_upright(path)
        print(json.dumps(["ok", ""] if problem is None else ["bad", problem]), flush=True)


def start_helper(paths: IO[bytes], stderr: IO[bytes]) -> "subprocess.Popen[str]":
    """A helper that imports this very package, wherever the parent was started."""
    root = str(Path(__file__).resolve().parents[1])
    search = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "trainer.check_images"]
    environment = {**os.environ, "PYTHONPATH": search}
    return subprocess.Popen(
        command, stdin=paths, stdout=subprocess.PIPE, stderr=stderr, env=environment, text=True, encoding="utf-8"
    )


def answers(paths: Sequence[Path]) -> Iterator[str | None]:
    """One answer a path, in order, from one helper: None for a sound image, else its problem.

    Ends early, with the problem of the image in hand, when the helper dies.
    """
    with tempfile.TemporaryFile() as questions, tempfile.TemporaryFile() as stderr:
        # A file and not a pipe: a helper that waits for us while we wait for it would never end.
        questions.write("".join(json.dumps(str(path)) + "\n" for path in paths).encode())
        questions.seek(0)
        with start_helper(questions, stderr) as process:
            verdict = "not started"
            for line in process.stdout or ():
                verdict, text = json.loads(line)
                if verdict != "checking":
                    yield None if verdict == "ok" else text
        if process.returncode != 0:
            stderr.seek(0)
            reason = reason_of_death(process.returncode, stderr.read().decode("utf-8", errors="replace"))
            if verdict != "checking":  # no image was in hand: the fault is the helper's own
                raise RuntimeError(f"the helper that checks images failed: {reason}")
            yield reason


def reason_of_death(code: int, stderr: str) -> str:
    """Why a helper died: the last line of its traceback, or its exit code where it died without one."""
    lines = stderr.strip().splitlines()
    return lines[-1] if lines else f"decoding it ended the helper process with exit code {code}"


def examine(paths: Sequence[Path]) -> Iterator[tuple[Path, str | None]]:
    """Each path with its problem, or None for a sound image; missing files need no helper.

    Stops after 100 dead helpers: such a folder does not hold images.
    """
    yield from ((path, "the file does not exist") for path in paths if not path.is_file())
    rest = [path for path in paths if path.is_file()]
    for _ in range(DEATHS_ALLOWED):
        done = 0
        for problem in answers(rest):
            yield rest[done], problem
            done += 1
        rest = rest[done:]
        if not rest or not done:
            break
    if rest:
        yield rest[0], f"the check was given up here, with {len(rest)} images to go"


if __name__ == "__main__":
    helper(iter(sys.stdin))
