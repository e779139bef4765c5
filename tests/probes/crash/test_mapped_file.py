"""A bus error behind the end of a mapped file names the file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from observing import observe

from probes.outside.crash import mapped_file

CUT = """
import mmap, sys
with open(sys.argv[1], "w+b") as stream:
    stream.truncate(8192)
    samples = mmap.mmap(stream.fileno(), 8192)
    stream.truncate(100)
print(samples[4096 + 7])
"""
MAPS = """\
7f00-8f00 r--s 00001000 fd:01 77 /data/a b.bin
8f00-9f00 rw-p 00000000 00:00 0
9f00-af00 r--p 00000000 fd:01 78 /gone (deleted)
"""


class TestUnder:
    """From the text of the maps."""

    @pytest.mark.parametrize("address", [None, 0x10, 0x9000])
    def test_no_file_there(self, address: int | None) -> None:
        """Not known, not mapped, or memory without a file."""
        assert mapped_file.under(MAPS, address) is None

    def test_place_in_the_file(self, tmp_path: Path) -> None:
        """The mapping's own offset counts; a name with a blank is whole; what is not there has no size."""
        place = {"offset_bytes": 0x1000 + 0x10, "size_bytes": None, "free_bytes": None}
        assert mapped_file.under(MAPS, 0x7F10) == {"path": "/data/a b.bin", **place}
        assert mapped_file.under(MAPS, 0x9F00) == {
            "path": "/gone (deleted)", "offset_bytes": 0, "size_bytes": None, "free_bytes": None,
        }  # fmt: skip
        file = tmp_path / "here"
        file.write_bytes(b"12345")
        found = mapped_file.under(MAPS.replace("/data/a b.bin", str(file)), 0x7F10)
        assert found is not None and (found["size_bytes"], found["free_bytes"] > 0) == (5, True)


@pytest.mark.skipif(sys.platform != "linux", reason="a crash is held on Linux")
def test_real_fault_names_file_place_and_size(tmp_path: Path) -> None:
    """A real program reads behind the end of a file that was cut short."""
    script, file = tmp_path / "cut.py", tmp_path / "samples.bin"
    script.write_text(CUT)
    observed = observe(tmp_path, script, file)
    fact = observed.trial.fact("file_fault")
    assert observed.trial.exit.signal == "SIGBUS" and fact is not None
    assert {name: fact.value[name] for name in ("path", "offset_bytes", "size_bytes")} == {
        "path": str(file), "offset_bytes": 4096 + 7, "size_bytes": 100,
    }  # fmt: skip
    assert fact.sources[0].file.endswith("native/main/fault.json")
