"""What the tests of the reports share."""

from __future__ import annotations

from pathlib import Path

import pytest
import report_records
import report_samples

from harness.model import Evidence


@pytest.fixture(params=sorted(report_samples.SAMPLES))
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """Return each of the samples in turn."""
    return report_samples.SAMPLES[request.param]()


@pytest.fixture
def founding() -> Evidence:
    """Return the founding case."""
    return report_samples.founding()


@pytest.fixture
def nasty() -> Evidence:
    """Return evidence full of markup and control codes."""
    return report_samples.nasty()


@pytest.fixture
def folder(tmp_path: Path, founding: Evidence) -> Path:
    """Return an inquest's folder with the records of the founding case."""
    report_records.write_records(tmp_path, founding)
    return tmp_path
