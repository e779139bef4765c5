"""maps.txt -> which OpenMP, BLAS and TBB runtimes were loaded, by file name, and in how many copies; pure.

Two copies of an OpenMP runtime in one process is the best documented cause of silent deaths on Windows and macOS.
One file under several names (hard or symbolic links) is one copy: a copy is a device and inode, as proc_pid_maps(5) has
them; where the map holds paths alone (Windows, macOS), a path without regard to case.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from harness.facts.folder import TrialFolder
from harness.model import Fact, Source
from probes import records

OPENMP = re.compile(r"^(lib)?(gomp|iomp5(md)?|omp(140d?)?|vcomp\d*d?)([-.].*)?\.(so|dll|dylib)", re.IGNORECASE)
BLAS = re.compile(
    r"^(lib)?(openblas|scipy_openblas|mkl_(core|rt)|blis|tbb\d*)[\w]*([-.].*)?\.(so|dll|dylib)", re.IGNORECASE
)

TBB = re.compile(r"^(lib)?tbb\d*(_debug)?([-.].*)?\.(so|dll|dylib)", re.IGNORECASE)
MKL = re.compile(r"^(lib)?mkl_\w+([-.].*)?\.(so|dll|dylib)", re.IGNORECASE)
FAMILIES = (
    ("libgomp", re.compile(r"(lib)?gomp", re.IGNORECASE)),
    ("libiomp5", re.compile(r"(lib)?iomp5", re.IGNORECASE)),
    ("libomp", re.compile(r"(lib)?omp", re.IGNORECASE)),
    ("vcomp", re.compile(r"(lib)?vcomp", re.IGNORECASE)),
    ("openblas", re.compile(r"(lib)?(scipy_)?openblas", re.IGNORECASE)),
    ("mkl_rt", re.compile(r"(lib)?mkl_rt", re.IGNORECASE)),
    ("mkl_core", re.compile(r"(lib)?mkl_core", re.IGNORECASE)),
    ("blis", re.compile(r"(lib)?blis", re.IGNORECASE)),
    ("tbb", re.compile(r"(lib)?tbb", re.IGNORECASE)),
)


@dataclasses.dataclass(frozen=True)
class Mapped:
    """One file in the map: its line (from 1), its path, and what makes it the same file as another."""

    line: int
    path: str
    identity: str

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return re.split(r"[/\\]", self.path)[-1]

    @property
    def family(self) -> str:
        """Which runtime this is, whatever the file is called; "" for any other file."""
        return next((family for family, pattern in FAMILIES if pattern.match(self.name)), "")


def mapped(folder: TrialFolder, name: str = records.MAPS) -> list[Mapped]:
    """Return the files in a map, each file once, however many paths lead to it; empty where no map was read."""
    return list({entry.identity: entry for entry in reversed(list(_entries(folder.text(name))))}.values())[::-1]


def _entries(text: str) -> Iterator[Mapped]:
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split(None, 5)  # address, permissions, offset, device, inode, path
        if len(fields) == 6 and fields[4].isdigit() and "-" in fields[0]:
            yield Mapped(number, fields[5], f"{fields[3]} {fields[4]}")
        else:
            yield Mapped(number, line, line.replace("\\", "/").lower())


def copies(folder: TrialFolder) -> list[Fact]:
    """Return `openmp_copies`, `blas_copies`, `tbb_copies` (runtime -> one path a copy) and `openmp_mix`.

    Two paths under one runtime are two copies of it; two OpenMP runtimes are a mix, each with a pool of its own.
    """
    files = mapped(folder)
    if not files:
        return []
    openmp = _copies(folder, "openmp_copies", [file for file in files if OPENMP.match(file.name)])
    blas = [file for file in files if BLAS.match(file.name) and not TBB.match(file.name) and file.family]
    return [
        openmp,
        Fact("openmp_mix", len(openmp.value) > 1, openmp.sources),
        _copies(folder, "blas_copies", blas),
        _copies(folder, "tbb_copies", [file for file in files if TBB.match(file.name)]),
    ]


def _copies(folder: TrialFolder, name: str, files: list[Mapped]) -> Fact:
    families = dict.fromkeys(file.family for file in files)
    paths = {family: [file.path for file in files if file.family == family] for family in families}
    sources = tuple(folder.source(records.MAPS, file.line) for file in files)
    return Fact(name, paths, sources or (folder.source(records.MAPS, 1),))


def static_mkl(folder: TrialFolder) -> list[Fact]:
    """Return `static_mkl`: whether torch says that it computes with MKL while no file of MKL is mapped.

    Such a copy of MKL has no file name to be found by. Source: `torch.__config__.parallel_info()`.
    """
    told = next((row for row in folder.own_lines(records.INSIDE) if row.value.get("event") == "torch"), None)
    files = mapped(folder)
    if told is None or not files:
        return []
    loaded = [file for file in files if MKL.match(file.name)]
    has = "Math Kernel Library" in told.value.get("parallel_info", "")
    maps = tuple(folder.source(records.MAPS, file.line) for file in loaded)
    return [Fact("static_mkl", has and not loaded, (folder.source(records.INSIDE, told.line), *maps))]


def runtimes(folder: TrialFolder) -> list[Fact]:
    """Return the fact `openmp_runtimes`, a list of paths; none where no map was read."""
    lines = folder.text(records.MAPS).splitlines()
    paths = [(number, line[line.find("/") :] if "/" in line else line) for number, line in enumerate(lines, 1)]
    matching = [(number, path) for number, path in paths if OPENMP.match(re.split(r"[/\\]", path)[-1])]
    sources: tuple[Source, ...] = tuple(folder.source(records.MAPS, number) for number, _ in matching)
    told = [path for _, path in matching]
    return [Fact("openmp_runtimes", told, sources or (folder.source(records.MAPS, 1),))] if lines else []
