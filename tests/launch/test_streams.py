"""The target's own output and exit code, passed on as they are."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from observing import environment, harness, observe, victim

from harness.facts import journal, last_words
from probes import records

MIB = 1 << 20
FLOOD = """
import os, sys
for number in range(120 * 16):
    os.write(1, bytes([number % 251]) * 65536)
    os.write(2, bytes([number % 241]) * 65536)
print("end", end="")
"""


def flood(most: int, end: bytes = b"") -> str:
    """Return the hash of what FLOOD writes on one stream."""
    digest = hashlib.sha256()
    for number in range(120 * 16):
        digest.update(bytes([number % most]) * 65536)
    digest.update(end)
    return digest.hexdigest()


def hash_of(path: Path) -> str:
    """Return a file's hash; read in pieces, since a child's peak of memory starts at its parent's size."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while piece := stream.read(65536):
            digest.update(piece)
    return digest.hexdigest()


def once(directory: Path, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    """Run `harness run --once` and keep what it passes through as bytes."""
    command = [sys.executable, "-m", "harness", "run", "--once", "--out", "out", *(str(word) for word in arguments)]
    return subprocess.run(command, cwd=directory, env=environment(), capture_output=True, timeout=60)


class TestFlood:
    """120 MiB on each stream, with no line end, neither of them text."""

    def test_is_recorded_and_passed_through_byte_for_byte(self, tmp_path: Path) -> None:
        """Each stream in its own order; the report stays small."""
        (tmp_path / "flood.py").write_text(FLOOD)
        command = [sys.executable, "-m", "harness", "run", "--once", "--echo", "--out", "out", "--", "flood.py"]
        with open(tmp_path / "stdout", "wb") as out, open(tmp_path / "stderr", "wb") as err:
            done = subprocess.run(command, cwd=tmp_path, env=environment(), stdout=out, stderr=err, timeout=60)
        assert done.returncode == 0
        root = next((tmp_path / "out").iterdir())
        folder = root / "trials" / "as-is" / "1"
        assert hash_of(tmp_path / "stdout") == hash_of(folder / records.STDOUT) == flood(251, b"end")
        assert hash_of(folder / records.STDERR) == flood(241)
        whole = (tmp_path / "stderr").stat().st_size
        with open(tmp_path / "stderr", "rb") as stream:
            stream.seek(whole - 2000)
            ours = stream.read().rpartition(bytes([(120 * 16 - 1) % 241]) * 100)[2]
        assert ours.split()[-1].decode() == f"out/{root.name}"
        assert whole < 120 * MIB + 4000
        assert (root / records.EVIDENCE).stat().st_size < MIB

    def test_is_judged_with_little_memory(self, tmp_path: Path) -> None:
        """Only the end of a long line is read."""
        with open(tmp_path / "log", "wb") as stream:
            for _ in range(100):
                stream.write(b"x" * MIB)
            stream.write(b" RuntimeError: at the end")
        line = last_words.last_lines(tmp_path / "log")[0]
        assert line.endswith("x RuntimeError: at the end") and len(line) <= last_words.LINE_BYTES + 1


class TestLastLines:
    """harness.words."""

    def test_numbers_hold(self, tmp_path: Path) -> None:
        """Line n is item n - 1, however many there are; a carriage return is no line end."""
        (tmp_path / "log").write_bytes(b"".join(b"line %d\n" % number for number in range(1, 10_001)) + b"a\rb")
        lines = last_words.last_lines(tmp_path / "log")
        assert (len(lines), lines[9_999], lines[-1], lines[0]) == (10_001, "line 10000", "a\rb", "")

    def test_missing_and_empty(self, tmp_path: Path) -> None:
        """No line."""
        (tmp_path / "log").write_bytes(b"")
        assert last_words.last_lines(tmp_path / "log") == last_words.last_lines(tmp_path / "none") == ()


class TestEcho:
    """--echo."""

    def test_stdout_is_the_target_s_alone(self, tmp_path: Path) -> None:
        """Our own words, the folder last, go to stderr, after the target's."""
        done = once(tmp_path, "--echo", "--", victim("healthy"))
        assert done.stdout == "out: Größe\n".encode() + b"\xff\x00 raw\r\n"
        assert "err: µ\n".encode() in done.stderr
        assert (tmp_path / done.stderr.splitlines()[-1].decode() / records.EVIDENCE).is_file()

    def test_a_reader_that_goes_away_ends_nothing(self, tmp_path: Path) -> None:
        """The trial runs on and is judged."""
        (tmp_path / "talks.py").write_text("import sys\nfor _ in range(3000):\n    print('x' * 1000)\nsys.exit(3)\n")
        command = [sys.executable, "-m", "harness", "run", "--once", "--echo", "--mirror-exit", "--out", "out"]
        with open(tmp_path / "err", "wb") as err:
            process = subprocess.Popen(
                [*command, "--", "talks.py"], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=err
            )
            assert process.stdout is not None
            process.stdout.close()
            assert process.wait(60) == 3
        assert b"Traceback" not in (tmp_path / "err").read_bytes()


class TestMirrorExit:
    """--mirror-exit."""

    @pytest.mark.parametrize(
        ("name", "words", "code"),
        [
            ("healthy", (), 0), ("exit_three", (), 3), ("exit_137", (), 137), ("exception", (), 1), ("segv", (), 139),
            ("kill_self", ("SIGKILL",), 137),
        ],
    )  # fmt: skip
    def test_is_the_child_s_own(self, tmp_path: Path, name: str, words: tuple[str, ...], code: int) -> None:
        """128 + n for signal n, as a shell does."""
        assert once(tmp_path, "--mirror-exit", "--", victim(name), *words).returncode == code

    def test_alive_and_well_is_zero(self, tmp_path: Path) -> None:
        """A trial that the harness ended because it had lived for long enough."""
        done = once(tmp_path, "--mirror-exit", "--set", "survive=1 second", "--", victim("endless_loop"))
        assert done.returncode == 0

    def test_needs_once(self, tmp_path: Path) -> None:
        """An inquest has many exit codes."""
        done = harness(tmp_path, "run", "--mirror-exit", "--", victim("healthy"))
        assert done.returncode == 2
        assert "--mirror-exit: needs --once" in done.stderr

    def test_help_says_so(self, tmp_path: Path) -> None:
        """128 + n."""
        assert "128 + n where signal n" in " ".join(harness(tmp_path, "run", "--help").stdout.split())


def test_order_within_a_stream_is_that_of_the_writers(tmp_path: Path) -> None:
    """A child process that writes to the same stream is in its place."""
    script = tmp_path / "two.py"
    script.write_text(
        "import os, subprocess, sys\nfor n in range(5):\n    os.write(1, b'parent %d,' % n)\n"
        "    subprocess.run([sys.executable, '-c', f'import os; os.write(1, b\"child {n},\")'])\n"
    )
    expected = "".join(f"parent {number},child {number}," for number in range(5))
    assert observe(tmp_path, script).text(records.STDOUT) == expected
    assert journal.trial_ids(tmp_path) == []
