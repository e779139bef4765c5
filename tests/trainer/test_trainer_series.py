"""The series maker: the same seed gives the same bytes, series are graded, nothing is written by halves."""

import json
import random
from pathlib import Path

import numpy
import pytest
from PIL import Image

from trainer.errors import ConfigError
from trainer.images import open_upright
from trainer.pairs import read_pairs
from trainer.series import draw, faults, layout, maker
from trainer.series.cli import main
from trainer.series.preference import graded_severities, preference, ranks


def make(out: Path, *arguments: object) -> dict[str, bytes]:
    """A data set, as the content of each of its files."""
    main(["--out", str(out), "--size", "48", "--no-progress", *map(str, arguments)])
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    """Two runs agree in every byte; another seed does not."""
    one = make(tmp_path / "one", "--series", 6, "--seed", 5)
    assert make(tmp_path / "two", "--series", 6, "--seed", 5) == one
    assert make(tmp_path / "three", "--series", 6, "--seed", 6) != one


def test_the_layout(tmp_path: Path) -> None:
    """Three splits that share no series; every pair's images exist; ranks and preferences agree."""
    out = tmp_path / "set"
    make(out, "--series", 12)
    lists = [out / "train_val/train_pairlist.txt", out / "train_val/val_pairlist.txt", out / "test/test_pairlist.txt"]
    read = [read_pairs(path) for path in lists]
    assert [problems for _, problems in read] == [[], [], []]
    series = [{pair.series for pair in pairs} for pairs, _ in read]
    assert [len(numbers) for numbers in series] == [8, 2, 2]
    assert set.union(*series) == set(range(1, 13)) and sum(map(len, series)) == 12
    for pair in [pair for pairs, _ in read for pair in pairs if not pair.is_tie]:
        assert (pair.rank_1 < pair.rank_2) == (pair.preference > 0.5)


def test_series_from_real_photos(real_data: Path, tmp_path: Path) -> None:
    """Every photo of a folder becomes a series of two to five takes of at most the size asked for."""
    out = tmp_path / "set"
    make(out, "--photos", real_data / "photos")
    about = json.loads((out / "series.json").read_text(encoding="utf-8"))
    assert len(about["series"]) == 72
    assert {len(one["takes"]) for one in about["series"]} == {2, 3, 4, 5}
    assert {max(open_upright(path).size) for path in out.rglob("*.JPG")} == {48}


def test_smallest_set(tmp_path: Path) -> None:
    """Three series are one for each split; two are refused; without a test split two are enough."""
    assert "test/test_pairlist.txt" in make(tmp_path / "three", "--series", 3)
    with pytest.raises(ConfigError, match="3 splits need at least 3 series, there are 2"):
        make(tmp_path / "two", "--series", 2)
    without = make(tmp_path / "without", "--series", 2, "--train", 0.5, "--val", 0.5, "--test", 0)
    assert "test/test_pairlist.txt" not in without


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    """A data set is replaced with --force only, and a folder that is none of ours never."""
    make(tmp_path / "set", "--series", 3)
    with pytest.raises(ConfigError, match="already holds a data set"):
        make(tmp_path / "set", "--series", 4)
    assert json.loads(make(tmp_path / "set", "--series", 4, "--force")["series.json"])["series"][-1]["series"] == 4
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(ConfigError, match="not made by this program"):
        make(tmp_path / "mine", "--series", 3, "--force")


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    """An error half way leaves neither the folder nor its unfinished sibling."""
    sources = maker.drawn_sources(3)

    def breaking():
        yield maker.make_series(sources[0], 48, 0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        layout.write(tmp_path / "set", breaking(), {1: "train"}, {})
    assert list(tmp_path.iterdir()) == []


def test_bad_arguments_are_reported_together(tmp_path: Path) -> None:
    """Fractions that do not add up, a missing folder and a broken photo are all told."""
    with pytest.raises(ConfigError) as error:
        make(tmp_path / "set", "--photos", tmp_path / "nowhere", "--train", 0.9)
    assert len(error.value.problems) == 2
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ConfigError, match="broken.jpg: the JPEG is truncated"):
        make(tmp_path / "set", "--photos", tmp_path / "photos")


def test_preference() -> None:
    """Equal severities tie; the milder fault is preferred; both orders add up to one."""
    assert preference(0.3, 0.3) == 0.5
    assert preference(0.1, 0.6) == pytest.approx(0.924)
    assert preference(0.6, 0.1) + preference(0.1, 0.6) == 1
    assert ranks([0.5, 0.1, 0.9]) == [2, 1, 3]


def test_severities_are_graded() -> None:
    """Takes of one series differ, and stay within the scale."""
    for seed in range(50):
        found = graded_severities(5, random.Random(seed))
        assert 0 <= min(found) < max(found) <= 1
        assert len(set(found)) == 5


@pytest.mark.parametrize("kind", faults.FAULTS)
def test_faults_grow(kind: str) -> None:
    """No severity changes nothing; more severity takes the picture further from the original; its size stays."""
    photo = draw.draw_scene(1, 96, 0)
    distances = []
    for amount in (0.0, 0.3, 1.0):
        spoilt = faults.FAULTS[kind](photo, amount, numpy.random.default_rng(3))
        assert spoilt.size == photo.size
        distances.append(float(numpy.abs(faults.as_array(spoilt) - faults.as_array(photo)).mean()))
    assert distances[0] < 1e-6
    assert 1 < distances[1] < distances[2]


def test_scenes_differ() -> None:
    """Ten drawings are ten pictures with colours, edges and the asked size."""
    scenes = [draw.draw_scene(number, 96, 0) for number in range(10)]
    assert len({scene.tobytes() for scene in scenes}) == 10
    assert {max(scene.size) for scene in scenes} == {96}
    assert min(float(faults.as_array(scene).std()) for scene in scenes) > 20


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    """A photo that a camera stored sideways is used upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "side.jpg", exif=exif)
    assert open_upright(tmp_path / "side.jpg").size == (20, 40)
