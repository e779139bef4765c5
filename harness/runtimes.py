"""maps.txt -> which OpenMP and BLAS runtimes were loaded, by file name; pure.

Two copies of an OpenMP runtime in one process is the best documented cause of silent deaths on Windows and macOS.
"""

from __future__ import annotations

import re

from harness.folder import TrialFolder
from harness.model import Fact, Source
from probes import records

OPENMP = re.compile(r"^(lib)?(gomp|iomp5(md)?|omp(140)?|vcomp\d*)([-.].*)?\.(so|dll|dylib)", re.IGNORECASE)
BLAS = re.compile(
    r"^(lib)?(openblas|scipy_openblas|mkl_(core|rt)|blis|tbb\d*)[\w]*([-.].*)?\.(so|dll|dylib)", re.IGNORECASE
)


def runtimes(folder: TrialFolder) -> list[Fact]:
    """Return the facts `openmp_runtimes` and `blas_runtimes`: lists of paths; none where no map was read."""
    lines = folder.text(records.MAPS).splitlines()
    paths = [(number, line[line.find("/") :] if "/" in line else line) for number, line in enumerate(lines, 1)]
    found = (("openmp_runtimes", OPENMP), ("blas_runtimes", BLAS))
    return [_fact(folder, name, pattern, paths) for name, pattern in found] if lines else []


def _fact(folder: TrialFolder, name: str, pattern: re.Pattern[str], paths: list[tuple[int, str]]) -> Fact:
    matching = [(number, path) for number, path in paths if pattern.match(re.split(r"[/\\]", path)[-1])]
    sources: tuple[Source, ...] = tuple(folder.source(records.MAPS, number) for number, _ in matching)
    return Fact(name, [path for _, path in matching], sources or (folder.source(records.MAPS, 1),))
