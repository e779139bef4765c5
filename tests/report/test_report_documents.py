"""Markdown, JUnit XML, the SVG picture, and what is written into the folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import report_samples

from harness import units
from harness.model import Evidence, Outcome
from harness.report import export, junit, markdown, shell, write


class TestMarkdown:
    """report.md."""

    def test_lists_everything(self, founding: Evidence) -> None:
        """Verdict, every finding, reason, source, command, gap, control and trial is there."""
        text = markdown.render(founding)
        reasons = [reason for finding in founding.hypotheses for reason in finding.reasons]
        wanted = [finding.id for finding in founding.hypotheses if finding.id not in report_samples.IDS[:2]]
        wanted += [markdown.words(reason.text) for reason in reasons]
        wanted += [f"`{source}`" for reason in reasons for source in reason.evidence]
        wanted += [f"`{trial.id}`" for trial in founding.trials]
        wanted += ["Verdict: OPEN", "## Was it memory? OPEN", "## Was it threading? SUPPORTED", "NOT PROVEN"]
        wanted += ["gdb is not installed", "harness run --set threads=1 --set repeat=8", "**died 1/1<br>SIGSEGV**"]
        assert [part for part in wanted if part not in text] == []

    def test_tables_are_whole(self, evidence: Evidence) -> None:
        """All rows of a table have as many cells as its header, whatever signs are in them."""
        for block in re.findall(r"(?:^\|.*\n)+", markdown.render(evidence), flags=re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1

    def test_foreign_text_has_no_effect(self, nasty: Evidence) -> None:
        """Neither HTML nor Markdown in evidence is more than text outside of code."""
        text = re.sub(r"```.*?```|`[^`]*`|\(\./[^)]*\)", "", markdown.render(nasty), flags=re.DOTALL)
        assert not re.search(r"(?<!\\)<(?!br>)", text)
        assert "\x1b" not in text

    def test_code_block_cannot_be_ended_from_inside(self) -> None:
        """A fence is longer than any run of grave accents within."""
        assert markdown.fence("a ```` b") == ["`````sh", "a ```` b", "`````"]


class TestJunit:
    """JUnit XML."""

    def test_one_case_a_trial(self, evidence: Evidence) -> None:
        """The XML parses; counts and names are those of the trials."""
        suite = ElementTree.fromstring(junit.render(evidence)).find("testsuite")
        assert suite is not None
        failed = [trial for trial in evidence.trials if trial.outcome.is_failure]
        lost = [trial for trial in evidence.trials if trial.outcome is Outcome.UNRESOLVED]
        names = [case.get("name") for case in suite.iter("testcase")]
        assert names == [units.printable(trial.id) for trial in evidence.trials]
        assert (suite.get("failures"), suite.get("errors")) == (str(len(failed)), str(len(lost)))
        assert len(suite.findall("testcase/failure")) == len(failed)
        assert len(suite.findall("testcase/error")) == len(lost)

    def test_a_failure_says_how_where_and_on_which_evidence(self, founding: Evidence) -> None:
        """Exit meaning, point of death and file:line are in the failure; the verdict is in system-out."""
        suite = ElementTree.fromstring(junit.render(founding))
        failure = suite.find(".//failure")
        assert failure is not None and failure.text is not None
        assert failure.get("message") == "died by SIGSEGV in backbone, call 2 of step 1"
        assert "Segmentation fault" in failure.text
        assert "trials/threads=2,batch_size=4/1/exit.json:3" in failure.text
        assert "Verdict: open" in (suite.findtext(".//system-out") or "")

    def test_times_are_the_trials_wall_times(self, founding: Evidence) -> None:
        """Seconds with three decimals, and a start without a zone."""
        suite = ElementTree.fromstring(junit.render(founding))
        assert [case.get("time") for case in suite.iter("testcase")][:2] == ["2.800", "4.600"]
        assert suite.find("testsuite").get("timestamp") == "2026-01-02T10:11:12"  # type: ignore[union-attr]


def test_picture_is_svg_without_network(founding: Evidence, tmp_path: Path) -> None:
    """The exported review parses, shows the verdict, and loads no font."""
    text = export.svg(founding, tmp_path / "review.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(text)
    assert "url(http" not in text and "@font-face" not in text
    assert "Verdict:&#160;OPEN" in text
    assert 'width="1238' in text or "viewBox" in text


def test_write_all_leaves_whole_files_only(evidence: Evidence, tmp_path: Path) -> None:
    """Three files, no draft of any, all UTF-8."""
    paths = write.write_all(tmp_path, evidence)
    assert sorted(path.name for path in paths) == ["evidence.json", "report.html", "report.md"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    assert json.loads(paths[0].read_text(encoding="utf-8"))["schema"] == "inquest/evidence/1"
    assert all(path.read_text(encoding="utf-8").strip() for path in paths)


class TestShell:
    """Commands on several lines."""

    def test_breaks_between_words_only(self) -> None:
        """A quoted argument stays whole."""
        assert shell.lines("run --set 'a b c' --two x", 18, " \\") == ["run --set \\", "  'a b c' --two \\", "  x"]

    def test_windows_has_its_own_sign(self, founding: Evidence) -> None:
        """PowerShell goes on after a grave accent."""
        assert shell.continuation(report_samples.healthy()) == " \\"
        windows = Evidence({}, {"platform": "Windows 11"}, (), (), founding.verdict)
        assert shell.continuation(windows) == " `"


class TestUnits:
    """Numbers as people read them."""

    def test_size(self) -> None:
        """Three digits and a binary unit."""
        sizes = (None, 0, 1023, 1024, 1_406_605_000, 16_700_000_000, 2**40)
        expected = ["unknown", "0 B", "1023 B", "1.00 KiB", "1.31 GiB", "15.6 GiB", "1.00 TiB"]
        assert [units.size(amount) for amount in sizes] == expected

    def test_duration(self) -> None:
        """Milliseconds, seconds, minutes, hours."""
        times = (None, 0.00031, 0.084, 0.9999, 12.3, 59.99, 185, 3720)
        expected = ["unknown", "0.31 ms", "84 ms", "1.00 s", "12.3 s", "1 min 00 s", "3 min 05 s", "1 h 02 min"]
        assert [units.duration(time) for time in times] == expected

    def test_measure_goes_by_the_name(self) -> None:
        """The unit is in the name; a truth value is no number."""
        found = [units.measure("a_bytes", 1024), units.measure("a_seconds", 2), units.measure("a_bytes", True)]
        assert found == ["1.00 KiB", "2.00 s", "True"]

    def test_printable_shows_control_codes_and_lone_surrogates(self) -> None:
        """What no format can hold becomes an escape; letters of any script stay."""
        assert units.printable("a\x1b[31m\x00\udc80\n\t\u00fc\u4f60") == "a\\x1b[31m\\x00\\udc80\n\t\u00fc\u4f60"

    def test_percent_and_count(self) -> None:
        """Shares of one, and nouns."""
        assert (units.percent(0.1162), units.percent(None)) == ("11.6 %", "unknown")
        assert (units.count(1, "trial"), units.count(0, "trial")) == ("1 trial", "0 trials")
