"""Two copies of an OpenMP runtime that abort by their own words."""

from __future__ import annotations

from pathlib import Path

import pytest
from built_trials import case, died, proven
from record_folders import Records

from harness.decide.hypotheses import native_fault, threading_fault
from probes import records

WORDS = "OMP: Error #15: Initializing libiomp5.so, but found libiomp5.so already initialized.\nOMP: Hint This means\n"
COPIES = ("/venv/torch/lib/libiomp5.so", "/venv/mkl/lib/libiomp5.so")
DUPLICATE = {"initializing": "libiomp5.so", "found": "libiomp5.so", "paths": list(COPIES)}


def written(tmp_path: Path, words: str, *paths: str) -> Records:
    """Return a trial that ended with these words, with these files mapped."""
    made = Records(tmp_path).exit(signal="SIGABRT", code=None)
    (made.path / records.STDERR).write_text(words, encoding="utf-8")
    rows = [f"7f00{number}000-7f00{number}fff r-xp 0 fe:00 {number + 5} {path}" for number, path in enumerate(paths)]
    (made.path / records.MAPS).write_text("\n".join(rows), encoding="utf-8")
    return made


class TestFact:
    """What stderr and the map tell."""

    def test_words_and_both_paths(self, tmp_path: Path) -> None:
        """With the lines that say so."""
        seen = written(tmp_path, f"step 1\n{WORDS}", *COPIES).read()
        fact = seen.fact("openmp_duplicate")
        assert fact is not None and fact.value == DUPLICATE
        assert [(source.file.split("/")[-1], source.line) for source in fact.sources] == [
            ("stderr.log", 2), ("maps.txt", 1), ("maps.txt", 2),
        ]  # fmt: skip

    def test_of_two_names_of_one_runtime(self, tmp_path: Path) -> None:
        """LLVM's and Intel's are the same code."""
        words = WORDS.replace("found libiomp5.so", "found libomp.so")
        seen = written(tmp_path, words, "/a/libiomp5.so", "/b/libomp.so").read()
        assert len(seen.value("openmp_duplicate")["paths"]) == 2

    @pytest.mark.parametrize("words", ["", "OMP: Warning #96\n", WORDS + "step\n" * 20])
    def test_no_last_words_no_fact(self, tmp_path: Path, words: str) -> None:
        """What was said long before the end is another matter."""
        assert written(tmp_path, words, *COPIES).read().fact("openmp_duplicate") is None


class TestRule:
    """Threading, at one thread too."""

    DEAD = died(signal="SIGABRT", factors={"threads": 1}, facts={"openmp_duplicate": DUPLICATE, "threads_max": 1})

    def test_is_established_by_its_words_and_both_paths(self) -> None:
        """No intervention is needed: the runtime itself says what it refuses."""
        finding = threading_fault.judge(case(self.DEAD, controls=proven(threading_fault.ID)))
        assert finding.status == "established"
        assert all(path in finding.reasons[0].text for path in COPIES)

    def test_the_code_is_sound(self) -> None:
        """It is no native fault, though it aborts."""
        assert native_fault.judge(case(self.DEAD, controls=proven(native_fault.ID))).status == "ruled-out"

    def test_words_alone_are_not_enough(self) -> None:
        """Of a copy without a file it is not known whose it is."""
        dead = died(signal="SIGABRT", facts={"openmp_duplicate": {**DUPLICATE, "paths": COPIES[:1]}})
        assert threading_fault.judge(case(dead, controls=proven(threading_fault.ID))).status != "established"
