"""evidence.json: its schema, and the way there and back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import report_samples

from harness.model import ConfigError, Evidence
from harness.report import evidence as evidence_json


def validator() -> jsonschema.Draft202012Validator:
    """Return a validator of the product's schema."""
    return jsonschema.Draft202012Validator(evidence_json.schema())


def is_valid(data: dict[str, Any]) -> bool:
    """Whether the schema takes the object."""
    return validator().is_valid(data)


def walk(node: Any, path: str = "") -> list[str]:
    """Return the paths of all properties without a description."""
    if not isinstance(node, dict):
        return []
    bare = [f"{path}/{name}" for name, value in node.get("properties", {}).items() if not described(value)]
    return bare + [found for key, value in node.items() if key in ("$defs",) for found in walk_all(value, key)]


def walk_all(nodes: dict[str, Any], path: str) -> list[str]:
    """Return the same for several nodes; conditions beside the properties need no description."""
    return [found for name, node in nodes.items() for found in walk(node, f"{path}/{name}")]


def described(value: dict[str, Any]) -> bool:
    """Whether a property says what it is, itself or by what it refers to."""
    target = evidence_json.schema()["$defs"].get(value.get("$ref", "").removeprefix("#/$defs/"), {})
    return "description" in value or "description" in target


def test_schema_is_itself_valid() -> None:
    """The schema is a JSON Schema of draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(evidence_json.schema())


def test_every_property_is_described() -> None:
    """Each property of the schema has a description."""
    assert walk(evidence_json.schema()) == []


def test_samples_are_valid(evidence: Evidence) -> None:
    """What `to_json` writes is what the schema takes."""
    assert [error.message for error in validator().iter_errors(evidence_json.to_json(evidence))] == []


def test_round_trip(evidence: Evidence, tmp_path: Path) -> None:
    """Evidence read back from its file says the same, and is JSON all through."""
    written = json.loads(evidence_json.write(tmp_path, evidence).read_text(encoding="utf-8"))
    assert written == evidence_json.to_json(evidence)
    assert written == evidence_json.to_json(evidence_json.from_json(written))


def test_nouns_come_back_as_the_same_nouns() -> None:
    """What is read back is equal, enumerations and sources included."""
    hung = report_samples.hung()
    assert evidence_json.from_json(evidence_json.to_json(hung)) == hung


def test_other_schema_is_refused(founding: Evidence) -> None:
    """A file of another schema is a user error that names both."""
    with pytest.raises(ConfigError, match=r"inquest/evidence/1.*inquest/evidence/9"):
        evidence_json.from_json({**evidence_json.to_json(founding), "schema": "inquest/evidence/9"})


def change(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy with one value changed; `path` is like "trials/0/outcome"."""
    copy = json.loads(json.dumps(data))
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("/"))
    node = copy
    for part in parents:
        node = node[part]
    node[last] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("trials/0/outcome", "crashed"),
        ("trials/0/exit/ended_by", "kernel"),
        ("trials/0/exit/signal", "SIGSEGV"),
        ("trials/0/exit/code", None),
        ("trials/4/exit/ntstatus", "0xC0000005"),
        ("trials/0/surprise", 1),
        ("trials/0/exit/surprise", 1),
        ("trials/0/last_event/surprise", 1),
        ("trials/0/forwards/0/surprise", 1),
        ("hypotheses/0/id", "gremlins"),
        ("hypotheses/0/status", "ruled_out"),
        ("hypotheses/0/reasons/0/surprise", 1),
        ("hypotheses/0/reasons/0/evidence/0/line", 0),
        ("verdict/cause", "hang"),
        ("verdict/status", "named"),
        ("verdict/status", "guilty"),
        ("controls/0/proven", "yes"),
        ("controls/0/surprise", 1),
        ("inquest/started", "2026-01-02 10:11:12"),
        ("inquest/started", "2026-01-02T10:11:12+01:00"),
        ("surprise", 1),
    ],
)
def test_schema_is_strict(founding: Evidence, path: str, value: Any) -> None:
    """One wrong value anywhere is an error."""
    assert not is_valid(change(evidence_json.to_json(founding), path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("trials/0/exit/ntstatus", "0xC0000005"),
        ("trials/0/facts/0/value", {"any": ["thing"]}),
        ("inquest/further", 1),
        ("environment/further", 1),
        ("inquest/ended", None),
        ("inquest/started", "2026-01-02T10:11:12.345678+00:00"),
    ],
)
def test_schema_is_open_where_it_should_be(founding: Evidence, path: str, value: Any) -> None:
    """Windows statuses, facts of any type and further keys are taken."""
    assert is_valid(change(evidence_json.to_json(founding), path, value))


def test_writing_evidence_does_not_import_rich() -> None:
    """The command line stays fast: evidence.json, Markdown, HTML and JUnit need the standard library only."""
    code = (
        "import sys, harness.report.evidence, harness.report.write, harness.report.junit; print('rich' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert (done.stdout.strip(), done.stderr) == ("False", "")
