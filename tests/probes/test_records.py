"""Record files: what is appended is there, what is torn is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from probes import records
from probes.records import Row, Table

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import os, pathlib, signal, sys
sys.path.insert(0, {root!r})
from probes.records import Appender
file = Appender(pathlib.Path({path!r}))
for number in range(1000):
    file.write({{"number": number}})
os.kill(os.getpid(), signal.SIGKILL)
"""


class TestLines:
    """JSON lines."""

    def test_are_read_back_with_their_numbers(self, tmp_path: Path) -> None:
        """Each line is the object that was written, letters of all languages included."""
        values = [{"a": 1}, {"b": 'Größe\n"µ" 猫\x00'}, {"c": [None, True, 1.5]}]
        for value in values:
            records.append(tmp_path / "x.jsonl", value)
        expected = Table(tuple(Row(number, value) for number, value in enumerate(values, 1)))
        assert records.read_lines(tmp_path / "x.jsonl") == expected

    def test_missing_file_is_an_empty_table(self, tmp_path: Path) -> None:
        """It is told from a file without lines."""
        assert records.read_lines(tmp_path / "x") == Table((), exists=False)
        (tmp_path / "x").write_text("")
        assert records.read_lines(tmp_path / "x") == Table(())

    @pytest.mark.parametrize("tail", ['{"a":', '{"a":1}', "{", "x", '{"a":"\xff'])
    def test_torn_tail_is_told_and_not_parsed(self, tmp_path: Path, tail: str) -> None:
        """A line exists only if it ends in a newline, even where the rest would be whole JSON."""
        (tmp_path / "x").write_bytes(b'{"n":1}\n{"n":2}\n' + tail.encode("latin-1"))
        table = records.read_lines(tmp_path / "x")
        assert [row.value["n"] for row in table.rows] == [1, 2]
        assert table.tail == tail.encode("latin-1").decode(errors="replace")

    def test_empty_lines_keep_the_numbers(self, tmp_path: Path) -> None:
        """A source's line is the line that an editor shows."""
        (tmp_path / "x").write_text('{"n":1}\n\n{"n":3}\n')
        assert [(row.line, row.value["n"]) for row in records.read_lines(tmp_path / "x").rows] == [(1, 1), (3, 3)]

    def test_survive_the_writer_s_sigkill(self, tmp_path: Path) -> None:
        """Every line that `write` returned from is in the file."""
        script = WRITER.format(root=str(ROOT), path=str(tmp_path / "x"))
        done = subprocess.run([sys.executable, "-c", script], timeout=30)
        assert done.returncode == -signal.SIGKILL
        table = records.read_lines(tmp_path / "x")
        assert [row.value["number"] for row in table.rows] == list(range(1000))
        assert table.tail == ""

    def test_appending_never_rewrites(self, tmp_path: Path) -> None:
        """What was in the file stays, also for a second writer."""
        (tmp_path / "x").write_text('{"old":1}\n')
        with records.Appender(tmp_path / "x") as one, records.Appender(tmp_path / "x") as other:
            one.write({"n": 1})
            other.write({"n": 2})
            one.write({"n": 3})
        assert (tmp_path / "x").read_text() == '{"old":1}\n{"n":1}\n{"n":2}\n{"n":3}\n'

    def test_closing_twice_is_no_error(self, tmp_path: Path) -> None:
        """A second close does nothing."""
        file = records.Appender(tmp_path / "x")
        file.close()
        file.close()
        assert os.path.getsize(tmp_path / "x") == 0


class TestJson:
    """Whole JSON files."""

    def test_are_read_back(self, tmp_path: Path) -> None:
        """What was written comes back, and no draft stays behind."""
        value = {"a": {"b": [1, None]}, "c": "µ"}
        records.write_json(tmp_path / "x.json", value)
        assert records.read_json(tmp_path / "x.json") == value
        assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
        assert records.read_json(tmp_path / "none.json") is None

    @pytest.mark.parametrize(("key", "line"), [("first", 2), ("second", 3), ("inner", 4), ("other", 1), ("irst", 1)])
    def test_line_of_a_key(self, tmp_path: Path, key: str, line: int) -> None:
        """The line that holds the key; the first of the file where none does."""
        records.write_json(tmp_path / "x.json", {"first": 1, "second": {"inner": 2}})
        assert records.line_of(tmp_path / "x.json", key) == line

    def test_line_of_a_missing_file(self, tmp_path: Path) -> None:
        """A source of a file that is not there points at its first line."""
        assert records.line_of(tmp_path / "none.json", "key") == 1
