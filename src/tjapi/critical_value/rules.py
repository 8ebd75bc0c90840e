"""States of a critical value, and when it may be closed. Its clocks are policy: they belong to the edition of the rules."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Literal
from uuid import UUID

from tjapi.result.rules.alarms import TEXT_GRAVE
from tjapi.result.rules.revisions import Stated

CriticalState = Literal[
    "detected", "confirmed", "dismissed", "notifying", "notified", "in_follow_up", "closed", "superseded"
]
Channel = Literal["phone", "in_person", "sms", "wechat", "other"]
StepAction = Literal[
    "detected", "confirmed", "dismissed", "notified", "attempt_failed", "followed_up", "closed", "superseded", "corrected", "escalated",
    "measured_again",
]  # fmt: skip
STATES: tuple[CriticalState, ...] = (
    "detected", "confirmed", "dismissed", "notifying", "notified", "in_follow_up", "closed", "superseded",
)  # fmt: skip
CHANNELS: tuple[Channel, ...] = ("phone", "in_person", "sms", "wechat", "other")
MOVES: Mapping[str, frozenset[str]] = {
    "detected": frozenset({"confirmed", "dismissed", "superseded"}),
    "confirmed": frozenset({"notifying", "notified", "dismissed"}),
    "notifying": frozenset({"notified", "closed", "dismissed"}),
    "notified": frozenset({"in_follow_up", "closed", "dismissed"}),
    "in_follow_up": frozenset({"closed", "dismissed"}),
    "dismissed": frozenset(),
    "closed": frozenset(),
    "superseded": frozenset(),
}
ENDED: frozenset[str] = frozenset({"dismissed", "closed", "superseded"})
# Nobody was told yet: it escalates, and an exam that it is of class A in is not finalized. What nobody had acted on is `detected`.
UNTOLD: tuple[CriticalState, ...] = ("detected", "confirmed", "notifying")
CHANNELS_BEFORE_LOST = 2
OUR_ALARM_NAME = "未归入项目的危急值"


def event_key(values: Iterable[tuple[UUID | None, str]]) -> str:
    """Return what makes two alerts of one rule the same event: the results that made it fire, with what they said.

    A value that is said again is the event that somebody is dealing with already, as long as nobody was told of it and nobody ended it;
    after that, another measurement of the same value is another event (`unheard`, `nth`).
    """
    said = ",".join(sorted(f"{result_id}={value}" for result_id, value in values))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def asks_at_once(important_class: str, rule_code: str) -> bool:
    """Say whether an alert asks for somebody at once: of class A, or of grave words, of which nobody knows the class until somebody has read them."""
    return important_class == "A" or rule_code == TEXT_GRAVE


def keeps_open(*, at_once: bool, state: str, corrected: bool) -> bool:
    """Say whether an alert keeps an exam from being finalized: it asks for somebody at once, its reason stands, and nobody was told."""
    return at_once and state in UNTOLD and not corrected


def is_to_conclude(*, at_once: bool, state: str, corrected: bool) -> bool:
    """Say whether an alert belongs in the conclusion: it asks for somebody at once, its reason stands, nobody dismissed it; dealt with or not."""
    return at_once and state not in ("dismissed", "superseded") and not corrected


def unheard(now: Iterable[Stated], heard: Iterable[Stated]) -> list[Stated]:
    """Return the statements that none of the alerts was raised of or has taken up: another measurement, or a later word of the laboratory.

    What a person said of an alert they said of what had been measured then; a number that comes again from another specimen is news.
    """
    known = {(one.result_id, one.word) for one in heard}
    return [one for one in now if (one.result_id, one.word) not in known]


def shortened(words: str) -> str:
    """Return the beginning of what was said, as much of it as an alert holds."""
    said = " ".join(words.split())
    return said if len(said) <= _LONGEST_WORDS else f"{said[:_LONGEST_WORDS]}…"


_LONGEST_WORDS = 80


def nth(key: str, times: int) -> str:
    """Return the key under which an event is kept that happened so many times before: corrected away, told of, or ended."""
    return f"{key}.{times + 1}" if times else key


def event_of(kept_as: str) -> str:
    """Return the event of a kept key."""
    return kept_as.partition(".")[0]


_MEANT = re.compile(r"[^\W_]")


def is_reason(words: str) -> bool:
    """Say whether words may say why: two different letters, characters or digits at least, as of any answer; 「x」, 「。。」 and 「111」 say nothing."""
    return len(set(_MEANT.findall(words))) > 1


def may_be_lost(failed_channels: Iterable[str]) -> bool:
    """Say whether somebody may be given up as not reached: two channels at least were tried in vain."""
    return len(set(failed_channels)) >= CHANNELS_BEFORE_LOST
