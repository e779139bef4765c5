"""The console review."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

import pytest
import report_samples
from rich.cells import cell_len
from rich.console import Console, RenderableType

from harness import units
from harness.model import ConfigError, Evidence
from harness.report.console.review import review, show, trial_review

ORDER = (
    "What happened",
    "Was it memory?",
    "Was it threading?",
    "Other hypotheses",
    "Verdict:",
    "What to run next",
    "Matrix",
    "Forward timings",
    "Gaps",
    "Controls",
)


def printed(shown: Evidence | Iterable[RenderableType], width: int, *, terminal: bool = False) -> str:
    """Return what the console shows."""
    colours = "truecolor" if terminal else None
    console = Console(width=width, file=io.StringIO(), force_terminal=terminal, color_system=colours)
    show(shown, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def dense(text: object) -> str:
    """Return text without blanks and line breaks, so that folding makes no difference."""
    return re.sub(r"\s+", "", units.printable(text))


def said(evidence: Evidence) -> list[object]:
    """Return everything that a review must say."""
    reasons = [reason for finding in evidence.hypotheses for reason in finding.reasons]
    sources = [source for reason in reasons for source in reason.evidence]
    commands = [experiment.decides for experiment in evidence.verdict.next_experiments]
    return [*(reason.text for reason in reasons), *sources, evidence.verdict.statement, *commands]


@pytest.mark.parametrize(("width", "terminal"), [(80, False), (80, True), (100, False), (140, False)])
def test_no_line_is_wider_than_the_console(evidence: Evidence, width: int, terminal: bool) -> None:
    """Everything folds; nothing is cut or runs over."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", printed(evidence, width, terminal=terminal))
    assert [line for line in text.splitlines() if cell_len(line) > width] == []
    assert "\u2026" not in text


@pytest.mark.parametrize("width", [100, 140])
def test_every_reason_and_source_is_shown(evidence: Evidence, width: int) -> None:
    """Each reason stands there with its file and line; tables that fold are read at their own width."""
    text = dense(printed(evidence, width))
    assert [what for what in said(evidence) if dense(what) not in text] == []


def test_every_reason_and_source_of_the_founding_case_at_80_columns(founding: Evidence) -> None:
    """The founding case fits a plain terminal."""
    text = dense(printed(founding, 80))
    assert [what for what in said(founding) if dense(what) not in text] == []


def test_sections_come_in_the_order_of_the_questions(founding: Evidence) -> None:
    """Memory and threading are answered before the verdict."""
    text = printed(founding, 100)
    places = [text.index(title) for title in ORDER]
    assert places == sorted(places)


def test_founding_case_says_how_and_where_it_died(founding: Evidence) -> None:
    """The point of death, the answers and the matrix are words, not colours."""
    text = printed(founding, 100)
    assert "2 x died by SIGSEGV in backbone, call 2 of step 1" in text
    assert "Was it memory?  OPEN, not decided" in text
    assert "Was it threading?  SUPPORTED, not established" in text
    assert text.count("died 1/1") == 2
    assert "NOT PROVEN" in text


def test_plain_output_has_no_control_codes_and_no_frames(evidence: Evidence) -> None:
    """Where the output is no terminal there are neither colours nor boxes."""
    assert not re.search("[\x1b\u2500-\u257f]", printed(evidence, 100).replace("\u2500", ""))


def test_terminal_output_is_coloured(founding: Evidence) -> None:
    """On a terminal deaths are red."""
    assert "\x1b[1;31mdied by SIGSEGV" in printed(founding, 100, terminal=True)


def test_commands_can_be_pasted(founding: Evidence) -> None:
    """A command that is too long goes on after a backslash at the end of the line, and not inside quotes."""
    lines = [line.strip() for line in printed(founding, 80).splitlines()]
    start = next(place for place, line in enumerate(lines) if line.startswith("harness run"))
    pasted = " ".join(line.removesuffix("\\").strip() for line in lines[start : start + 2])
    assert lines[start].endswith("\\")
    assert pasted == founding.verdict.next_experiments[0].command


def test_markup_and_control_codes_have_no_effect(nasty: Evidence) -> None:
    """Foreign text is shown as it is."""
    text = printed(nasty, 140)
    assert "[bold]loud[/bold]" in text
    assert ":smile:" in text
    assert "\x1b" not in text
    assert "\\x1b[31mred" in text


def test_three_factors_make_one_grid_for_each_value_of_the_third() -> None:
    """Two factors are rows and columns, the third names the grids, the fixed one is said once."""
    text = printed(report_samples.three_factors(), 140)
    titles = [line.strip() for line in text.splitlines() if line.strip().startswith("dtype=")]
    assert titles == ["dtype=float32", "dtype=bfloat16"]
    assert "in every cell: image=224" in text
    assert "unresolved 1/1" in text


def test_interventions_are_no_part_of_the_grid() -> None:
    """Two of three hung; the fourth, with an intervention, stands beneath."""
    text = printed(report_samples.hung(), 100)
    assert "hung 2/3" in text
    assert re.search(r"threads=1 +workers=2 +completed", text)
    assert "Verdict: NAMED: hang" in text


def test_no_trial_is_no_error() -> None:
    """An inquest without a trial says so."""
    text = printed(report_samples.empty(), 80)
    assert text.count("NOT JUDGED") == 2
    assert "No trial was run" in text


def test_trial_review_shows_the_facts_with_their_sources(founding: Evidence) -> None:
    """One trial in detail: its end, its facts in their units, what rests on it, what is missing."""
    trial = founding.trials[-1]
    text = printed(trial_review(founding, trial.id), 100)
    facts = [source for fact in trial.facts for source in fact.sources]
    assert [source for source in facts if str(source) not in text] == []
    assert "13.8 GiB" in text
    assert "died by SIGSEGV in backbone, call 2 of step 1" in text
    assert "threading-fault: Died in 2 of 3" in text
    assert "gdb is not installed" in text


@pytest.mark.parametrize("width", [80, 140])
def test_trial_review_fits(evidence: Evidence, width: int) -> None:
    """No line of any trial's review is wider than the console."""
    for trial in evidence.trials[:3]:
        text = printed(trial_review(evidence, trial.id), width)
        assert max(map(cell_len, text.splitlines())) <= width


def test_unknown_trial_is_a_user_error(founding: Evidence) -> None:
    """The message names the trials that there are."""
    with pytest.raises(ConfigError, match="threads=1,batch_size=1/1"):
        list(trial_review(founding, "nope"))


def test_review_yields_and_does_not_print(founding: Evidence, capsys: pytest.CaptureFixture[str]) -> None:
    """Only `show` prints."""
    assert list(review(founding))
    assert capsys.readouterr().out == ""
