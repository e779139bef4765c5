"""Which OpenMP and BLAS runtimes were loaded, by file name."""

from __future__ import annotations

from pathlib import Path

import pytest
from record_folders import ID, Records

from harness.model import Source
from harness.runtimes import BLAS, OPENMP, runtimes
from probes.records import MAPS

LINE = "7f0000000000-7f0000001000 r-xp 00000000 08:01 123                        {}"


class TestNames:
    """File names on three systems."""

    @pytest.mark.parametrize(
        "name",
        [
            "libgomp.so.1", "libgomp-a34b3233.so.1", "libgomp.so.1.0.0", "libiomp5.so", "libomp.so", "libomp.so.5",
            "libomp.dylib", "libiomp5.dylib", "libiomp5md.dll", "libomp.dll", "libomp140.x86_64.dll", "vcomp140.dll",
            "VCOMP140.DLL", "libomp-9cb9ebb5.so",
        ],
    )  # fmt: skip
    def test_of_openmp(self, name: str) -> None:
        """The runtimes of GCC, LLVM, Intel and Microsoft, also with the hash that wheels add."""
        assert OPENMP.match(name)
        assert not BLAS.match(name)

    @pytest.mark.parametrize(
        "name",
        [
            "libopenblas.so.0", "libopenblas64_p-r0-0cf96a72.3.23.dev.so", "libscipy_openblas64_-ff651d7f.so",
            "libopenblas.dll", "libopenblas.dylib", "libmkl_core.so.2", "libmkl_rt.so", "mkl_core.2.dll",
            "mkl_rt.2.dll", "libblis.so.4", "libtbb.so.12", "tbb12.dll", "libscipy_openblas-c128ec02.so",
            "libopenblasp-r0.3.21.so",
        ],
    )  # fmt: skip
    def test_of_blas(self, name: str) -> None:
        """OpenBLAS, MKL, BLIS and TBB."""
        assert BLAS.match(name)
        assert not OPENMP.match(name)

    @pytest.mark.parametrize(
        "name",
        [
            "libtorch_cpu.so", "libc.so.6", "libcomp.so", "libgompertz.so", "libompi.so", "libomptarget.so", "omp.py",
            "libgomp.txt", "libpython3.11.so.1.0", "libopen-rte.so", "myopenblas.so", "libtbbind.txt", "libm.so.6",
        ],
    )  # fmt: skip
    def test_of_others(self, name: str) -> None:
        """Names that only look alike are neither."""
        assert not OPENMP.match(name)
        assert not BLAS.match(name)


class TestRuntimes:
    """Facts from maps.txt."""

    def test_list_paths_with_their_lines(self, tmp_path: Path) -> None:
        """Each copy is listed, paths with spaces whole, and its line cited."""
        paths = [
            "/lib/libc.so.6",
            "/venv/torch lib/libgomp-a34b3233.so.1",
            "/usr/lib/libgomp.so.1",
            "/x/libopenblas.so.0",
        ]
        folder = Records(tmp_path).text(MAPS, "".join(LINE.format(path) + "\n" for path in paths)).folder()
        openmp, blas = runtimes(folder)
        assert (openmp.name, openmp.value) == ("openmp_runtimes", paths[1:3])
        assert openmp.sources == (Source(f"trials/{ID}/maps.txt", 2), Source(f"trials/{ID}/maps.txt", 3))
        assert (blas.name, blas.value) == ("blas_runtimes", paths[3:])

    def test_windows_paths(self, tmp_path: Path) -> None:
        """Bare paths with backslashes are read too."""
        path = "C:\\Program Files\\torch\\lib\\libiomp5md.dll"
        assert runtimes(Records(tmp_path).text(MAPS, path + "\n").folder())[0].value == [path]

    def test_none_is_a_fact_where_the_map_was_read(self, tmp_path: Path) -> None:
        """An empty list says that none was loaded; no facts say that it is not known."""
        found = runtimes(Records(tmp_path).text(MAPS, LINE.format("/lib/libc.so.6") + "\n").folder())
        assert [fact.value for fact in found] == [[], []]
        assert runtimes(Records(tmp_path / "b").folder()) == []
