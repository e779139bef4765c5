"""Which OpenMP and BLAS runtimes were loaded, by file name."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest
from observing import observe
from record_folders import ID, Records

from harness.facts.threads.runtimes import BLAS, OPENMP, TBB, Mapped, copies, runtimes, static_mkl
from harness.model import Source
from probes.records import INSIDE, MAPS

LINE = "7f0000000000-7f0000001000 r-xp 00000000 08:01 123                        {}"


class TestNames:
    """File names on three systems."""

    @pytest.mark.parametrize(
        "name",
        [
            "libgomp.so.1", "libgomp-a34b3233.so.1", "libgomp.so.1.0.0", "libiomp5.so", "libomp.so", "libomp.so.5",
            "libomp.dylib", "libiomp5.dylib", "libiomp5md.dll", "libomp.dll", "libomp140.x86_64.dll", "vcomp140.dll",
            "VCOMP140.DLL", "libomp-9cb9ebb5.so", "libgomp-a34b3233.so.1.0.0", "libomp140d.x86_64.dll", "vcomp140d.dll",
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
        (openmp,) = runtimes(folder)
        assert (openmp.name, openmp.value) == ("openmp_runtimes", paths[1:3])
        assert openmp.sources == (Source(f"trials/{ID}/maps.txt", 2), Source(f"trials/{ID}/maps.txt", 3))

    def test_windows_paths(self, tmp_path: Path) -> None:
        """Bare paths with backslashes are read too."""
        path = "C:\\Program Files\\torch\\lib\\libiomp5md.dll"
        assert runtimes(Records(tmp_path).text(MAPS, path + "\n").folder())[0].value == [path]

    def test_none_is_a_fact_where_the_map_was_read(self, tmp_path: Path) -> None:
        """An empty list says that none was loaded; no facts say that it is not known."""
        found = runtimes(Records(tmp_path).text(MAPS, LINE.format("/lib/libc.so.6") + "\n").folder())
        assert [fact.value for fact in found] == [[]]
        assert runtimes(Records(tmp_path / "b").folder()) == []


def mapped_line(inode: int, path: str, device: str = "fe:00") -> str:
    """Return a line of proc_pid_maps(5)."""
    return f"7f0000000000-7f0000001000 r-xp 00000000 {device} {inode}                        {path}\n"


class TestFamilies:
    """Which runtime a file is, whatever wheels and systems call it."""

    @pytest.mark.parametrize(
        ("name", "family"),
        [
            ("libgomp.so.1", "libgomp"), ("libgomp-a34b3233.so.1.0.0", "libgomp"), ("libiomp5.so", "libiomp5"),
            ("libiomp5md.dll", "libiomp5"), ("libomp.so", "libomp"), ("libomp140.x86_64.dll", "libomp"),
            ("libomp.dylib", "libomp"), ("vcomp140.dll", "vcomp"), ("VCOMP140.DLL", "vcomp"),
            ("libopenblasp-r0-9f9f5dbc.3.18.so", "openblas"), ("libscipy_openblas64_-32a4b2a6.so", "openblas"),
            ("libopenblas64__v0.3.23-gcc_10_3_0-2bde3a66.dll", "openblas"), ("libmkl_rt.so.2", "mkl_rt"),
            ("mkl_core.2.dll", "mkl_core"), ("libblis.so.4", "blis"), ("libtbb.so.12", "tbb"), ("tbb12.dll", "tbb"),
            ("libtorch_cpu.so", ""), ("libc.so.6", ""),
        ],
    )  # fmt: skip
    def test_of(self, name: str, family: str) -> None:
        """By the beginning of the name, with and without folder."""
        assert Mapped(1, f"C:\\Program Files\\x\\{name}", "").family == family
        assert Mapped(1, f"/usr/lib/{name}", "").family == family

    @pytest.mark.parametrize(
        ("name", "is_tbb"),
        [
            ("libtbb.so.12", True), ("libtbb-ca48af5c.so.12.3", True), ("tbb12.dll", True), ("libtbb_debug.so", True),
            ("libtbb.12.dylib", True), ("libtbbmalloc.so.2", False), ("libtbbbind_2_5.so.3", False),
        ],
    )  # fmt: skip
    def test_only_the_scheduler_is_tbb(self, name: str, is_tbb: bool) -> None:
        """Its allocator and its binding library start no threads."""
        assert bool(TBB.match(name)) is is_tbb


class TestCopies:
    """How often each runtime is there."""

    def test_are_told_apart_by_device_and_inode(self, tmp_path: Path) -> None:
        """Two files are two copies; a link to the same file is none; the first path is kept and its line cited."""
        text = (
            mapped_line(1, "/torch/lib/libgomp-a34b3233.so.1") + mapped_line(1, "/hard link/libgomp.so.1")
            + mapped_line(2, "/sklearn.libs/libgomp-x.so.1.0.0") + mapped_line(1, "/usr/lib/libgomp.so.1", "fe:01")
            + mapped_line(3, "/scipy.libs/libscipy_openblas-68440149.so")
            + mapped_line(4, "/numpy.libs/libopenblasp-r0.so")
            + mapped_line(5, "/x/libmkl_core.so.2") + mapped_line(6, "/x/libtbb.so.12")
        )  # fmt: skip
        openmp, mix, blas, tbb = copies(Records(tmp_path).text(MAPS, text).folder())
        paths = ["/torch/lib/libgomp-a34b3233.so.1", "/sklearn.libs/libgomp-x.so.1.0.0", "/usr/lib/libgomp.so.1"]
        assert (openmp.name, openmp.value) == ("openmp_copies", {"libgomp": paths})
        assert [source.line for source in openmp.sources] == [1, 3, 4]
        assert (mix.name, mix.value) == ("openmp_mix", False)
        assert blas.value == {
            "openblas": ["/scipy.libs/libscipy_openblas-68440149.so", "/numpy.libs/libopenblasp-r0.so"],
            "mkl_core": ["/x/libmkl_core.so.2"],
        }
        assert (tbb.name, tbb.value, tbb.sources[0].line) == ("tbb_copies", {"tbb": ["/x/libtbb.so.12"]}, 8)

    @pytest.mark.parametrize(
        ("names", "families", "mixed"),
        [
            (["libgomp.so.1", "libiomp5.so"], ["libgomp", "libiomp5"], True),
            (["libomp.so", "libiomp5.so"], ["libomp", "libiomp5"], True),
            (["libiomp5.so"], ["libiomp5"], False),
            (["libc.so.6"], [], False),
        ],
    )
    def test_of_different_runtimes_are_a_mix(
        self, tmp_path: Path, names: list[str], families: list[str], mixed: bool
    ) -> None:
        """One runtime, however often, is none."""
        text = "".join(mapped_line(number, f"/x/{name}") for number, name in enumerate(names, 1))
        openmp, mix, *_ = copies(Records(tmp_path).text(MAPS, text).folder())
        assert (list(openmp.value), mix.value) == (families, mixed)
        assert mix.sources

    def test_on_windows_are_told_apart_by_path(self, tmp_path: Path) -> None:
        """Without regard to case and to the direction of slashes."""
        paths = [
            "C:\\torch\\libiomp5md.dll",
            "c:\\TORCH\\libiomp5md.dll",
            "C:\\conda\\libiomp5md.dll",
            "C:\\vcomp140.dll",
        ]
        openmp, mix, *_ = copies(Records(tmp_path).text(MAPS, "\n".join(paths) + "\n").folder())
        assert openmp.value == {"libiomp5": [paths[0], paths[2]], "vcomp": paths[3:]}
        assert mix.value is True

    def test_are_not_known_without_a_map(self, tmp_path: Path) -> None:
        """No facts, as none could be read."""
        assert copies(Records(tmp_path).folder()) == []


class TestStaticMkl:
    """A copy of MKL that has no file."""

    @pytest.mark.parametrize(
        ("info", "name", "value"),
        [
            ("Intel(R) oneAPI Math Kernel Library Version 2024.2", "libtorch_cpu.so", True),
            ("Intel(R) oneAPI Math Kernel Library Version 2024.2", "libmkl_intel_thread.so.2", False),
            ("Intel(R) oneAPI Math Kernel Library Version 2024.2", "libmkl_rt.so.2", False),
            ("OpenMP 201511", "libtorch_cpu.so", False),
        ],
    )
    def test_is_what_torch_tells_and_the_map_does_not(self, tmp_path: Path, info: str, name: str, value: bool) -> None:
        """Torch computes with MKL, and no library of MKL is mapped."""
        folder = Records(tmp_path).text(MAPS, mapped_line(1, f"/x/{name}"))
        folder.lines(INSIDE, [{"event": "start"}, {"event": "torch", "parallel_info": info}])
        (fact,) = static_mkl(folder.folder())
        assert (fact.name, fact.value, fact.sources[0]) == ("static_mkl", value, Source(f"trials/{ID}/inside.jsonl", 2))

    def test_is_not_known_without_torch(self, tmp_path: Path) -> None:
        """No word of torch's, no fact."""
        assert static_mkl(Records(tmp_path).text(MAPS, mapped_line(1, "/x/libc.so.6")).folder()) == []


