"""What the searches found, in every report: the sentence, each step of the decision tree, the records."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import jsonschema
import report_samples as samples
from rich.console import Console

from harness.model import Evidence
from harness.report import evidence as evidence_json
from harness.report import markdown
from harness.report.console import review as console
from harness.report.content import search_rows
from harness.report.html import page as html

RUN = {"trial": "r/1", "end": "died the same way", "likeness": "same", "detail": "",
       "evidence": [{"file": "place/trials/r/1/exit.json", "line": 5}]}  # fmt: skip
ASKED = {"subject": "threads=2", "repeat": 1, "question": "does it die?", "answer": "dies", "excluded": "nothing new"}
SURVIVED = {**ASKED, "subject": "threads=1", "answer": "survives", "excluded": "that it dies"}
FOUND: dict[str, Any] = {
    "thresholds": {
        "record": "bisect/thresholds.json", "schema": "inquest/thresholds/1", "statement": "it dies at threads >= 2",
        "searches": [{
            "trace": [ASKED, {**ASKED, "repeat": 2}, SURVIVED], "remarks": ["not checked: threads=8"],
            "others": ["x/1"],
        }],
    },
    "samples": {
        "record": "bisect/samples.json", "schema": "inquest/samples/1", "statement": samples.NASTY,
        "searches": [{"trace": [], "others": [], "another_cause": True}],
    },
    "place": {
        "record": "place/place.json", "schema": "inquest/place/1", "statement": "it dies in aten.mul",
        "asked": [{"stretch": [3, 3], "dies": True, "likeness": "same", "runs": [RUN, RUN]}],
        "reasons": [{"text": "the last one begun", "evidence": RUN["evidence"]}],
        "gaps": [{"probe": "replay", "reason": "a stand-in"}],
    },
    "repro": {
        "record": "repro/repro.json", "schema": "inquest/repro/1", "statement": "aten.mul, alone", "script": "repro.py",
        "lines": 41, "failures": 5, "trials": 5, "runs": [RUN], "stand_ins": [],
    },
}  # fmt: skip


def sample() -> Evidence:
    """Return evidence of a failure that was shrunk."""
    return dataclasses.replace(samples.founding(), bisect=FOUND)


def printed(evidence: Evidence) -> str:
    """Return the whole review, wide enough that no line is broken."""
    out = Console(file=io.StringIO(), width=400)
    console.show(evidence, out)
    text: str = out.file.getvalue()  # type: ignore[attr-defined]
    return text


class TestRows:
    """The decision tree."""

    def test_trials_of_one_subject_are_one_step(self) -> None:
        """In their order, tallied; what the last one excluded."""
        tree = search_rows.found(sample())[0]
        assert [(row.subject, row.answers, row.excluded) for row in tree.rows] == [
            ("threads=2", "2 x dies", "nothing new"), ("threads=1", "1 x survives", "that it dies"),
        ]  # fmt: skip
        assert [note.text for note in tree.notes] == [
            "not checked: threads=8", "failed in another way, and counted for nothing: x/1",
        ]  # fmt: skip

    def test_order_is_that_of_the_questions(self) -> None:
        """Whatever the order of the records; a search that was not run is not there."""
        assert [search.name for search in search_rows.found(sample())] == ["thresholds", "samples", "place", "repro"]
        assert search_rows.found(samples.founding()) == []


class TestReports:
    """Console, HTML, Markdown, JSON."""

    def test_all_say_the_same(self, tmp_path: Path) -> None:
        """Sentences, steps, sources; foreign text is harmless."""
        texts = (printed(sample()), html.render(sample(), tmp_path), markdown.render(sample()))
        for text in texts:
            plain = text.replace("\\", "").replace("&gt;", ">").replace("<wbr>", "")
            for words in ("it dies at threads >= 2", "2 x dies", "that it dies", "there is another, independent cause",
                          "operator 3", "aten.mul, alone; died 5 of 5 times the same way", "repro/repro.py:1",
                          "bisect/thresholds.json:1", "missing: replay: a stand-in"):  # fmt: skip
                assert words in plain, words
        assert "<script>" not in texts[1]

    def test_nothing_is_shown_where_nothing_was_searched(self, tmp_path: Path) -> None:
        """No empty section."""
        bare = samples.founding()
        assert "smallest thing" not in printed(bare) + html.render(bare, tmp_path) + markdown.render(bare)

    def test_json_is_of_the_schema_and_comes_back(self) -> None:
        """Word for word."""
        data = evidence_json.to_json(sample())
        jsonschema.validate(data, evidence_json.schema())
        assert evidence_json.from_json(data).bisect == FOUND
