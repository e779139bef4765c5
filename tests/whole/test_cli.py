"""What the command line refuses: exit code 2, one message, no traceback, and no folder made."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from observing import harness, victim

from harness import cli

PLAN = "target: {command: [give-one.py]}\n"


def refused(directory: Path, *arguments: object) -> str:
    """Run the harness, which must refuse; return its one message."""
    done = harness(directory, *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert not (directory / "out").is_dir() and not (directory / "reports").exists()
    assert done.stderr.count("harness: ") == 1, done.stderr
    return done.stderr


class TestTargets:
    """Programs that cannot be started are told before anything is."""

    @pytest.mark.parametrize(
        ("command", "words"),
        [
            (["missing.py"], "there is no script missing.py"),
            (["."], "target.command: . is a folder without __main__.py"),
            (["-m", "no_such_module_here"], "there is no module no_such_module_here"),
            (["-m", "json.no_such_part"], "there is no module json.no_such_part"),
            (["-m", "logging"], "logging is a package without __main__.py"),
            (["-m"], "no module stands after -m"),
            (["-c"], "target.command: no code stands after -c"),
            (["-u", "-m", "no_such_module_here"], "there is no module no_such_module_here"),
            (["-V"], "target.command: -V: expected a script, or -m and a module"),
            (["/bin/true"], "/bin/true is not a Python program"),
        ],
    )
    def test_names_what_is_missing(self, tmp_path: Path, command: list[str], words: str) -> None:
        """The message has the key path and the name."""
        message = refused(tmp_path, "run", "--once", "--out", "out", "--", *command)
        assert message.startswith("harness: target.command: ")
        assert words in message

    def test_nothing_after_the_dashes(self, tmp_path: Path) -> None:
        """`--` alone says what belongs there."""
        message = refused(tmp_path, "run", "--out", "out", "--")
        assert "nothing stands after `--`: give a script or `-m module`" in message

    def test_command_belongs_to_run(self, tmp_path: Path) -> None:
        """The other commands take no program."""
        assert "`-- COMMAND` belongs to run, not to smoke" in refused(tmp_path, "smoke", "--", "x.py")


class TestPlans:
    """Plans that cannot be carried out."""

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("target: [unclosed\n", "while parsing"),
            ("- a\n- list\n", "a plan is a mapping of keys to values, this is list"),
            ("", "a plan is a mapping of keys to values, this is NoneType"),
            (PLAN + "repeat: 3\n", "repeat: unknown key; did you mean repeats?"),
            (PLAN + "limits: {wall_seconds: soon}\n", "limits.wall_seconds: expected a number, got 'soon'"),
            (PLAN + "target:\n  config: x.yaml\n", "target.command: is missing"),
        ],
    )
    def test_names_the_key(self, tmp_path: Path, text: str, words: str) -> None:
        """One message with what is wrong and where."""
        (tmp_path / "plan.yaml").write_text(text)
        assert words in refused(tmp_path, "run", "plan.yaml", "--out", "out")

    def test_missing_file(self, tmp_path: Path) -> None:
        """A plan that is not there is named."""
        assert (
            refused(tmp_path, "run", "nowhere/plan.yaml") == "harness: nowhere/plan.yaml: there is no such plan file\n"
        )

    def test_set_without_equals(self, tmp_path: Path) -> None:
        """--set says how it is spelt."""
        message = refused(tmp_path, "run", "--set", "repeats", "--out", "out", "--", victim("healthy"))
        assert message == "harness: --set repeats: expected key=value, e.g. --set repeats=3\n"

    @pytest.mark.parametrize(
        ("setting", "words"),
        [
            ("repeats=0", "repeats: must be at least 1, got 0"),
            ("repeats=three", "repeats: expected a whole number, got 'three'"),
            ("factors.threads=[0]", "factors.threads: 0 is not a number of threads"),
            ("factors.threads=[]", "factors.threads: has no values"),
            ("factors.threads=2", "factors.threads: expected a list, got 2"),
            ("factors.batch_size=[1]", "factors.batch_size: cannot be set: the target has no target.config"),
            ("limit.steps=1", "limit: unknown key; did you mean limits?"),
            ("a.b={", "while parsing"),
        ],
    )
    def test_set_is_checked_as_the_file_is(self, tmp_path: Path, setting: str, words: str) -> None:
        """What --set puts into the plan is held to the same rules."""
        assert words in refused(tmp_path, "run", "--set", setting, "--out", "out", "--", victim("healthy"))

    def test_every_problem_is_told_at_once(self, tmp_path: Path) -> None:
        """Two mistakes are two lines of one message."""
        words = ("--set", "repeats=0", "--set", "sampling.interval=1")
        message = refused(tmp_path, "run", *words, "--out", "out", "--", victim("healthy"))
        assert len(message.splitlines()) == 2


class TestFolders:
    """Where nothing can be written."""

    def test_out_is_a_file(self, tmp_path: Path) -> None:
        """A file in the folder's place is named."""
        (tmp_path / "out").write_text("")
        message = refused(tmp_path, "run", "--out", "out", "--", victim("healthy"))
        assert message.startswith("harness: --out out: ") and message.endswith("out is not a folder\n")

    def test_out_lies_below_a_file(self, tmp_path: Path) -> None:
        """A file on the way is named too."""
        (tmp_path / "file").write_text("")
        assert "file is not a folder" in refused(tmp_path, "run", "--out", "file/out", "--", victim("healthy"))

    def test_resume_of_nothing(self, tmp_path: Path) -> None:
        """A folder without an inquest cannot be resumed."""
        assert refused(tmp_path, "run", "--resume", "x") == "harness: --resume x: there is no inquest in this folder\n"

    def test_review_of_nothing(self, tmp_path: Path) -> None:
        """Neither a folder without a journal nor an empty reports/ can be reviewed."""
        assert "there is no inquest in this folder" in refused(tmp_path, "review", ".")
        assert "there is no inquest yet" in refused(tmp_path, "review")


class TestUsage:
    """argparse's own refusals, and help."""

    @pytest.mark.parametrize(
        "arguments",
        [["run", "--unknown"], ["dance"], [], ["run", "--budget", "soon"], ["run", "--set"], ["run", "a", "b"]],
    )
    def test_wrong_usage(self, tmp_path: Path, arguments: list[str]) -> None:
        """Usage and one error line on stderr."""
        done = harness(tmp_path, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("usage: harness")
        assert done.stderr.count("error: ") == 1
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["smoke", "--help"], ["review", "--help"]])
    def test_help_has_the_exit_codes(self, tmp_path: Path, arguments: list[str]) -> None:
        """Whoever calls from a script finds the codes in the help."""
        done = harness(tmp_path, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert cli.EXIT_CODES in done.stdout

    def test_version(self, tmp_path: Path) -> None:
        """--version names the program."""
        assert harness(tmp_path, "--version").stdout.startswith("inquest ")


class TestSeconds:
    """Times on the command line."""

    @pytest.mark.parametrize(("text", "expected"), [("90", 90), ("90s", 90), ("1.5m", 90), ("15m", 900), ("2h", 7200)])
    def test_units(self, text: str, expected: float) -> None:
        """Seconds without a unit, else s, m or h."""
        assert expected == cli.seconds(text)

    @pytest.mark.parametrize("text", ["", "m", "soon", "-5", "1.2.3", "5d", "1e3"])
    def test_others_are_refused(self, text: str) -> None:
        """The message shows what was given and how it is written."""
        with pytest.raises(argparse.ArgumentTypeError, match="is not a time: write 90s, 15m or 2h"):
            cli.seconds(text)
