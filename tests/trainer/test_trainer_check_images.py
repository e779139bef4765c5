"""All missing, truncated and undecodable images are found before training, each with its reason."""

from pathlib import Path

import pytest
from PIL import Image

from trainer import check_images, preflight
from trainer.check_images import examine, stated_problem
from trainer.config import build
from trainer.errors import ConfigError


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A JPEG without a fault."""
    path = tmp_path / "sound.JPG"
    Image.effect_noise((64, 48), 60).convert("RGB").save(path, "JPEG")
    return path


def test_all_bad_images_at_once(sound: Path, tmp_path: Path) -> None:
    """Files that kill the helper do not hide those after them; sound images have no problem."""
    content = sound.read_bytes()
    cases = {
        "text.JPG": b"version https://git-lfs.example/spec/v1\n",
        "cut.JPG": content[: len(content) // 2],
        "unended.JPG": content[:-2],
        "empty.JPG": b"",
        "headless.JPG": b"\xff\xd8\xff\xd9",
        "png.JPG": b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
        "again.JPG": content,
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
    paths = [sound, *(tmp_path / name for name in cases), tmp_path / "missing.JPG"]
    found = dict(examine(paths))
    assert set(found) == set(paths)
    good = [path.name for path, problem in found.items() if problem is None]
    assert good == ["sound.JPG", "again.JPG"]
    assert found[tmp_path / "missing.JPG"] == "the file does not exist"
    truncated = [found[tmp_path / name] for name in ("cut.JPG", "unended.JPG")]
    assert truncated == ["the JPEG is truncated (no end-of-image marker)"] * 2
    assert "cannot identify image file" in str(found[tmp_path / "text.JPG"])


def test_a_thumbnail_does_not_pass_for_the_end(sound: Path) -> None:
    """The end marker of an embedded thumbnail, before the scan, does not count; bytes after the end are allowed."""
    content = sound.read_bytes()
    thumbnail = b"\xff\xe1\x00\x06\xff\xda\xff\xd9"
    assert stated_problem(content[:2] + thumbnail + content[2:-2]) is not None
    assert stated_problem(content + b"trailing") is None


def test_wrong_folder_ends_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which nothing is an image does not start a helper for every file."""
    monkeypatch.setattr(check_images, "DEATHS_ALLOWED", 2)
    paths = [tmp_path / f"{number}.JPG" for number in range(5)]
    for path in paths:
        path.write_text("no image", encoding="utf-8")
    found = list(examine(paths))
    assert len(found) == 3
    assert found[-1][1] == "the check was given up here, with 3 images to go"


def test_a_photo_of_any_name(tmp_path: Path, sound: Path) -> None:
    """Names that are not ASCII reach the helper unharmed."""
    path = tmp_path / "Füße und 山.JPG"
    path.write_bytes(sound.read_bytes())
    assert list(examine([path])) == [(path, None)]


def test_problems_name_series_and_line(drawn: Path, tmp_path: Path) -> None:
    """The error names file, series and list line of each bad image."""
    images = sorted((drawn / "train_val" / "train_val_imgs").iterdir())
    images[0].unlink()
    images[-1].write_bytes(images[-1].read_bytes()[:-300])
    values = {"data": str(drawn), "output": str(tmp_path / "run"), "weights": "none", "progress": False}
    with pytest.raises(ConfigError) as error:
        preflight.check(build(values, "test"))
    assert len(error.value.problems) == 2
    first, last = error.value.problems
    assert images[0].name in first and f"series {int(images[0].name[:6])}, " in first and ", line 1" in first + last
    assert "does not exist" in first and "truncated" in last and images[-1].name in last


def test_missing_images_are_found_without_the_check(drawn: Path, tmp_path: Path) -> None:
    """`check_images: false` spares the decoding, not the look whether the files are there."""
    next((drawn / "test" / "test_imgs").iterdir()).unlink()
    values = {"data": str(drawn), "output": str(tmp_path / "run"), "weights": "none", "check_images": False}
    with pytest.raises(ConfigError, match="does not exist"):
        preflight.check(build(values, "test"))


def test_a_batch_of_one_needs_more_than_one_value(drawn: Path, tmp_path: Path) -> None:
    """At 32 pixels a batch of one pair cannot be normalised; the error says so before training."""
    values = {"data": str(drawn), "output": str(tmp_path / "run"), "weights": "none", "image_size": 32, "batch_size": 1}
    with pytest.raises(ConfigError, match="image_size 32 cannot be trained with a batch of one pair"):
        preflight.check(build(values, "test"))
