"""Exact statements about failure rates; pure."""

from __future__ import annotations


def rate_below(trials: int, confidence: float = 0.95) -> float:
    """Return the rate below which the true failure rate lies after no failure in `trials` independent trials.

    The exact (Clopper-Pearson, one-sided) bound: 1 - (1 - confidence) ** (1 / trials); 1.0 for no trials.
    """
    return 1.0 - (1.0 - confidence) ** (1.0 / trials) if trials else 1.0
