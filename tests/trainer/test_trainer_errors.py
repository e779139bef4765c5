"""User errors are one message and an exit code; defects go on to the hook that was there before."""

import sys

import pytest
import yaml

from trainer.errors import ConfigError, explain, report


def test_at_most_twenty_problems_are_listed() -> None:
    """The message lists twenty problems and counts the others; the error keeps all of them."""
    error = ConfigError("no", [f"problem {number}" for number in range(23)])
    assert str(error).count("problem") == 20
    assert str(error).endswith("and 3 more")
    assert len(error.problems) == 23


@pytest.mark.parametrize(
    ("error", "code"), [(ConfigError("no"), 2), (yaml.YAMLError("no"), 2), (KeyboardInterrupt(), 130)]
)
def test_user_errors_have_a_code(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The hook prints one message without a traceback and exits with the code."""
    with pytest.raises(SystemExit) as exit_:
        report(type(error), error, None)
    assert exit_.value.code == code
    assert "Traceback" not in capsys.readouterr().err


def test_defects_go_to_the_following_hook() -> None:
    """Any other error is handed on unchanged."""
    seen: list[BaseException] = []
    error = ZeroDivisionError()
    report(ZeroDivisionError, error, None, following=lambda kind, value, trace: seen.append(value))
    assert seen == [error]
    assert explain(error) is None


def test_the_interpreter_honours_the_code(program) -> None:
    """A ConfigError that nobody handles ends the process with 2; a defect with 1 and its traceback."""
    assert sys.excepthook is not report
    missing = program("trainer", "--config", "no/such.yaml")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == "error: there is no configuration file no/such.yaml\n"
