"""Single values of a configuration's text: the value is set, and every byte outside of it stays."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.plan import config_text
from harness.plan.config_text import json_text, toml_text, yaml_text

YAML = """# head
a: 1   # keep
base: &b
  x: 1
  deep: {y: 2}
use: *b
m:
  <<: *b
  z: 3   # zz
n: {<<: *b, q: 1}
s: "quoted"
blk: |
  line one
  line two
# after
lst:
- 1
- {k: 5}
nest:
  inner:   # comment
    v: 1
    w: [1,2,
      3]   # tail

# gap
empty:
lr: 1e-3
anchored: &v 5
ref: *v
tag: !!str 5
last: end"""
JSON = '{\r\n "a": 1, "b": {"c": [1, {"d": "x\\"}"}], "e": null}, "f.g" : true\n}\n'
TOML = '''title = "x" # c
a.b = 1
"q k" = 2
[model]
depth = 50   # deep
opts = { lr = 1e-3, names = ["a", 'b'] }
text = """
multi
[not] = 3
"""
arr = [ 1,
  2, # two
]
[model.inner]
w = 1979-05-27 07:32:00
[[layers]]
n = 1
[[layers]]
n = 2
[layers.sub]
z = 'lit'
'''
VALUES = (8, 1e-05, "a, b: c", "#", "two\nlines", "ü", True, [1, "a"], {"k": 1})


def at(tree: Any, key: str) -> Any:
    """Return what lies under a dotted key; a list's items by their number; a key may hold dots itself."""
    if isinstance(tree, list):
        first, _, rest = key.partition(".")
        return at(tree[int(first)], rest) if rest else tree[int(first)]
    if key in tree:
        return tree[key]
    first, _, rest = key.partition(".")
    return at(tree[first], rest)


def settable(spans: config_text.span.Spans) -> list[str]:
    """Return the keys that can be set."""
    return [key for key, place in spans.items() if not isinstance(place, str)]


def check(text: str, suffix: str, key: str, value: Any, load: Any) -> None:
    """The value is under the key; what is outside of the replaced characters is as it was."""
    changed = config_text.set_value(text, suffix, key, value)
    assert at(load(changed), key) == value
    place = {".yaml": yaml_text, ".json": json_text, ".toml": toml_text}[suffix].spans(text)[key]
    assert not isinstance(place, str)
    assert changed.startswith(text[: place.start]) and changed.endswith(text[place.end :])


class TestEveryKey:
    """Each key of a text that has everything in it, with each kind of value."""

    @pytest.mark.parametrize("key", settable(yaml_text.spans(YAML)))
    @pytest.mark.parametrize("value", [*VALUES, None], ids=str)
    def test_of_yaml(self, key: str, value: Any) -> None:
        """Flow and block, quoted and folded, empty, anchored and merged values."""
        if key != "base":  # which others merge, so it must stay a mapping
            check(YAML, ".yaml", key, value, yaml.safe_load)

    @pytest.mark.parametrize("key", settable(json_text.spans(JSON)))
    @pytest.mark.parametrize("value", [*VALUES, None], ids=str)
    def test_of_json(self, key: str, value: Any) -> None:
        """Nested, in lists, with brackets within texts, and a key with a dot in it."""
        check(JSON, ".json", key, value, json.loads)

    @pytest.mark.parametrize("key", settable(toml_text.spans(TOML)))
    @pytest.mark.parametrize("value", VALUES, ids=str)
    def test_of_toml(self, key: str, value: Any) -> None:
        """Tables, arrays of them, inline tables, dotted and quoted keys, strings of several lines."""
        check(TOML, ".toml", key, value, tomllib.loads)

    def test_none_is_left_out(self) -> None:
        """Every leaf that the parsers see is found."""
        assert set(toml_text.spans(TOML)) >= {"a.b", "q k", "model.opts.names.1", "model.arr.1", "layers.1.sub.z"}
        assert set(json_text.spans(JSON)) == {"a", "b", "b.c", "b.c.0", "b.c.1", "b.c.1.d", "b.e", "f.g"}
        assert set(yaml_text.spans(YAML)) >= {"m.x", "n.x", "nest.inner.w", "lst.1.k", "empty", "use", "last"}


class TestYaml:
    """What YAML alone has."""

    @pytest.mark.parametrize(
        ("key", "other"), [("use", "base"), ("m.x", "base.x"), ("n.x", "m.x"), ("ref", "anchored")]
    )
    def test_aliases_and_merges_leave_the_others(self, key: str, other: str) -> None:
        """What is set at an alias, or beside a merge, does not change what it refers to."""
        changed = yaml.safe_load(config_text.set_value(YAML, ".yaml", key, 99))
        assert (at(changed, key), at(changed, other)) == (99, at(yaml.safe_load(YAML), other))

    def test_within_an_alias_is_refused(self, tmp_path: Path) -> None:
        """A key below an alias would change for the others too."""
        path = tmp_path / "c.yaml"
        path.write_text(YAML)
        problem = config_text.problem(path, "use.x", (1,))
        assert problem is not None and "an alias shares with others" in problem

    def test_custom_tags_are_no_obstacle(self) -> None:
        """Nothing is constructed: a tag that only the target's own loader knows stays."""
        text = "inc: !include other.yaml\nlr: 1\n"
        assert config_text.set_value(text, ".yaml", "lr", 2) == "inc: !include other.yaml\nlr: 2\n"

    def test_the_last_of_a_repeated_key_counts(self) -> None:
        """As for the loader."""
        assert config_text.set_value("a: 1\na: 2\n", ".yaml", "a", 3) == "a: 1\na: 3\n"


def test_bytes_outside_stay(tmp_path: Path) -> None:
    """A byte order mark, Windows line ends and bytes that are no UTF-8 come out as they went in."""
    path = tmp_path / "c.yaml"
    path.write_bytes("\ufeffa: 1\r\n# ".encode() + b"\xff\r\nb: 2\r\n")
    config_text.write(path, config_text.set_value("\ufeffa: 1\r\nb: 2\r\n", ".yaml", "b", 3))
    assert path.read_bytes() == "\ufeffa: 1\r\nb: 3\r\n".encode()
    (tmp_path / "c.json").write_bytes(b'{"a": "\xff", "b": 2}')
    text = config_text.set_value(config_text.read(tmp_path / "c.json"), ".json", "b", 3)
    config_text.write(tmp_path / "d.json", text)
    assert (tmp_path / "d.json").read_bytes() == b'{"a": "\xff", "b": 3}'


@pytest.mark.parametrize(
    ("name", "text", "key", "values", "words"),
    [
        ("c.ini", "[a]\nb=1\n", "a.b", (1,), "is neither YAML, JSON nor TOML by its name"),
        ("c.yaml", "- 1\n", "a", (1,), "has no such key"),
        ("c.json", '{"a" 1}', "a", (1,), "has no such key"),
        ("c.json", "{] , 1", "a", (1,), "has no such key"),
        ("c.toml", "= 3\n[", "a", (1,), "has no such key"),
        ("c.toml", "a = [1, {", "b", (1,), "has no such key"),
        ("c.toml", "a = 1\n", "a", (1, None), "cannot hold None"),
    ],
)
def test_problems_are_told(tmp_path: Path, name: str, text: str, key: str, values: tuple[Any, ...], words: str) -> None:
    """Another format, a key that is not there, a broken file, a value that the format lacks."""
    (tmp_path / name).write_text(text)
    problem = config_text.problem(tmp_path / name, key, values)
    assert problem is not None and words in problem