def torch_gomp() -> Path:
    """Return torch's own libgomp without importing torch, or skip the test."""
    spec = importlib.util.find_spec("torch")
    folders = (spec.submodule_search_locations if spec else None) or []
    found = [path for folder in folders for path in sorted((Path(folder) / "lib").glob("libgomp*.so*"))]
    return found[0] if found else pytest.skip("torch brings no libgomp here")


@pytest.mark.torch
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and ELF files")
def test_two_real_copies_of_libgomp(tmp_path: Path) -> None:
    """Two files are two copies, a hard link and a symbolic link to one of them are none."""
    files = [tmp_path / name for name in ("one/libgomp.so.1", "two/libgomp-a34b3233.so.1", "link/libgomp.so.1")]
    for file in files:
        file.parent.mkdir()
    shutil.copy(torch_gomp(), files[0])
    shutil.copy(torch_gomp(), files[1])
    os.link(files[0], files[2])
    (tmp_path / "libgomp.so.1").symlink_to(files[1])
    loads = "".join(f"ctypes.CDLL({str(file)!r})\n" for file in (*files, tmp_path / "libgomp.so.1"))
    (tmp_path / "target.py").write_text(f"import ctypes, time\n{loads}time.sleep(2.2)\n")
    observed = observe(tmp_path, tmp_path / "target.py")
    found = observed.trial.value("openmp_copies")  # in the order of their addresses
    assert (list(found), sorted(found["libgomp"])) == (["libgomp"], [str(files[0]), str(files[1])])
    assert observed.trial.value("openmp_mix") is False
    assert found["libgomp"][0] in observed.cited("openmp_copies")
