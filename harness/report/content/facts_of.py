"""Asks a trial for its facts, for the sentences of the report; pure."""

from __future__ import annotations

from typing import Any

from harness.model import Fact, Source, Trial


def every(trial: Trial, name: str) -> list[Fact]:
    """Return all facts of a name, in their order."""
    return [fact for fact in trial.facts if fact.name == name]


def values_of(trial: Trial, *names: str) -> dict[str, Any]:
    """Return name -> value of those that the records tell."""
    return {name: trial.value(name) for name in names if trial.fact(name) is not None}


def sources_of(trial: Trial, *names: str) -> tuple[Source, ...]:
    """Return the lines that these facts were read from, each once."""
    found = (source for name in names for fact in every(trial, name) for source in fact.sources)
    return tuple(dict.fromkeys(found))
