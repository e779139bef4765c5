"""Every problem of a configuration is reported at once, by key; a resolved one can be read again."""

from pathlib import Path

import pytest
import yaml

from trainer import config
from trainer.config import Config, as_yaml, build, known_keys, load
from trainer.errors import ConfigError

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
NEEDED = {"data": "d", "output": "o"}


def test_defaults_are_the_users_setup() -> None:
    """Without further keys the configuration is the published setup."""
    plain = build(NEEDED, "test")
    assert plain == Config(Path("d"), Path("o"))
    assert (plain.backbone, plain.batch_size, plain.epochs, plain.patience) == ("resnet50", 8, 100, 10)
    assert (plain.backbone_lr, plain.head_lr_factor, plain.momentum, plain.weight_decay) == (1e-5, 10, 0.9, 5e-4)
    assert (plain.lr_step, plain.lr_gamma, plain.hidden, plain.dropout) == (25, 0.1, (), 0.0)


def test_all_problems_at_once() -> None:
    """Unknown keys come with the nearest known one, wrong values with what was expected, missing keys by name."""
    with pytest.raises(ConfigError) as error:
        build({"output": "o", "bach_size": 4, "epochs": "many", "evaluate": 1, "dropout": 1.0, "hidden": [0]}, "x.yaml")
    assert error.value.problems == [
        "bach_size: is not a known key; did you mean batch_size?",
        "data: is required",
        "epochs: expected a whole number of at least 1, got 'many' (str)",
        "evaluate: expected true or false, got 1 (int)",
        "dropout: expected a number of at least 0 and less than 1, got 1.0 (float)",
        "hidden: expected a list of whole numbers greater than 0, such as [] or [512, 128], got [0] (list)",
    ]


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("backbone_lr: 1e-5", "backbone_lr", 1e-5),
        ("lr_step: off", "lr_step", None),
        ("lr_step: null", "lr_step", None),
        ("max_steps: 3", "max_steps", 3),
        ("weights: none", "weights", "none"),
        ("weights: null", "weights", "none"),
        ("hidden: [512, 128]", "hidden", (512, 128)),
        ("image_size: 32", "image_size", 32),
    ],
)
def test_values_as_people_write_them(text: str, key: str, value: object) -> None:
    """`1e-5`, `off` and `none` mean what they say, whatever YAML 1.1 makes of them."""
    assert getattr(build({**NEEDED, **yaml.safe_load(text)}, "test"), key) == value


@pytest.mark.parametrize("value", [True, "3", 2.5, -1, 0, None, [1]])
def test_a_batch_size_is_a_positive_integer(value: object) -> None:
    """True is not 1, and text is not a number."""
    with pytest.raises(ConfigError, match="batch_size: expected a whole number of at least 1"):
        build({**NEEDED, "batch_size": value}, "test")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0, 1.5])
def test_a_fraction_is_a_fraction(value: float) -> None:
    """Not-a-number and infinity are refused like any other value out of range."""
    with pytest.raises(ConfigError, match="quick_experiment: expected a number greater than 0 and at most 1"):
        build({**NEEDED, "quick_experiment": value}, "test")


def test_resolved_configuration_reads_back(tmp_path: Path) -> None:
    """What config.yaml holds is the configuration, every key of it."""
    original = build({**NEEDED, "hidden": [4], "lr_step": "off", "data": "Fotos/Österreich"}, "test")
    path = tmp_path / "config.yaml"
    path.write_text(as_yaml(original), encoding="utf-8")
    assert load(path, {}) == original
    assert list(yaml.safe_load(path.read_text(encoding="utf-8"))) == list(known_keys())


def test_overrides_win(tmp_path: Path) -> None:
    """The command line's values replace the file's."""
    path = tmp_path / "c.yaml"
    path.write_text("data: d\noutput: o\nseed: 1\n", encoding="utf-8")
    assert load(path, {"seed": 2}).seed == 2


def test_a_file_that_is_no_mapping(tmp_path: Path) -> None:
    """A list is refused; broken YAML surfaces as YAML's own error with the file's name."""
    path = tmp_path / "c.yaml"
    path.write_text("- a\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="must hold `key: value` lines, not list"):
        load(path, {})
    path.write_text("a: [\n", encoding="utf-8")
    with pytest.raises(yaml.YAMLError, match="c.yaml"):
        load(path, {})


def test_committed_configurations() -> None:
    """Both files load; the user's explains every key; the quick one needs no network and evaluates nothing."""
    full_text = (CONFIGS / "siamese_resnet50.yaml").read_text(encoding="utf-8")
    full = load(CONFIGS / "siamese_resnet50.yaml", {})
    assert set(yaml.safe_load(full_text)) == set(config.known_keys())
    assert full == Config(Path("data/phototriage"), Path("runs/siamese_resnet50"))
    quick = load(CONFIGS / "siamese_quick.yaml", {})
    assert (quick.backbone, quick.weights, quick.max_steps, quick.evaluate) == ("resnet50", "none", 3, False)
    assert (quick.data, quick.epochs, quick.batch_size, quick.image_size) == (Path("data/drawn"), 1, 8, 224)
