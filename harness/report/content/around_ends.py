"""What happened around an end, as the records tell it: which process was first, what was said last, signals; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from harness import units
from harness.model import Fact, Reason, Trial
from harness.report.content.facts_of import every

Table = tuple[tuple[str, Callable[[Any], str]], ...]
MOST_FOLLOWERS = 4
MOST_SIGNALS = 6
MOST_ERRORS = 6


def lines(trial: Trial) -> Iterator[Reason]:
    """Yield the sentences, in the order of what happened."""
    yield from _told(trial, BEFORE)
    yield from _handled(trial)
    yield from _printed(trial)
    yield from remains(trial)


def remains(trial: Trial) -> Iterator[Reason]:
    """Yield what a trial, however it ended, has left on the machine."""
    yield from _told(trial, AFTER)


def _told(trial: Trial, table: Table) -> Iterator[Reason]:
    for name, words in table:
        yield from (Reason(text, fact.sources) for fact in every(trial, name) if (text := words(fact.value)))


def _processes(value: dict[str, int]) -> str:
    kinds = ", ".join(f"{number} x {kind}" for kind, number in value.items() if kind != "observed")
    return f"it had started {value['observed']} further Python processes: {kinds}"


def _first_death(value: dict[str, Any]) -> str:
    followers = value["followed_by"]
    if not followers:
        return ""
    rank = f", rank {value['rank']}" if value["rank"] is not None else ""
    place = f"; it was in {value['last_event']}" if value["last_event"] else ""
    told = "; ".join(map(_follower, followers[:MOST_FOLLOWERS]))
    rest = f"; and {len(followers) - MOST_FOLLOWERS} more" if len(followers) > MOST_FOLLOWERS else ""
    who = f"process {value['pid']} ({value['started_by']}{rank}) died first"
    when = units.duration(value["when_seconds"])
    return f"{who}, {when} after the start: {value['how']}{place}. It was followed by {told}{rest}"


def _follower(value: dict[str, Any]) -> str:
    sent = f", by a signal of process {value['sent_by']}" if value["sent_by"] else ""
    return f"process {value['pid']} {units.duration(value['after_seconds'])} later ({value['how']}{sent})"


def _after_main(value: dict[str, Any]) -> str:
    return f"the main program had ended ({value['main']}) when it died: {value['how']}, {value['phase']}"


def _left(value: list[int]) -> str:
    several = "processes were" if len(value) > 1 else "process was"
    return f"{len(value)} {several} left behind, and ended by the harness: {', '.join(map(str, value))}"


def _not_ended(value: list[int]) -> str:
    return f"not even SIGKILL ended {', '.join(f'process {pid}' for pid in value)}: it still stands on this machine"


def _said(value: dict[str, Any]) -> str:
    words = " | ".join(value["words"])
    own = "its own last words were" if value["is_own"] else "stderr had"
    who = f"process {value['pid']} ({value['what']})"
    return (
        f"in the {units.duration(value['seconds'])} before {who} ended, by {value['how']}, and with it {own}: {words}"
    )


BEFORE = (
    ("processes", _processes), ("first_death", _first_death), ("died_after_main", _after_main), ("last_said", _said),
)  # fmt: skip
AFTER = (("left_behind", _left), ("not_ended", _not_ended))


def _handled(trial: Trial) -> Iterator[Reason]:
    """Say which signals reached it that it has handlers for; or that nobody would have seen one."""
    handled = every(trial, "signals_handled")
    sent = [fact for fact in every(trial, "signal_handled")][-MOST_SIGNALS:]
    yield from (Reason(_delivered(fact.value), fact.sources) for fact in sent)
    if trial.outcome == "died" and not sent and trial.fact("orderly_end") is None:
        yield from (Reason(_no_signal(fact), fact.sources) for fact in handled if fact.value["signal"] is None)


def _delivered(value: dict[str, Any]) -> str:
    who = f"{value['sender_command'] or 'a process that is gone'}, process {value['sender']}, {value['by']}"
    by = who if value["sender"] is not None else value["by"]
    ago = units.duration(value["before_death_seconds"])
    return f"{value['signal']} reached process {value['target']} {ago} before the end, and did not end it: sent by {by}"


def _no_signal(fact: Fact) -> str:
    names = ", ".join(fact.value["handled"])
    seen = "none of them was sent to it" if fact.value["is_watched"] else "whether one was sent to it was not recorded"
    return f"no signal ended it; it has handlers of its own for {names}, and {seen}"


def _printed(trial: Trial) -> Iterator[Reason]:
    """Quote the exceptions that were printed and that did not end it; of a standstill they stand in its finding."""
    if trial.outcome != "died":
        return
    fatal = {str(it["message"]).strip() for error in every(trial, "python_error") for it in _chain(error.value)}
    said = "\n".join(words for fact in every(trial, "last_said") for words in fact.value["words"])
    for fact in every(trial, "printed_error")[:MOST_ERRORS]:
        value = fact.value
        if value["words"].partition(": ")[2].strip() not in fatal and value["words"] not in said:
            times = f" ({value['count']} times)" if value["count"] > 1 else ""
            where = f", in {value['place']}" if value["place"] else ""
            yield Reason(f"printed before, and not fatal: {value['words']}{times}{where}", fact.sources)


def _chain(error: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an exception and those that it was raised from, which are printed with it."""
    return [error, *(error.get("chain") or ())]
