"""What survivors prove where a failure is flaky; pure.

A death of the same signature proves that a subject dies. A survivor proves little: it is *silence*, and at a failure
rate of 0.05 fourteen survivors in a row are an even bet. The rate is never known, only counted, so all is averaged over
what the count leaves open. Of the rate itself nothing is assumed, not even its order of magnitude: its prior density is
nearly 1 / rate (Beta(0.1, 1/2)), as Jeffreys' (Beta(1/2, 1/2), Proc. Royal Society A 186, 1946) finds a rare failure
improbable, and believes a few early deaths too readily.
"""

from __future__ import annotations

from math import exp, lgamma

from harness.decide.statistics import Count

PRIOR_DEATHS, PRIOR_SURVIVORS = 0.1, 0.5
STEP_ERROR = 0.05  # what is called surviving was that unlikely to be so silent, were it dying
MOST_REPEATS = 1000  # nobody waits for more
CONFIRM_TRIALS, CONFIRM_DEATHS = 5, 4  # what is not known to die cannot be bisected
MOST_CONFIRM = 120  # a failure of rate 0.05 stays away so long once in 500 times; so many are allowed per death


def silence(known: Count, survived: int) -> float:
    """Return how likely a dying subject would have survived `survived` trials of as many.

    `known` counts the trials of subjects that are known to die: E[(1 - rate) ** survived], in closed form.
    """
    deaths, survivors = PRIOR_DEATHS + known.failures, PRIOR_SURVIVORS + known.trials - known.failures
    logarithm = lgamma(survivors + survived) - lgamma(survivors)
    return exp(logarithm + lgamma(deaths + survivors) - lgamma(deaths + survivors + survived))


def doubt(known: Count, survived: int) -> float:
    """Return how probable it is that a subject dies after all, at even odds before its `survived` silent trials."""
    chance = silence(known, survived)
    return chance / (1.0 + chance)


def repeats(known: Count, error: float = STEP_ERROR) -> int:
    """Return how many survivors in a row bring a subject's silence under `error`; 1000 where not even these do."""
    return next((most for most in range(1, MOST_REPEATS) if silence(known, most) < error), MOST_REPEATS)


def is_confirmed(deaths: int, trials: int) -> bool:
    """Whether a failure was repeated often enough to be bisected: the rate is known, or there is none to speak of."""
    is_too_rare = trials >= MOST_CONFIRM * (1 + deaths)
    return is_too_rare or (trials >= CONFIRM_TRIALS and deaths >= CONFIRM_DEATHS)
