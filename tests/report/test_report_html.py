"""The HTML report and its drawings."""

from __future__ import annotations

import dataclasses
import html.parser
import json
from pathlib import Path

import pytest
import report_records
import report_samples

from harness.model import Evidence, Outcome
from harness.report.content import chart_series
from harness.report.html import chart_memory, page, svg

VOID = ("meta", "wbr")


class Reader(html.parser.HTMLParser):
    """Reads a page: all elements with their attributes, and whether each is closed in order."""

    def __init__(self, text: str) -> None:
        """Read it all."""
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        """Check that the innermost element ends."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Gather the text."""
        self.text += data

    def paths(self) -> list[str]:
        """Return the trials that have a line in the memory drawing."""
        return [attrs["data-trial"] for tag, attrs in self.elements if tag == "path" and "data-trial" in attrs]


def test_page_is_well_formed_and_needs_no_network(evidence: Evidence, tmp_path: Path) -> None:
    """Every element is closed; nothing is loaded, nothing runs, all links stay in the folder."""
    text = page.render(evidence, tmp_path)
    reader = Reader(text)
    links = [attrs["href"] for tag, attrs in reader.elements if "href" in attrs]
    assert reader.open == []
    assert not {tag for tag, _ in reader.elements} & {"script", "link", "img", "iframe", "object"}
    assert [link for link in links if not link.startswith(("./", "#"))] == []
    assert "http" not in text.replace(report_samples.NASTY, "")
    assert "url(" not in text and "@import" not in text
    assert not [key for _, attrs in reader.elements for key in attrs if key.startswith("on") or key == "src"]


def test_everything_foreign_is_escaped(nasty: Evidence, tmp_path: Path) -> None:
    """Markup in evidence stays text, control codes become visible."""
    text = page.render(nasty, tmp_path)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "<script>alert('x')</script>" in Reader(text).text


def test_each_trial_with_records_has_a_line(founding: Evidence, folder: Path) -> None:
    """One path a trial, a cross at each death."""
    reader = Reader(page.render(founding, folder))
    assert sorted(reader.paths()) == sorted(trial.id for trial in founding.trials)
    marks = [attrs for tag, attrs in reader.elements if tag == "path" and attrs.get("class") == "mark died"]
    assert len(marks) == 2 + 2  # two deaths in the memory drawing, two forwards that never ended


def test_reasons_and_their_records_are_linked(founding: Evidence, folder: Path) -> None:
    """Each reason is there, each source links to its record file."""
    reader = Reader(page.render(founding, folder))
    links = {attrs.get("href") for _, attrs in reader.elements}
    for finding in founding.hypotheses:
        for reason in finding.reasons:
            assert reason.text in reader.text
            assert {f"./{source.file}" for source in reason.evidence} <= links
            assert all(str(source) in reader.text for source in reason.evidence)


def test_verdict_comes_first(founding: Evidence, folder: Path) -> None:
    """The verdict stands above everything but the header."""
    text = Reader(page.render(founding, folder)).text
    assert text.index("Verdict: OPEN") < text.index("What happened") < text.index("Memory over time")


def test_missing_and_torn_records_do_not_break_it(founding: Evidence, folder: Path) -> None:
    """A record that is gone is said to be gone; a torn tail and rows without values are left out."""
    gone, torn, odd = (folder / "trials" / trial.id for trial in founding.trials[:3])
    (gone / "memory.jsonl").unlink()
    (gone / "spec.json").unlink()
    (gone / "forwards.jsonl").unlink()
    (torn / "memory.jsonl").write_text('{"t": 1020.0, "rss_bytes": 5}\n{"t": 1021.0, "rss', encoding="utf-8")
    (odd / "memory.jsonl").write_text('{"t": 1.0}\n{"rss_bytes": 5}\n{"t": 2, "rss_bytes": null}\n', encoding="utf-8")
    text = page.render(founding, folder)
    assert len(Reader(text).paths()) == 4
    assert f"No memory record: {founding.trials[0].id}, {founding.trials[2].id}." in Reader(text).text


def test_without_any_record_the_page_says_so(founding: Evidence, tmp_path: Path) -> None:
    """The findings stand; the drawing is replaced by a sentence."""
    assert "No memory record was found" in page.render(founding, tmp_path)


def test_memory_limit_in_sight_is_drawn(tmp_path: Path) -> None:
    """A limit near the peak is a line; a limit far above is told in words."""
    near = [report_samples.Fact("memory_limit_bytes", 2 * report_samples.GIB)]
    trials = (report_samples.trial({"batch_size": 8}, facts=tuple(near)),)
    limited = dataclasses.replace(report_samples.healthy(), trials=trials)
    report_records.write_records(tmp_path, limited)
    assert "memory limit 2.00 GiB" in page.render(limited, tmp_path)


def test_the_trees_memory_is_drawn_where_every_sample_has_it(founding: Evidence, folder: Path) -> None:
    """Memory of worker processes counts as soon as it is recorded throughout."""
    assert chart_series.measure(founding, folder) == "rss_bytes"
    for trial in founding.trials:
        row = {"t": 1.0, "rss_bytes": 1, "tree_rss_bytes": 2}
        (folder / "trials" / trial.id / "memory.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert chart_series.measure(founding, folder) == "tree_rss_bytes"


def test_trials_of_one_cell_are_told_apart() -> None:
    """Labels say what varies; equal ones get the trial's number, long ones become values under a heading."""
    cell = {"threads": 2, "batch_size": 8}
    pair = [report_samples.trial(cell, Outcome.DIED, number) for number in (1, 2)]
    assert chart_memory.names(pair, ["threads"]) == ("", ["threads=2: SIGSEGV #1", "threads=2: SIGSEGV #2"])
    long = report_samples.trial({**cell, "dataset_folder_of_photos": "a"}, Outcome.HUNG)
    heading = "threads / batch_size / dataset_folder_of_photos"
    assert chart_memory.names([long], list(long.factors)) == (heading, ["2 / 8 / a: hung"])


class TestThin:
    """Fewer points for the drawing."""

    def test_keeps_the_peak_the_ends_and_the_order(self) -> None:
        """A single high sample among ten thousand survives."""
        samples = [(float(time), 1000.0 if time == 7321 else time % 7.0) for time in range(10_000)]
        found = chart_series.thin(samples)
        assert len(found) <= 400
        assert (7321.0, 1000.0) in found
        assert (found[0], found[-1]) == (samples[0], samples[-1])
        assert found == sorted(found)

    def test_leaves_few_samples_as_they_are(self) -> None:
        """Up to 400 samples nothing is lost."""
        samples = [(float(time), 1.0) for time in range(400)]
        assert chart_series.thin(samples) == samples


@pytest.mark.parametrize(
    ("highest", "expected"),
    [(0, [0.0, 1.0]), (7, [0, 2, 4, 6, 8]), (0.8, [0, 0.2, 0.4, 0.6, 0.8]), (1.8, [0, 0.5, 1, 1.5, 2])],
)
def test_ticks_are_round(highest: float, expected: list[float]) -> None:
    """Axes count in steps of 1, 2 or 5."""
    assert svg.ticks(highest) == pytest.approx(expected)


def test_labels_are_moved_apart() -> None:
    """Labels keep their order and their distance, and stay above the axis."""
    assert svg.spread([100, 101, 50], 17, 300) == [100, 117, 50]
    assert svg.spread([299, 298], 17, 300) == [300, 283]
